import { printable } from '../../domain/printable.ts';
import { Name, sessionHref } from './layout.tsx';
import type { ConsoleJournalEntry } from './options.ts';
import { instant } from './words.ts';

/** Entries of the journal, or why they cannot be read. */
export type JournalView =
  | { readonly entries: readonly ConsoleJournalEntry[]; readonly more: boolean }
  | { readonly failed: string };

/** The events, newest first. */
export function JournalPart({
  journal,
  withIds,
}: {
  readonly journal: JournalView;
  /** Whether each entry shows its session. */
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
            : 'The journal has no entries for these sessions.'}
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
          There are older entries of this user:{' '}
          <code>sojourn journal --user USER --limit 1000</code> shows the newest 1,000.
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
      return <>Secret rotated</>;
    case 'reused':
      return <>A replaced token was used again</>;
    case 'ended':
      return <>{ends[why ?? ''] ?? `Ended: ${printable(short(why ?? 'reason unknown'))}`}</>;
    default:
      return <>{printable(short(String(event)))}</>;
  }
}

const MAX_CHARACTERS = 200;

/** A journal contains text from other parties, so each text is shortened. */
function short(text: string): string {
  return text.length > MAX_CHARACTERS ? `${text.slice(0, MAX_CHARACTERS)}…` : text;
}

const ends: Readonly<Record<string, string>> = {
  logout: 'Logged out',
  revoked: 'Revoked',
  evicted: 'Ended to make room for a newer one',
  reused: 'Ended because a replaced token was used again',
  expired: 'Expired',
};
