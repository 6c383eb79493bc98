import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { printable } from '../../domain/printable.ts';

/** The frame of every page. */
export interface LayoutProps {
  readonly title: string;
  /** Relative path from this page to the console's first page: `./`, or `../` and so on for a deeper path. */
  readonly root?: string;
  /** The store and prefix that the console shows. */
  readonly store?: { readonly label: string; readonly prefix: string } | undefined;
  /** Who is signed in; `undefined` on the sign-in page. */
  readonly operator?: string | undefined;
  /** Whether the operator can sign out. */
  readonly canSignOut?: boolean;
  /** The result of the form that led here. */
  readonly notice?: string | undefined;
  /** Whether the notice reports a failure. */
  readonly failed?: boolean;
  readonly children?: Child;
}

/** The complete document, which works without its script. Every value in it is escaped. */
export function document(props: LayoutProps): string | Promise<string> {
  return html`<!DOCTYPE html>${<Layout {...props} />}`;
}

function Layout(props: LayoutProps) {
  const { title, root = './', store, operator, canSignOut, notice, failed, children } = props;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="robots" content="noindex" />
        <title>{`${printable(title)} · Sojourn console`}</title>
        <link rel="icon" type="image/svg+xml" href={`${root}favicon.svg`} />
        <link rel="stylesheet" href={`${root}tokens.css`} />
        <link rel="stylesheet" href={`${root}console.css`} />
        <script type="module" src={`${root}console.js`}></script>
      </head>
      <body>
        <header>
          <p class="name">
            <a href={root}>Sojourn console</a>
          </p>
          {store && (
            <p class="store">
              {store.label}, keys <code>{printable(store.prefix)}…</code>
            </p>
          )}
          {operator !== undefined && (
            <div class="operator">
              <Name of={operator} />
              {canSignOut && (
                <form method="post" action={`${root}sign-out`}>
                  <button type="submit">Sign out</button>
                </form>
              )}
            </div>
          )}
        </header>
        <main>
          <h1>
            <bdi>{printable(title)}</bdi>
          </h1>
          {notice && (
            <p class={failed ? 'notice failed' : 'notice'} role={failed ? 'alert' : 'status'}>
              {notice}
            </p>
          )}
          <p id="silence" class="notice failed" role="alert" hidden></p>
          {children}
        </main>
      </body>
    </html>
  );
}

/** Text from users. It cannot control the page, hide, or change the direction of the text around it. */
export function Name({ of: text }: { readonly of: string }) {
  return <bdi class="name">{printable(text)}</bdi>;
}

/** A field to find a user or a session. */
export function Find({ asked = '' }: { readonly asked?: string }) {
  return (
    <form class="find" method="get" action="./find">
      <label for="q">User or session id</label>
      <input id="q" name="q" value={asked} autocomplete="off" spellcheck={false} required />
      <button type="submit">Find</button>
    </form>
  );
}

/** The link to a user's page, from any other page. */
export function userHref(user: string, more: Readonly<Record<string, string>> = {}): string {
  return `./user?${new URLSearchParams({ name: user, ...more })}`;
}

/** The link to a session's page, from any other page. */
export function sessionHref(id: string, more: Readonly<Record<string, string>> = {}): string {
  return `./session?${new URLSearchParams({ id, ...more })}`;
}
