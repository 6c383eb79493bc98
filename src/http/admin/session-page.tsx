import { printable } from '../../domain/printable.ts';
import { remainingSeconds, type Session } from '../../domain/session.ts';
import { JournalPart, type JournalView } from './journal-part.tsx';
import { Find, Name, userHref } from './layout.tsx';
import { EndSession } from './user-page.tsx';
import { duration, instant } from './words.ts';

/** One session. The values of the application's fields are hidden unless they were asked for. */
export interface SessionPageView {
  readonly session: Session;
  readonly key: string | undefined;
  readonly showsValues: boolean;
  readonly journal: JournalView | undefined;
}

export function SessionPage({ session, key, showsValues, journal }: SessionPageView) {
  const { id, user, device, fields } = session;
  const names = Object.keys(fields);
  return (
    <>
      <Find />
      <section aria-labelledby="session-heading">
        <h2 id="session-heading">Details</h2>
        <dl class="facts">
          <Fact term="User">
            {user === undefined ? (
              'none: the session was started without a user'
            ) : (
              <a href={userHref(user)}>
                <Name of={user} />
              </a>
            )}
          </Fact>
          <Fact term="Started">{instant(session.createdAt)}</Fact>
          <Fact term="Last used">{instant(session.lastAccessedAt)}</Fact>
          <Fact term="Time left if unused">{duration(remainingSeconds(session))}</Fact>
          <Fact term="Idle timeout">{duration(session.ttl)}</Fact>
          <Fact term="End of lifetime">
            {session.endsAt === undefined ? 'never' : instant(session.endsAt)}
          </Fact>
          <Fact term="Remembered">{session.persistent ? 'yes' : 'no'}</Fact>
          {session.authenticatedAt !== undefined && (
            <Fact term="Authenticated">{instant(session.authenticatedAt)}</Fact>
          )}
          <Fact term="Device">
            {device.label === undefined ? 'unknown' : <Name of={device.label} />}
          </Fact>
          {device.address !== undefined && (
            <Fact term="Address">
              <Name of={device.address} />
            </Fact>
          )}
          {key !== undefined && (
            <Fact term="Key">
              <code>{printable(key)}</code>
            </Fact>
          )}
        </dl>
        <EndSession id={id} />
      </section>
      <section aria-labelledby="fields-heading">
        <h2 id="fields-heading">Application fields</h2>
        {names.length === 0 && <p class="hint">No fields.</p>}
        {names.length > 0 && (
          <section class="scroll" tabindex={0} aria-label="Fields of the session">
            <table class="fields">
              <thead>
                <tr>
                  <th scope="col">Field</th>
                  <th scope="col">Value</th>
                </tr>
              </thead>
              <tbody>
                {names.map((name) => (
                  <tr>
                    <th scope="row">
                      <Name of={name} />
                    </th>
                    <td>{showsValues ? <Name of={fields[name] ?? ''} /> : <em>hidden</em>}</td>
                  </tr>
                ))}
              </tbody>
            </table>
          </section>
        )}
        {names.length > 0 && !showsValues && (
          <form method="post" action="./values">
            <input type="hidden" name="id" value={id} />
            <button type="submit">Show the values</button>
            <span class="hint"> The audit log records this.</span>
          </form>
        )}
      </section>
      {journal && <JournalPart journal={journal} withIds={false} />}
    </>
  );
}

function Fact({ term, children }: { readonly term: string; readonly children?: unknown }) {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}
