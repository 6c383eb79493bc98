import { printable } from '../../domain/printable.ts';
import { Name, sessionHref } from './layout.tsx';
import type { ConsoleJournalEntry } from './options.ts';
import { instant } from './words.ts';

/** What there is to tell of a user's past: entries, or why there are none to be had. */
export type JournalView =
  | { readonly entries: readonly ConsoleJournalEntry[]; readonly more: boolean }
  | { readonly failed: string };

/** What happened, newest first. */
export function JournalPart({
  journal,
  withIds,
}: {
  readonly journal: JournalView;
  /** Whether each entry says of which session it is. */
  readonly withIds: boolean;
}) {
  return (
    <section aria-labelledby="journal-heading">
      <h2 id="journal-heading">Journal</h2>
      {'failed' in journal ? (
        <p class="notice failed">The journal cannot be read: {printable(journal.failed)}</p>
      ) : journal.entries.length === 0 ? (
        <p class="hint">
          {journal.more
            ? 'None of the latest entries of this user is about this session.'
            : 'Nothing is kept of these sessions.'}
        </p>
      ) : (
        <section class="scroll" tabindex={0} aria-label="Entries of the journal">
          <table class="journal">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">What</th>
                <th scope="col">By</th>
                {withIds && <th scope="col">Session</th>}
                <th scope="col">Request</th>
              </tr>
            </thead>
            <tbody>
              {journal.entries.map((entry) => (
                <tr>
                  <th scope="row">{instant(entry.at)}</th>
                  <td>
                    <What entry={entry} />
                  </td>
                  <td>{entry.by === undefined ? '–' : <Name of={short(entry.by)} />}</td>
                  {withIds && (
                    <td>
                      <a href={sessionHref(entry.sessionId)}>
                        <code>{printable(short(entry.sessionId))}</code>
                      </a>
                    </td>
                  )}
                  <td>
                    {entry.requestId === undefined ? (
                      '–'
                    ) : (
                      <code>{printable(short(entry.requestId))}</code>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </section>
      )}
      {'more' in journal && journal.more && (
        <p class="hint">
          There are older entries of this user: <code>sojourn journal --user</code> shows them.
        </p>
      )}
    </section>
  );
}

function What({ entry: { event, why, device } }: { readonly entry: ConsoleJournalEntry }) {
  switch (event) {
    case 'started':
      return (
        <>
          Started{' '}
          {device?.label !== undefined && (
            <>
              on <Name of={short(device.label)} />{' '}
            </>
          )}
          {device?.address !== undefined && (
            <>
              from <Name of={short(device.address)} />
            </>
          )}
        </>
      );
    case 'rotated':
      return <>Its secret was replaced</>;
    case 'reused':
      return <>A token came back that a rotation had replaced</>;
    case 'ended':
      return <>{ends[why ?? ''] ?? `Ended: ${printable(short(why ?? 'nobody knows why'))}`}</>;
    default:
      return <>{printable(short(String(event)))}</>;
  }
}

const MAX_CHARACTERS = 200;

/** A journal holds what somebody put there: no text in it is worth a page. */
function short(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

const ends: Readonly<Record<string, string>> = {
  logout: 'Logged out',
  revoked: 'Ended from elsewhere',
  evicted: 'Ended to make room for a newer one',
  reused: 'Ended because a replaced token came back',
  expired: 'Ran out: nobody used it',
};
