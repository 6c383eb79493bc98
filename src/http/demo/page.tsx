import { html } from 'hono/html';
import { ActivityPart } from './activity-part.tsx';
import { CookiePart } from './cookie-part.tsx';
import { CostPart } from './cost-part.tsx';
import { DevicesPart } from './devices-part.tsx';
import type { LastAction } from './last-actions.ts';
import { SessionPart } from './session-part.tsx';
import { StorePart } from './store-part.tsx';

/** Everything that the page shows. The routes gather it; the page asks nobody. */
export interface PageView {
  /**
   * `expired`: the browser brought a cookie that opens nothing any more. `unavailable`: there is a cookie, and the store
   * cannot be asked what it opens.
   */
  readonly state: 'anonymous' | 'active' | 'expired' | 'unavailable';
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
  readonly session: SessionView | undefined;
  /** The user's newest sessions, and this one. */
  readonly devices: readonly DeviceView[];
  /** How many more the user has. */
  readonly olderDevices: number;
  /** What happened lately to the user's sessions; `undefined` where no journal is kept. */
  readonly activity: readonly ActivityView[] | 'unreadable' | undefined;
  /** What this session did last, as far as this server knows. */
  readonly action: LastAction | undefined;
  /** Why the form that led here was not done as asked. */
  readonly notice: string | undefined;
}

export interface SessionView {
  readonly id: string;
  readonly key: string;
  /** The hash as stored, without any secret's hash. */
  readonly record: Readonly<Record<string, string>>;
  readonly configuredTtl: number;
  readonly remainingMs: number;
  /** The end of the lifetime, in milliseconds since 1970, and what is left until then. */
  readonly endsAt: number | undefined;
  readonly lifetimeLeftMs: number | undefined;
  /** Milliseconds from the start to the end of the lifetime. */
  readonly lifetimeMs: number | undefined;
  /** Another one after every rotation; tells nothing of the secret. */
  readonly fingerprint: string;
}

export interface DeviceView {
  readonly id: string;
  /** Where it was started: `Firefox on Linux`. */
  readonly label: string;
  readonly createdAt: string;
  readonly lastAccessedAt: string;
  /** The one that this page belongs to. */
  readonly current: boolean;
}

export interface ActivityView {
  readonly what: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** It happened then, or before. */
  readonly isLatest: boolean;
  /** Where the session was started, as far as that is known. */
  readonly device: string | undefined;
}

/** The whole document, complete without its script. Every value in it is escaped. */
export function renderPage(view: PageView): string | Promise<string> {
  return html`<!DOCTYPE html>${<Page {...view} />}`;
}

function Page(view: PageView) {
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          name="description"
          content="A web session, shown live: what the browser carries and what the server keeps."
        />
        <title>Sojourn: a session, live</title>
        <link rel="stylesheet" href="/assets/demo.css" />
        <script type="module" src="/assets/live.js"></script>
      </head>
      <body>
        <header>
          <h1>Sojourn</h1>
          <p>
            Your browser carries one opaque cookie. Everything else about you stays on the server,
            in one Redis hash that expires when you stop using it. Here you see both sides.
          </p>
          <p class={`badge ${view.store.kind}`}>{storeBadge(view.store)}</p>
        </header>
        <p id="outage" class="outage" role="alert" hidden></p>
        <p id="announcer" class="visually-hidden" role="status"></p>
        <main data-state={view.state}>
          <div class="column">
            <div data-part="notice">
              {view.notice && (
                <p class="notice" role="status">
                  {view.notice}
                </p>
              )}
            </div>
            <SessionPart {...view} />
            <CookiePart {...view} />
          </div>
          <div class="column">
            <StorePart {...view} />
            <CostPart {...view} />
            {view.session && <DevicesPart devices={view.devices} older={view.olderDevices} />}
            {view.activity && <ActivityPart activity={view.activity} />}
          </div>
        </main>
        <footer>
          <p>
            Looking at this page never keeps a session alive: it is a pure read. Only an action
            slides the expiry.
          </p>
        </footer>
      </body>
    </html>
  );
}

function storeBadge({ kind, label }: PageView['store']): string {
  return kind === 'redis' ? label : `${label}: sessions end when the server stops`;
}
