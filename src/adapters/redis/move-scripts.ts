import { SAME_CLOCK_MS } from '../../domain/session-record.ts';
import type { RedisScript } from './clients/redis-commands.ts';
import { check, clock, load, loadOr, proof, session, slide } from './scripts.ts';

/*
 * Where memory is full, Redis refuses a script whose first write may take memory, and no later write of it. Only `adopt`
 * is refused, and only where it would write a new copy: then the freeze is taken back. Every other script frees first
 * what it replaces, so that a move that has begun can be finished or taken back.
 */

/** Adds to `load` how many times the session had been frozen when this claim was made. */
const freezes = `
local function freezes_of(claim)
  return tonumber(string.match(claim or '', '^(%d+)-') or '0')
end
`;

/**
 * ARGV[1]: the hash of the presented secret, or '' if no secret is needed. ARGV[2]: the instant to record as the last
 * access, or '' not to slide. ARGV[3]: as ARGV[3] of `access`. ARGV[4]: 1 to leave a session in use unchanged; the
 * answer is 1 then. ARGV[5]: a unique text. Returns { session, Redis' time in milliseconds, the freeze }, the record
 * with the field names of a session in use, or { claim } if the session was released.
 */
const freeze = `${load}${freezes}
local released = field('session_released')
if released then return { released } end
if field('session_claim') then return 0 end -- a copy that nobody may use yet
local frozen = false
for i = 1, #flat, 2 do
  if flat[i] == 'session_frozen_secret' then
    flat[i] = 'session_secret'
    frozen = true
  elseif flat[i] == 'session_frozen_previous' then
    flat[i] = 'session_previous_secret'
  end
end
${check}
if not field('session_secret') then return 0 end
if ARGV[1] ~= '' then
  ${proof}
end
${clock}
local rest = math.huge
if deadline then rest = deadline - now end
if rest <= 0 then return 0 end
if ARGV[4] == '1' and not frozen then return 1 end
local at, left = ARGV[2], redis.call('PTTL', key)
local missing = ttl * 1000 - left
local is_young = ARGV[3] ~= '0' and missing >= 0 and missing < math.min(tonumber(ARGV[3]), ttl * 500)
if left == -1 or (at ~= '' and not is_young) then
  if at == '' then at = accessed_at end
  ${slide}
  for i = 1, #flat, 2 do
    if flat[i] == 'last_accessed_at' then flat[i + 1] = at end
  end
end
local freeze = field('session_freeze')
if not frozen or not freeze then
  freeze = string.format('%.0f', freezes_of(freeze) + 1) .. '-' .. ARGV[5]
  local previous = field('session_previous_secret')
  redis.call('HDEL', key, 'session_secret', 'session_previous_secret')
  redis.call('HSET', key, 'session_freeze', freeze, 'session_frozen_secret', field('session_secret'))
  if previous then redis.call('HSET', key, 'session_frozen_previous', previous) end
end
left = math.max(1, redis.call('PTTL', key))
return { ${session}, string.format('%.0f', now), freeze }
`;

/**
 * ARGV[1]: the claim. ARGV[2]: milliseconds left. ARGV[3]: the time of the other store's clock, to which the record's
 * instants refer. Then the record, names and values in turn. Returns { session, claim, 1 if it was written now }, 1 for
 * another session, 0 for the mark of `end`, and 'taken' for anything else that has the key.
 */
const adopt = `${loadOr("'taken'")}${freezes}
local function is_session()
  ${check}
  return (field('session_secret') or field('session_frozen_secret')) and 1 or 0
end
local before = field('session_claim')
if before and freezes_of(before) >= freezes_of(ARGV[1]) then
  local left = math.max(1, redis.call('PTTL', key))
  return { ${session}, before }
end
local exists = #flat > 0
if exists and not before and not field('session_released') then
  if field('session_ended') then return 0 end
  return is_session() == 1 and 1 or 'taken'
end
${clock}
local shift = now - tonumber(ARGV[3])
if math.abs(shift) < ${SAME_CLOCK_MS} then shift = 0 end
flat = { 'session_claim', ARGV[1] }
for i = 4, #ARGV, 2 do
  local name, value = ARGV[i], ARGV[i + 1]
  if name == 'session_deadline' or name == 'session_previous_until' or name == 'session_replaced_until' then
    if value ~= '0' and string.find(value, '^%d+$') then value = string.format('%.0f', tonumber(value) + shift) end
  end
  if name == 'session_secret' then name = 'session_frozen_secret' end
  if name == 'session_previous_secret' then name = 'session_frozen_previous' end
  flat[#flat + 1] = name
  flat[#flat + 1] = value
end
if exists then redis.call('DEL', key) end
for i = 1, #flat, 1000 do redis.call('HSET', key, unpack(flat, i, math.min(i + 999, #flat))) end
local left = tonumber(ARGV[2])
redis.call('PEXPIRE', key, ARGV[2])
return { ${session}, ARGV[1], 1 }
`;

