import type { SessionId } from '../../domain/session-token.ts';
import type {
  Entered,
  IndexEntry,
  IndexPage,
  NewIndexEntry,
  UserIndex,
} from '../../ports/user-index.ts';
import { isTexts, notUnderstood, toInteger } from './answers.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';

/**
 * KEYS[1]: the user's sorted set of ids. The score is the time at which an id was added, in milliseconds since 1970 by
 * Redis' clock; the newest id is always strictly last. ARGV: id; milliseconds to keep the set; maximum number of
 * entries, or ''; the id that is replaced and does not count towards it, or ''; then numbers from 0 to below 1, each of
 * which selects an entry. Returns 0 if nothing was added because of the limit; otherwise a list: the score of the entry,
 * then ids, scores and ages in milliseconds of the selected entries, without the new one.
 */
const add: RedisScript = {
  name: 'sojournIndexAdd',
  lua: `
local key, id, keep, max = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local size = redis.call('ZCARD', key)
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local place = redis.call('ZSCORE', key, id)
if not place then
  if max and ARGV[4] ~= '' and redis.call('ZSCORE', key, ARGV[4]) then max = max + 1 end
  if max and size >= max then return 0 end
  place = now
  local newest = redis.call('ZRANGE', key, '-1', '-1', 'WITHSCORES')
  if newest[2] then place = math.max(place, newest[2] + 1) end
  redis.call('ZADD', key, string.format('%.0f', place), id)
  size = size + 1
end
redis.call('PEXPIRE', key, string.format('%.0f', math.max(redis.call('PTTL', key), keep)))
local answer = { string.format('%.0f', place) }
local met = { [id] = true }
for i = 5, #ARGV do
  local rank = string.format('%.0f', math.floor(ARGV[i] * size))
  local entry = redis.call('ZRANGE', key, rank, rank, 'WITHSCORES')
  if entry[1] and not met[entry[1]] then
    met[entry[1]] = true
    answer[#answer + 1] = entry[1]
    answer[#answer + 1] = entry[2]
    answer[#answer + 1] = string.format('%.0f', math.max(0, now - entry[2]))
  end
end
return { unpack(answer) } -- ioredis-mock cannot hand out a table that has grown
`,
};

/**
 * KEYS[1]: the user's sorted set. ARGV: the score to begin with, the one to end with, maximum number of entries, and
 * REV for descending order. Returns ids, scores and ages in milliseconds in turn.
 */
const list: RedisScript = {
  name: 'sojournIndexList',
  lua: `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local key, from, to, limit = KEYS[1], ARGV[1], ARGV[2], ARGV[3]
local entries
if ARGV[4] then
  entries = redis.call('ZRANGE', key, from, to, 'BYSCORE', 'REV', 'LIMIT', '0', limit, 'WITHSCORES')
else
  entries = redis.call('ZRANGE', key, from, to, 'BYSCORE', 'LIMIT', '0', limit, 'WITHSCORES')
end
local answer = {}
for i = 1, #entries, 2 do
  answer[#answer + 1] = entries[i]
  answer[#answer + 1] = entries[i + 1]
  answer[#answer + 1] = string.format('%.0f', math.max(0, now - entries[i + 1]))
end
return { unpack(answer) } -- as above
`,
};

export const indexScripts = { [add.name]: add.lua, [list.name]: list.lua };

const SAMPLE = 3;

/** Redis serves nobody else while it removes this many, and they fit into a client's arguments. */
const REMOVED_AT_ONCE = 1000;

/** The index of users' sessions in Redis: one sorted set per user at `<prefix>user:<user>`. */
export class RedisUserIndex implements UserIndex {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #onKey: (key: string) => void;

  /** @param onKey called with every key that is used */
  constructor(commands: RedisCommands, prefix: string, onKey: (key: string) => void) {
    this.#commands = commands;
    this.#prefix = `${prefix}user:`;
    this.#onKey = onKey;
  }

  async add({ user, id, keepMs, max, replaces }: NewIndexEntry): Promise<Entered | undefined> {
    const chance = Array.from({ length: SAMPLE }, () => Math.random().toFixed(9));
    const args = [id, keepMs, max ?? '', replaces ?? '', ...chance];
    const answer = await this.#commands.script(add, this.#key(user), args);
    if (answer === 0) return undefined;
    const [place, ...sample] = isTexts(answer) ? answer : [];
    const standing = toInteger(place);
    if (standing === undefined) throw notUnderstood(answer);
    return { place: standing, sample: toEntries(sample) };
  }

  async list(user: string, { from, beyond, limit }: IndexPage): Promise<readonly IndexEntry[]> {
    const after = beyond === undefined ? undefined : `(${beyond}`;
    const range =
      from === 'oldest'
        ? [after ?? '-inf', '+inf', limit]
        : [after ?? '+inf', '-inf', limit, 'REV'];
    const answer = await this.#commands.script(list, this.#key(user), range);
    if (!isTexts(answer)) throw notUnderstood(answer);
    return toEntries(answer);
  }

  async remove(user: string, ids: readonly SessionId[]): Promise<void> {
    const key = this.#key(user);
    for (let i = 0; i < ids.length; i += REMOVED_AT_ONCE) {
      await this.#commands.command('ZREM', key, ids.slice(i, i + REMOVED_AT_ONCE));
    }
  }

  #key(user: string): string {
    const key = this.#prefix + user;
    this.#onKey(key);
    return key;
  }
}

function toEntries(answer: readonly string[]): IndexEntry[] {
  const entries: IndexEntry[] = [];
  for (let i = 0; i < answer.length; i += 3) {
    const [id = '', place, age] = answer.slice(i, i + 3);
    const [standing, ageMs] = [toInteger(place), toInteger(age)];
    if (standing === undefined || ageMs === undefined) throw notUnderstood(answer);
    entries.push({ id: id as SessionId, place: standing, ageMs });
  }
  return entries;
}
