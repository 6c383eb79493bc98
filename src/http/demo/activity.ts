import type { SessionService } from '../../domain/session-service.ts';
import type { ActivityView } from './views.ts';

type JournalEntry = Awaited<ReturnType<SessionService['journal']>>[number];

/** Entries of the journal in words for the user whose sessions they are about. */
export function activityOf(entries: readonly JournalEntry[]): ActivityView[] {
  const devices = new Map(
    entries.flatMap(({ sessionId, device }) =>
      device?.label ? [[sessionId, device.label] as const] : [],
    ),
  );
  return entries.map((entry) => ({
    what: wordsFor(entry),
    at: entry.at,
    isLatest: entry.why === 'expired',
    device: devices.get(entry.sessionId),
  }));
}

function wordsFor({ event, why, by, everywhere }: JournalEntry): string {
  if (event === 'started') return 'Logged in';
  if (event === 'rotated') return 'Renewed';
  if (event === 'reused') return 'An old copy of the cookie was presented';
  if (why === 'logout') return 'Logged out';
  if (why === 'expired') return 'Ran out';
  if (why === 'evicted') return 'Ended for a newer session';
  if (why === 'reused') return 'Ended because an old copy of the cookie was presented';
  if (by !== undefined && by !== 'user') return 'Ended by an operator';
  return everywhere ? 'Logged out everywhere' : 'Ended from the list of sessions';
}
