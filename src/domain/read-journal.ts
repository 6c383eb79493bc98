import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import { batchesOf, Pace } from './pace.ts';
import type { SessionId } from './session-token.ts';

/** More than any journal should hold. */
const MOST_ENTRIES = 10_000;

/** Whose journal, and where it is. */
interface Reading {
  readonly journal: SessionJournal;
  readonly repository: Pick<SessionRepository, 'find'>;
  readonly user: string;
  readonly since: number | undefined;
  readonly limit: number;
  readonly now: number;
}

/**
 * The user's entries, newest first, and an end for each session that ran out: one of which there is an entry, and none of its
 * end, and that is not alive. That end stands before the last entry of its session: when it came nobody knows, only when at the
 * latest. A session may have run out since the given time though its last entry is older, so then all are read.
 */
export async function readJournal(reading: Reading): Promise<JournalEntry[]> {
  const { journal, user, since = -Infinity, limit } = reading;
  const read = since === -Infinity ? Math.min(limit, MOST_ENTRIES) : MOST_ENTRIES;
  const entries = await journal.read(user, { limit: read });
  const ranOut = await findRanOut(entries, reading);
  const told: JournalEntry[] = [];
  for (const entry of entries) {
    const end = ranOut.get(entry.sessionId);
    ranOut.delete(entry.sessionId);
    if (end !== undefined) told.push(end);
    told.push(entry);
  }
  return told.filter(({ at }) => at >= since).slice(0, limit);
}

async function findRanOut(
  entries: readonly JournalEntry[],
  { repository, user, now }: Reading,
): Promise<Map<SessionId, JournalEntry>> {
  const ended = new Set<SessionId>();
  const lastEndsAt = new Map<SessionId, number | undefined>();
  for (const { event, sessionId, endsAt } of entries) {
    if (event === 'ended') {
      ended.add(sessionId);
      lastEndsAt.delete(sessionId); // an entry before its end may have been written after it
    } else if (!ended.has(sessionId)) {
      lastEndsAt.set(sessionId, lastEndsAt.get(sessionId) ?? endsAt); // the newest comes first
    }
  }
  const pace = new Pace();
  const found = new Map<SessionId, JournalEntry>();
  for (const ids of batchesOf([...lastEndsAt.keys()])) {
    const sessions = await pace.work(() => Promise.all(ids.map((id) => repository.find(id))));
    for (const [i, sessionId] of ids.entries()) {
      if (sessions[i]?.user === user) continue;
      const at = Math.min(lastEndsAt.get(sessionId) ?? now, now);
      found.set(sessionId, { at, event: 'ended', sessionId, why: 'expired', by: 'store' });
    }
  }
  return found;
}
