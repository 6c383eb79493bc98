import type { SessionId } from '../../domain/session-token.ts';
import type { IndexEntry, NewIndexEntry, UserIndex } from '../../ports/user-index.ts';
import { isTexts, notUnderstood } from './answers.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';

/**
 * KEYS[1]: the user's sorted set, ids by the milliseconds since 1970 at which they were entered, by Redis' clock; the
 * newest is always strictly last. ARGV: id, milliseconds to keep the set, limit or '', 1 to refuse beyond it.
 * Answers 0 if it refused, else the ids that are over the limit, oldest first.
 */
const add = `
local key, id, keep, max = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local over = 0
if max then over = redis.call('ZCARD', key) + 1 - max end
if over > 0 and ARGV[4] == '1' then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local newest = redis.call('ZREVRANGE', key, '0', '0', 'WITHSCORES')
if newest[2] then now = math.max(now, newest[2] + 1) end
local left = redis.call('PTTL', key)
redis.call('ZADD', key, string.format('%.0f', now), id)
redis.call('PEXPIRE', key, string.format('%.0f', math.max(left, keep)))
if over <= 0 then return {} end
return redis.call('ZRANGE', key, '0', string.format('%.0f', over - 1))
`;

/**
 * KEYS[1]: the user's sorted set. ARGV[1]: the rank to begin with, '0' or counted from the newest. Answers ids and their
 * ages in milliseconds in turn, oldest first.
 */
const list = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local entries = redis.call('ZRANGE', KEYS[1], ARGV[1], '-1', 'WITHSCORES')
for i = 2, #entries, 2 do
  entries[i] = string.format('%.0f', now - entries[i])
end
return entries
`;

export const indexScripts = { sojournIndexAdd: add, sojournIndexList: list } as const;

const addScript: RedisScript = { name: 'sojournIndexAdd', lua: add };
const listScript: RedisScript = { name: 'sojournIndexList', lua: list };

/** Users' sessions in Redis: a sorted set for each user at `<prefix>user:<user>`. */
export class RedisUserIndex implements UserIndex {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #onKey: (key: string) => void;

  /** `onKey` hears of every key that is asked about. */
  constructor(commands: RedisCommands, prefix: string, onKey: (key: string) => void) {
    this.#commands = commands;
    this.#prefix = `${prefix}user:`;
    this.#onKey = onKey;
  }

  async add({
    user,
    id,
    keepMs,
    limit,
  }: NewIndexEntry): Promise<{ readonly over: readonly SessionId[] } | undefined> {
    const args = [id, keepMs, limit?.max ?? '', limit?.refuse ? 1 : 0];
    const answer = await this.#commands.script(addScript, this.#key(user), args);
    if (answer === 0) return undefined;
    if (!isTexts<SessionId>(answer)) throw notUnderstood(answer);
    return { over: answer };
  }

  async list(
    user: string,
    { newest = 0 }: { readonly newest?: number } = {},
  ): Promise<readonly IndexEntry[]> {
    const answer = await this.#commands.script(listScript, this.#key(user), [String(-newest)]);
    if (!isTexts(answer)) throw notUnderstood(answer);
    const entries: IndexEntry[] = [];
    for (let i = 0; i + 1 < answer.length; i += 2) {
      entries.push({ id: answer[i] as SessionId, ageMs: Number(answer[i + 1]) });
    }
    return entries;
  }

  async remove(user: string, ids: readonly SessionId[]): Promise<void> {
    if (ids.length > 0) await this.#commands.command('ZREM', this.#key(user), ids);
  }

  #key(user: string): string {
    const key = this.#prefix + user;
    this.#onKey(key);
    return key;
  }
}
