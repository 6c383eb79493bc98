import { commandsOf, type RedisClient } from '../../redis/clients/tell-apart.ts';
import type { OldFormat } from './old-format.ts';
import { OldSessions } from './old-sessions.ts';
import { RedisOldKeys } from './redis-old-keys.ts';

/** Where connect-redis keeps its sessions, how it writes them, and how far the servers are. */
export interface FromConnectRedisOptions extends OldFormat {
  /** A client of that Redis. It may be the one that the repository has. */
  readonly client: RedisClient;
  /** As connect-redis has it. @default 'sess:' */
  readonly prefix?: string;
  /**
   * `prepare`: new sessions begin in the old place, as connect-redis writes them, and none moves. `move`: new sessions begin in
   * the repository, and one that is only in the old place moves when it is used. Every server has to run with `prepare`
   * before the first runs with `move`: connect-redis itself knows nothing of a session that has moved.
   */
  readonly phase: 'prepare' | 'move';
}

/**
 * The sessions that connect-redis has written, for the option `carryOver` of a `SojournStore`: so an application changes
 * from the one to the other while its servers run, and nobody is logged out. See docs/moving.md.
 *
 * Throws a `TypeError` for options that make no sense.
 *
 * @example
 * const store = new SojournStore({
 *   repository: new RedisSessionRepository({ client, prefix: 'web-session:' }),
 *   carryOver: fromConnectRedis({ client, prefix: 'sess:', phase: 'move' }),
 * });
 */
export function fromConnectRedis({
  client,
  prefix = 'sess:',
  phase,
  ...format
}: FromConnectRedisOptions): OldSessions {
  if (phase !== 'prepare' && phase !== 'move') {
    throw new TypeError(`phase must be 'prepare' or 'move', not ${JSON.stringify(phase)}.`);
  }
  if (typeof prefix !== 'string') throw new TypeError('prefix must be a text.');
  checkFormat(format);
  return new OldSessions(new RedisOldKeys(commandsOf(client), prefix), format, phase);
}

function checkFormat({ ttl, serializer }: OldFormat): void {
  const isTime = typeof ttl === 'function' || (typeof ttl === 'number' && ttl > 0);
  if (ttl !== undefined && !isTime) {
    throw new TypeError('ttl must be a number of seconds, or a function that answers one.');
  }
  if (serializer === undefined) return;
  for (const name of ['parse', 'stringify'] as const) {
    if (typeof serializer?.[name] === 'function') continue;
    throw new TypeError(`serializer needs a function \`${name}\`, as connect-redis has it.`);
  }
}
