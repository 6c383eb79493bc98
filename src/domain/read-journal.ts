import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import { batchesOf, Pace } from './pace.ts';
import type { SessionId } from './session-token.ts';

/** More entries than any journal should hold. */
const MOST_ENTRIES = 10_000;

/** Whose journal to read, and from where. */
interface Reading {
  readonly journal: SessionJournal;
  readonly repository: Pick<SessionRepository, 'find'>;
  readonly user: string;
  readonly since: number | undefined;
  readonly limit: number;
  readonly now: number;
}

/**
 * The user's entries, newest first, with an `ended` entry added for each session that expired: one that has entries but
 * no end, and is not alive. The added entry stands next to the last entry of its session: only the latest possible time
 * of the end is known. A session may have expired since the given instant although its last entry is older, so in that
 * case all entries are read.
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
      lastEndsAt.set(sessionId, lastEndsAt.get(sessionId) ?? endsAt); // newest first
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
