import { html } from 'hono/html';

/** Everything that the page shows; the routes gather it, the page asks nobody. */
export interface PageView {
  readonly state: 'anonymous' | 'active' | 'unavailable';
  readonly store: {
    readonly kind: 'redis' | 'memory';
    readonly label: string;
    readonly prefix: string;
  };
  readonly policy: {
    readonly ttl: number;
    readonly maxTtl: number;
    readonly lifetime: number | undefined;
  };
  readonly cookie: { readonly name: string; readonly secure: boolean };
  readonly session:
    | {
        readonly id: string;
        readonly key: string;
        /** The hash without its secret. */
        readonly record: Readonly<Record<string, string>>;
        readonly configuredTtl: number;
        readonly remainingMs: number;
        readonly endsAt: number | undefined;
      }
    | undefined;
  readonly notice: { readonly kind: 'info' | 'error'; readonly text: string } | undefined;
}

/** The whole document. Every value in it is escaped. */
export function renderPage(view: PageView): string | Promise<string> {
  return html`<!DOCTYPE html>${Page(view)}`;
}

function Page({ store, session, notice, policy, state }: PageView) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>Sojourn</title>
        <link rel="stylesheet" href="/assets/demo.css" />
      </head>
      <body>
        <h1>Sojourn</h1>
        <p>Sessions live in: {store.label}</p>
        {state === 'unavailable' && <p role="alert">The session store is unavailable.</p>}
        {notice && <p role="status">{notice.text}</p>}
        {session ? (
          <dl>
            {Object.entries(session.record).map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </>
            ))}
          </dl>
        ) : (
          <form method="post" action="/login">
            <label>
              Name <input name="username" maxlength={64} />
            </label>
            <label>
              TTL <input name="ttl" value={String(policy.ttl)} />
            </label>
            <button type="submit">Start</button>
          </form>
        )}
      </body>
    </html>
  );
}