/**
 * ARGV[1]: the claim. Returns 1, or 0 if the session is not released to that claim. What remains keeps the session's
 * expiry.
 */
const release = `${load}
local released = field('session_released')
if released then return released == ARGV[1] and 1 or 0 end
if not field('session_frozen_secret') or field('session_freeze') ~= string.match(ARGV[1], '^[^.]*') then return 0 end
local names = {}
for i = 1, #flat, 2 do
  if flat[i] ~= 'session_freeze' then names[#names + 1] = flat[i] end -- an empty key would lose its expiry
end
for i = 1, #names, 1000 do redis.call('HDEL', key, unpack(names, i, math.min(i + 999, #names))) end
redis.call('HSET', key, 'session_released', ARGV[1])
redis.call('HDEL', key, 'session_freeze')
return 1
`;

/** Reopens a frozen session. */
const open = `
local previous = field('session_frozen_previous')
redis.call('HDEL', key, 'session_claim', 'session_frozen_previous')
redis.call('HSET', key, 'session_secret', field('session_frozen_secret'))
if previous then redis.call('HSET', key, 'session_previous_secret', previous) end
redis.call('HDEL', key, 'session_frozen_secret')
return 1
`;

/** ARGV[1]: the claim. Returns 1 if the copy can be used from now on. */
const thaw = `${load}
if field('session_claim') ~= ARGV[1] then return 0 end
${open}`;

/**
 * ARGV[1]: the claim. The name of the freeze stays, so that the next one is different. Returns 1 if the session can be
 * used from now on.
 */
const unfreeze = `${load}
if not field('session_frozen_secret') or field('session_freeze') ~= string.match(ARGV[1], '^[^.]*') then return 0 end
${open}`;

/** ARGV[1]: the claim. */
const discard = `${load}
if field('session_claim') == ARGV[1] or field('session_released') == ARGV[1] then redis.call('DEL', key) end
return 1
`;

/**
 * KEYS[1]: a user's index. ARGV: the id; the place for it, or the next that is free; until when to keep the index, by
 * Redis' clock, or ''.
 */
const enter = `
local key, id, place, keep_until = KEYS[1], ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
if not redis.call('ZSCORE', key, id) then
  redis.call('ZREM', key, id) -- removes nothing: a first write that a full Redis accepts
  local text = string.format('%.0f', place)
  while #redis.call('ZRANGE', key, text, text, 'BYSCORE', 'LIMIT', '0', '1') > 0 do
    place = place + 1
    text = string.format('%.0f', place)
  end
  redis.call('ZADD', key, text, id)
end
${clock}
local keep = math.max(redis.call('PTTL', key), 1, (keep_until or 0) - now)
redis.call('PEXPIRE', key, string.format('%.0f', keep))
return 1
`;

const now = `${clock}
return string.format('%.0f', now)
`;

/** The scripts with the names that they are registered with. */
export const moveScripts = {
  freeze: { name: 'sojournFreeze', lua: freeze },
  adopt: { name: 'sojournAdopt', lua: adopt },
  release: { name: 'sojournRelease', lua: release },
  thaw: { name: 'sojournThaw', lua: thaw },
  unfreeze: { name: 'sojournUnfreeze', lua: unfreeze },
  discard: { name: 'sojournDiscard', lua: discard },
  enter: { name: 'sojournIndexEnter', lua: enter },
  now: { name: 'sojournNow', lua: now },
} as const satisfies Record<string, RedisScript>;
