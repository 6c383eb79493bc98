import type { Session } from '../../domain/session.ts';
import { remainingSeconds } from '../../domain/session.ts';
import { JournalPart, type JournalView } from './journal-part.tsx';
import { Find, Name, sessionHref, userHref } from './layout.tsx';
import { duration, instant } from './words.ts';

/** A page of a user's sessions, and the user's journal. */
export interface UserView {
  readonly user: string;
  readonly sessions: readonly Session[];
  /** Where this page began; `undefined` for the first one. */
  readonly after: string | undefined;
  readonly next: string | undefined;
  readonly journal: JournalView | undefined;
}

export function UserPage({ user, sessions, after, next, journal }: UserView) {
  const isAll = after === undefined && next === undefined;
  return (
    <>
      <Find />
      <section aria-labelledby="sessions-heading">
        <h2 id="sessions-heading">Sessions</h2>
        {sessions.length === 0 ? (
          <p class="hint">{after === undefined ? 'No live sessions.' : 'No further sessions.'}</p>
        ) : (
          <p class="hint">
            {isAll ? `${sessions.length} alive` : `${sessions.length} on this page`}, oldest first.
          </p>
        )}
        <ul class="sessions">
          {sessions.map((session) => (
            <li>
              <div>
                <strong>
                  <Name of={session.device.label ?? 'Unknown device'} />
                </strong>
                <a href={sessionHref(session.id)}>
                  <code>{session.id}</code>
                </a>
                <p class="hint">
                  started {instant(session.createdAt)}, last used {instant(session.lastAccessedAt)},
                  ends in {duration(remainingSeconds(session))} unless it is used
                </p>
              </div>
              <EndSession id={session.id} />
            </li>
          ))}
        </ul>
        {!isAll && (
          <nav class="pages" aria-label="Pages of sessions">
            {after !== undefined && <a href={userHref(user)}>First page</a>}
            {next !== undefined && <a href={userHref(user, { after: next })}>Next page</a>}
          </nav>
        )}
        {(sessions.length > 0 || after !== undefined) && (
          <details class="danger">
            <summary>End all sessions of this user…</summary>
            <form method="post" action="./end-user">
              <p>This logs the user out on every device. A login that is under way is ended too.</p>
              <input type="hidden" name="user" value={encodeURIComponent(user)} />
              <button class="danger" type="submit">
                End all sessions of <Name of={user} />
              </button>
            </form>
          </details>
        )}
      </section>
      {journal && <JournalPart journal={journal} withIds />}
    </>
  );
}

/** The form that ends one session. */
export function EndSession({ id }: { readonly id: string }) {
  return (
    <form method="post" action="./end">
      <input type="hidden" name="id" value={id} />
      <button class="danger" type="submit">
        End<span class="visually-hidden"> session {id}</span>
      </button>
    </form>
  );
}
