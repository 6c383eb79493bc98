import { html } from 'hono/html';
import { formatDuration } from './duration.ts';
import { ActivityPart } from './parts/activity-part.tsx';
import { BrowserLane } from './parts/browser-lane.tsx';
import { DevicesPart } from './parts/devices-part.tsx';
import { LogPart } from './parts/log-part.tsx';
import { NotesPart } from './parts/notes-part.tsx';
import { PathPart } from './parts/path-part.tsx';
import { ServerLane } from './parts/server-lane.tsx';
import { SessionBar } from './parts/session-bar.tsx';
import { StartPart } from './parts/start-part.tsx';
import { StoreLane } from './parts/store-lane.tsx';
import type { PageView } from './views.ts';

/** The whole document, complete without its script. Every value in it is escaped. */
export function renderPage(view: PageView): string | Promise<string> {
  return html`<!DOCTYPE html>${<Page {...view} />}`;
}

function Page(view: PageView) {
  const { root, store, state, session, ended, refused, log, activity } = view;
  return (
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta
          name="description"
          content="A web session, shown live: what the browser carries and what the server keeps."
        />
        <title>{titleOf(view)}</title>
        <link rel="icon" type="image/svg+xml" href={`${root}assets/favicon.svg`} />
        <link rel="stylesheet" href={`${root}assets/tokens.css`} />
        <link rel="stylesheet" href={`${root}assets/demo.css`} />
        <script type="module" src={`${root}assets/live.js`}></script>
      </head>
      <body>
        <header>
          <h1>Sojourn</h1>
          <p class="lead">
            Your browser carries one opaque cookie. Everything else about you stays on the server,
            in {store.kind === 'redis' ? 'one Redis hash' : 'one record'} that expires when you stop
            using it. Here you see both sides.
          </p>
          <p id="badge" class={`badge ${badgeOf(view)}`}>
            {store.label}
            {state === 'unavailable' && ' does not answer'}
            {store.kind === 'memory' && ': sessions end when the server stops'}
          </p>
        </header>
        <div id="outage" class="outage" role="alert"></div>
        <p id="announcer" class="toast" role="status"></p>
        <main data-state={state}>
          <div data-part="notice">
            {refused && refused.field === undefined && (
              <p class="notice" role="status">
                {refused.message}
              </p>
            )}
          </div>
          {session ? <SessionBar root={root} session={session} /> : <StartPart {...view} />}
          <PathPart {...view} />
          <section class="lanes" aria-label="Both sides of your session">
            <BrowserLane {...view} />
            <Wire />
            <ServerLane {...view} />
            <Wire />
            <StoreLane {...view} />
            {log.length > 0 && <LogPart log={log} id={session?.id ?? ended?.id} />}
          </section>
          {session && (
            <div class="lists">
              <DevicesPart {...view} />
              {activity && <ActivityPart activity={activity} now={view.now} />}
            </div>
          )}
          <NotesPart {...view} />
        </main>
      </body>
    </html>
  );
}

/** Where a request travels from one lane to the next. */
function Wire() {
  return (
    <div class="wire" aria-hidden="true">
      <span></span>
    </div>
  );
}

function titleOf({ state, session, ended }: PageView): string {
  if (session) return `${formatDuration(Math.ceil(session.remainingMs / 1000))} left · Sojourn`;
  if (ended) return 'Ended · Sojourn';
  return state === 'unavailable' ? 'Unavailable · Sojourn' : 'Sojourn: a session, live';
}

/** Green only for a store that has just answered: those without a cookie ask it nothing. */
function badgeOf({ state, store }: PageView): string {
  if (state === 'unavailable') return 'away';
  if (store.kind === 'memory') return 'memory';
  return state === 'anonymous' ? 'unasked' : 'answers';
}
