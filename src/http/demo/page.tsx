import { html } from 'hono/html';
import { ActivityPart } from './parts/activity-part.tsx';
import { CookiePart } from './parts/cookie-part.tsx';
import { CostPart } from './parts/cost-part.tsx';
import { DevicesPart } from './parts/devices-part.tsx';
import { SessionPart } from './parts/session-part.tsx';
import { StorePart } from './parts/store-part.tsx';
import type { PageView } from './views.ts';

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
