import { html } from 'hono/html';
import type { Child } from 'hono/jsx';
import { printable } from '../../domain/printable.ts';

/** What stands around every page. */
export interface LayoutProps {
  readonly title: string;
  /** From this page to the console's first one: `./`, or `../` and so on for a path that is deeper. */
  readonly root?: string;
  /** What is looked at: the store and its prefix. */
  readonly store?: { readonly label: string; readonly prefix: string } | undefined;
  /** Who is signed in; nobody on the page that asks for a token. */
  readonly operator?: string | undefined;
  /** Whether there is a sign-in to undo. */
  readonly canSignOut?: boolean;
  /** What has become of the form that led here. */
  readonly notice?: string | undefined;
  /** Whether that is bad news. */
  readonly failed?: boolean;
  readonly children?: Child;
}

/** The whole document, complete without its script. Every value in it is escaped. */
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

/** What somebody typed: it cannot give orders to the page, hide, or turn the direction of what stands around it. */
export function Name({ of: text }: { readonly of: string }) {
  return <bdi class="name">{printable(text)}</bdi>;
}

/** One field to find a user or a session by. */
export function Find({ asked = '' }: { readonly asked?: string }) {
  return (
    <form class="find" method="get" action="./find">
      <label for="q">User or session id</label>
      <input id="q" name="q" value={asked} autocomplete="off" spellcheck={false} required />
      <button type="submit">Find</button>
    </form>
  );
}

/** Where a user's page is, from any other. */
export function userHref(user: string, more: Readonly<Record<string, string>> = {}): string {
  return `./user?${new URLSearchParams({ name: user, ...more })}`;
}

/** Where a session's page is, from any other. */
export function sessionHref(id: string, more: Readonly<Record<string, string>> = {}): string {
  return `./session?${new URLSearchParams({ id, ...more })}`;
}
