import { Pace, type PaceOptions } from '../../../domain/pace.ts';
import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import { isTexts, notUnderstood } from '../answers.ts';
import type { RedisCommands } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';

/** Which sessions to walk through, and how fast. */
export interface ScanOptions extends PaceOptions {
  readonly client: RedisClient;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  /** About how many keys Redis looks at for each page. Default 1000. */
  readonly pageSize?: number;
}

/**
 * The ids of all sessions, page by page, on every master of a cluster. For tools only: it walks through the whole key
 * space, though never for long at a time, and leaves Redis to others for two thirds of the time. A session that comes or goes meanwhile may be missed, and an id may come
 * twice. A page may be empty.
 */
export function scanSessions({
  client,
  prefix = 'session:',
  pageSize = 1000,
  fullSpeed,
}: ScanOptions): AsyncGenerator<SessionId[]> {
  return sessionsOf(commandsOf(client), prefix, pageSize, new Pace({ fullSpeed }));
}

async function* sessionsOf(
  commands: RedisCommands,
  prefix: string,
  pageSize: number,
  pace: Pace,
): AsyncGenerator<SessionId[]> {
  // Only hashes: a user's index is none.
  for await (const rests of scan(commands, prefix, 'hash', pageSize, pace)) {
    yield rests.flatMap((rest) => parseSessionId(rest) ?? []);
  }
}

/**
 * The users that have an index, in the same way. Where sessions ran out by themselves it outlives them, by their lifetime
 * at most.
 */
export function scanUsers({
  client,
  prefix = 'session:',
  pageSize = 1000,
  fullSpeed,
}: ScanOptions): AsyncGenerator<string[]> {
  return scan(commandsOf(client), `${prefix}user:`, 'zset', pageSize, new Pace({ fullSpeed }));
}

/** What stands behind the prefix in the names of all keys of that type, or of any. */
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
