import { SessionError } from '../../../domain/errors.ts';
import { Pace, type PaceOptions } from '../../../domain/pace.ts';
import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import { isWhole } from '../../../domain/whole-number.ts';
import { isTexts, notUnderstood } from '../answers.ts';
import type { RedisCommands } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';

/**
 * Redis serves nobody else while it scans a page. A key of a large key space costs it 2 µs, so a page of this size
 * delays others by a quarter of a millisecond.
 */
export const SCAN_PAGE_SIZE = 100;

/** Which sessions to scan, and how fast. */
export interface ScanOptions extends PaceOptions {
  /** A Redis client, as for `RedisSessionRepository`. */
  readonly client: RedisClient;
  /** The repository's prefix. @default 'session:' */
  readonly prefix?: string;
  /** About how many keys Redis scans for each page, while it serves nobody else. @default 100 */
  readonly pageSize?: number;
}

/**
 * Yields the ids of all sessions, page by page, from every primary of a cluster. For tools only: it scans the whole key
 * space, in small steps and with pauses for at least two thirds of the time. A session that starts or ends meanwhile may be
 * missed, an id may appear twice, and a page may be empty.
 *
 * @throws `StoreUnavailableError`, and `SessionError` (`invalid_option`) for a page size that is none.
 */
export function scanSessions({
  client,
  prefix = 'session:',
  pageSize = SCAN_PAGE_SIZE,
  fullSpeed,
}: ScanOptions): AsyncGenerator<SessionId[]> {
  checkPageSize(pageSize);
  return sessionsOf(commandsOf(client), prefix, pageSize, new Pace({ fullSpeed }));
}

async function* sessionsOf(
  commands: RedisCommands,
  prefix: string,
  pageSize: number,
  pace: Pace,
): AsyncGenerator<SessionId[]> {
  // Only hashes: a user's index is not one.
  for await (const rests of scan(commands, prefix, 'hash', pageSize, pace)) {
    yield rests.flatMap((rest) => parseSessionId(rest) ?? []);
  }
}

/**
 * The users that have an index, scanned in the same way. The index outlives sessions that expire, but not longer than
 * their lifetime.
 */
export function scanUsers({
  client,
  prefix = 'session:',
  pageSize = SCAN_PAGE_SIZE,
  fullSpeed,
}: ScanOptions): AsyncGenerator<string[]> {
  checkPageSize(pageSize);
  return scan(commandsOf(client), `${prefix}user:`, 'zset', pageSize, new Pace({ fullSpeed }));
}

function checkPageSize(pageSize: number): void {
  if (isWhole(pageSize, 1)) return;
  throw new SessionError('invalid_option', 'pageSize must be a whole number of at least 1.');
}

/** The rest of the name, after the prefix, of all keys of that type, or of any type. */
export async function* scan(
  commands: RedisCommands,
  prefix: string,
  type: 'hash' | 'zset' | undefined,
  pageSize: number,
  pace: Pace,
): AsyncGenerator<string[]> {
  const ofType = type === undefined ? [] : ['TYPE', type];
  const match = `${prefix.replace(/[\\?*[\]]/g, '\\$&')}*`;
  for (const primary of await commands.primaries()) {
    let cursor = '0';
    do {
      const args = [cursor, 'MATCH', match, 'COUNT', pageSize, ...ofType];
      const answer = await pace.work(() => primary.command('SCAN', args));
      const [next, keys] = Array.isArray(answer) ? answer : [];
      if (typeof next !== 'string' || !isTexts(keys)) throw notUnderstood(answer);
      cursor = next;
      yield keys.map((key) => key.slice(prefix.length));
    } while (cursor !== '0');
  }
}
