import type { RedisScript } from '../../redis/clients/redis-commands.ts';

/**
 * One Lua script for each step on a key that connect-redis has written: a string, with the session as JSON. A frozen one is
 * a hash with the text in it, and a released one a hash with the claim: plain connect-redis, which should not run any more
 * by then, fails at both (WRONGTYPE) and does not take them for a session that has ended.
 *
 * KEYS[1] is the key. Unless its header says otherwise, a script answers 0 where there is nothing to act on, before it has
 * changed anything. Where memory is full Redis refuses a script's first write if that takes memory, and none after it; so
 * what replaces a key removes it first.
 */
const load = `
local key = KEYS[1]
local kind = redis.call('TYPE', key).ok
`;

/** `now` in milliseconds since 1970, by Redis' clock. */
const clock = `
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
`;

/** Answers { text, PTTL, 1 if it is frozen }. */
const read = `${load}
if kind == 'string' then return { redis.call('GET', key), redis.call('PTTL', key), 0 } end
local text = kind == 'hash' and redis.call('HGET', key, 'session_text')
if not text then return 0 end
return { text, redis.call('PTTL', key), 1 }
`;

/**
 * For tools: answers { PTTL, the seconds for which nobody has read or written it, or -1 where Redis does not tell }, and of
 * what was frozen -1; 1 for what a release has left. It does not count as a use.
 */
const look = `${load}
local idle = -1
if kind == 'string' then
  local seconds = redis.pcall('OBJECT', 'IDLETIME', key)
  if type(seconds) == 'number' then idle = seconds end
elseif kind ~= 'hash' then
  return 0
elseif redis.call('HEXISTS', key, 'session_text') == 0 then
  return redis.call('HEXISTS', key, 'session_released')
end
return { redis.call('PTTL', key), idle }
`;

/** ARGV[1]: the text. ARGV[2]: milliseconds until it ends, or ''. Answers 1. */
const create = `${load}
if kind ~= 'none' then return 0 end
if ARGV[2] == '' then redis.call('SET', key, ARGV[1]) else redis.call('SET', key, ARGV[1], 'PX', ARGV[2]) end
return 1
`;

/** ARGV[1]: what it has to hold. ARGV[2], ARGV[3]: as ARGV[1] and ARGV[2] of `create`. Answers 1, or -1 where it holds something else. */
const replace = `${load}
if kind ~= 'string' then return 0 end
if redis.call('GET', key) ~= ARGV[1] then return -1 end
if ARGV[3] == '' then redis.call('SET', key, ARGV[2]) else redis.call('SET', key, ARGV[2], 'PX', ARGV[3]) end
return 1
`;

/** ARGV[1]: milliseconds. Answers 1. */
const expire = `${load}
if kind ~= 'string' then return 0 end
redis.call('PEXPIRE', key, ARGV[1])
return 1
`;

/** Also removes what a release has left, which is answered with 0. Answers 1 where it was in use, 2 where it was frozen. */
const remove = `${load}
if kind == 'string' then
  redis.call('DEL', key)
  return 1
end
if kind ~= 'hash' then return 0 end
if redis.call('HEXISTS', key, 'session_text') == 1 then
  redis.call('DEL', key)
  return 2
end
if redis.call('HEXISTS', key, 'session_released') == 1 then redis.call('DEL', key) end
return 0
`;

/**
 * ARGV[1]: 1 to leave one in use as it is, which is answered with 1. ARGV[2]: a text that nobody repeats. Answers { text, PTTL,
 * Redis' clock, the freeze }, or { claim } where it was released. Freezes are told apart by the clock, as a string has no
 * place for a number. After a clock that stepped back, a copy of an earlier freeze may stand in the way of a later one: it
 * is kept, its release fails, and the session moves once that copy has been discarded.
 */
const freeze = `${load}${clock}
if kind == 'string' then
  if ARGV[1] == '1' then return 1 end
  local text, left, freeze = redis.call('GET', key), redis.call('PTTL', key), now .. '-' .. ARGV[2]
  redis.call('DEL', key)
  redis.call('HSET', key, 'session_text', text, 'session_freeze', freeze)
  if left >= 0 then redis.call('PEXPIRE', key, math.max(1, left)) end
  return { text, left, now, freeze }
end
if kind ~= 'hash' then return 0 end
local released = redis.call('HGET', key, 'session_released')
if released then return { released } end
local text, freeze = redis.call('HGET', key, 'session_text'), redis.call('HGET', key, 'session_freeze')
if not text or not freeze then return 0 end
return { text, redis.call('PTTL', key), now, freeze }
`;

/** ARGV[1]: the freeze. ARGV[2]: milliseconds that it lasts at least from now on. Answers 1 where that is its freeze. */
const keep = `${load}
if kind ~= 'hash' or redis.call('HGET', key, 'session_freeze') ~= ARGV[1] then return 0 end
local left = redis.call('PTTL', key)
if left >= 0 and left < tonumber(ARGV[2]) then redis.call('PEXPIRE', key, ARGV[2]) end
return 1
`;

/** ARGV[1]: the claim. What stays keeps the expiry, or gets one of 400 days, which is as long as a session can idle. Answers 1. */
const release = `${load}
if kind ~= 'hash' then return 0 end
local released = redis.call('HGET', key, 'session_released')
if released then return released == ARGV[1] and 1 or 0 end
if redis.call('HGET', key, 'session_freeze') ~= string.match(ARGV[1], '^[^.]*') then return 0 end
redis.call('HDEL', key, 'session_text')
redis.call('HSET', key, 'session_released', ARGV[1])
redis.call('HDEL', key, 'session_freeze') -- last, as an empty key would lose its expiry
if redis.call('PTTL', key) == -1 then redis.call('EXPIRE', key, ${400 * 24 * 3600}) end
return 1
`;

/** ARGV[1]: the claim. Answers 1. */
const unfreeze = `${load}
if kind ~= 'hash' then return 0 end
if redis.call('HGET', key, 'session_freeze') ~= string.match(ARGV[1], '^[^.]*') then return 0 end
local text, left = redis.call('HGET', key, 'session_text'), redis.call('PTTL', key)
redis.call('DEL', key)
redis.call('SET', key, text)
if left >= 0 then redis.call('PEXPIRE', key, math.max(1, left)) end
return 1
`;

/** ARGV[1]: the claim. Answers 1. */
const discard = `${load}
if kind ~= 'hash' or redis.call('HGET', key, 'session_released') ~= ARGV[1] then return 0 end
redis.call('DEL', key)
return 1
`;

const now = `${clock}
return now
`;

/** Each under the name that it is registered with. */
export const oldKeyScripts = {
  read: { name: 'sojournOldRead', lua: read },
  look: { name: 'sojournOldLook', lua: look },
  create: { name: 'sojournOldCreate', lua: create },
  replace: { name: 'sojournOldReplace', lua: replace },
  expire: { name: 'sojournOldExpire', lua: expire },
  remove: { name: 'sojournOldRemove', lua: remove },
  freeze: { name: 'sojournOldFreeze', lua: freeze },
  keep: { name: 'sojournOldKeep', lua: keep },
  release: { name: 'sojournOldRelease', lua: release },
  unfreeze: { name: 'sojournOldUnfreeze', lua: unfreeze },
  discard: { name: 'sojournOldDiscard', lua: discard },
  now: { name: 'sojournOldNow', lua: now },
} as const satisfies Record<string, RedisScript>;
