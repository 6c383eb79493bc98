import { MAX_SECONDS } from '../../domain/session-policy.ts';

/**
 * One Lua script per operation, each on one key. So a session is in one hash slot, and an operation is one atomic step:
 * Redis runs a script to its end before it serves anybody else, so whatever a script found still holds when it acts.
 *
 * The scripts run on Redis 6.2 and later (Lua 5.1) and under ioredis-mock (Lua 5.3, no cjson): numbers are converted to
 * text by string.format, never by tostring. They have no `#!lua` line, because Redis refuses scripts with one when its
 * memory is full, and users must be able to log out then.
 *
 * KEYS[1] is the session. Unless its comment says otherwise, a script returns 0 if there is no session to act on, and a
 * refusal's code as a string; in both cases nothing has been changed.
 */

/**
 * Ends the script with this answer if the key is not a hash. Afterwards `flat` contains its fields as HGETALL returns
 * them, none if there is no key, and `field` returns the value of one field.
 */
export const loadOr = (answer: string) => `
local key = KEYS[1]
local flat = redis.pcall('HGETALL', key)
if flat.err then
  if string.find(flat.err, 'WRONGTYPE', 1, true) then return ${answer} end
  return flat
end

-- Sojourn's own were written first and are found first.
local function field(name)
  for i = 1, #flat, 2 do
    if flat[i] == name then return flat[i + 1] end
  end
  return nil
end
`;

export const load = loadOr('0');

/**
 * Adds to `load`: ends the script with 0 unless the key holds a session. Its expiry need not be checked, because Redis
 * shows no expired key. Afterwards `ttl` is the idle timeout in seconds, `deadline` the end of the lifetime or nil,
 * `accessed_place` the position of the last access in `flat`, and `previous_until` the end of the replaced secret's
 * grace. Each number must be plain decimal digits in range, or the hash is not a session: other forms that tonumber
 * accepts (nan, inf, 0x10) fail in comparisons, never end, or make PEXPIRE fail.
 */
export const check = `
local ttl, deadline, accessed_at, accessed_place, created_at, current_secret, previous_until
for i = 1, #flat, 2 do
  local name = flat[i]
  if name == 'session_ttl' then ttl = flat[i + 1]
  elseif name == 'session_deadline' then deadline = flat[i + 1]
  elseif name == 'session_secret' then current_secret = flat[i + 1]
  elseif name == 'session_previous_until' then previous_until = flat[i + 1]
  elseif name == 'last_accessed_at' then accessed_place, accessed_at = i + 1, flat[i + 1]
  elseif name == 'created_at' then created_at = true
  end
end
if not ttl or not accessed_at or not created_at then return 0 end
local find = string.find
if not find(ttl, '^[1-9]%d*$') then return 0 end
ttl = tonumber(ttl)
if ttl > ${MAX_SECONDS} then return 0 end
if deadline then
  if not find(deadline, '^[1-9]%d*$') then return 0 end
  deadline = tonumber(deadline)
  if deadline > ${Number.MAX_SAFE_INTEGER} then return 0 end
end
if previous_until then
  if previous_until ~= '0' and not find(previous_until, '^[1-9]%d*$') then return 0 end
  previous_until = tonumber(previous_until)
  if previous_until > ${Number.MAX_SAFE_INTEGER} then return 0 end
end
`;

const find = `${load}${check}`;

/**
 * The answer of scripts that read: `left`, and the fields. With cjson the fields are one string, which is cheaper than
 * a list.
 */
export const session = 'left, cjson and cjson.encode(flat) or flat';

/** Adds to `find`, for scripts that only read: `left` is the number of milliseconds until the key expires. */
const look = `
local left = redis.call('PTTL', key)
if left == -1 then return 0 end -- by another hand: a session always has an end
left = math.max(1, left) -- in its last millisecond 0 are left
`;

/** `now` is the time in milliseconds since 1970, by Redis' clock. */
export const clock = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
`;

/**
 * Adds to `find`, for all scripts that need a token. ARGV[1]: the hash of the presented secret. ARGV[2]: the instant to
 * record as the last access. Ends the script with 0 unless this secret opens the session, and with 'reused' if it did
 * before one of the last rotations and its grace is over. Afterwards `superseded` is true if the secret is the replaced
 * one, within its grace.
 */
export const proof = `
local secret, at = ARGV[1], ARGV[2]
local superseded = current_secret ~= secret
if superseded then
  ${clock}
  if field('session_previous_secret') ~= secret then
    -- Of those before it the beginnings are kept, and one instant at which the graces of all are over.
    local replaced, beginning = field('session_replaced') or '', string.sub(secret, 1, 8)
    if now < (tonumber(field('session_replaced_until')) or 0) then return 0 end
    for i = 1, #replaced, 8 do
      if string.sub(replaced, i, i + 7) == beginning then return 'reused' end
    end
    return 0
  end
  if now >= (previous_until or 0) then return 'reused' end
end
`;

const open = `${find}${proof}`;

/**
 * Adds to `open`, for all scripts that slide: `rest` is the number of milliseconds until the lifetime ends. Ends the
 * script with 0 if it has ended.
 */
const use = `
local rest = math.huge
if deadline then
  ${clock}
  rest = deadline - now
  if rest <= 0 then return 0 end
end
`;

/**
 * Slides. Afterwards `left` is the number of milliseconds left. The expiry is set first, and the other write may fail:
 * with its memory full, Redis refuses HSET, and reading must still work.
 */
export const slide = `
local left = math.min(ttl * 1000, rest)
redis.call('PEXPIRE', key, string.format('%.0f', left))
if accessed_at ~= at then redis.pcall('HSET', key, 'last_accessed_at', at) end
`;

/**
 * Adds to `use`: the fields by name in `hash`, and a function that returns the code of the limit that the application's
 * fields exceed, or nil.
 */
const limits = `
local hash = {}
for i = 1, #flat, 2 do hash[flat[i]] = flat[i + 1] end

local function exceeded(max_fields, max_total_bytes)
  local count, bytes = 0, 0
  for name, value in pairs(hash) do
    if name ~= 'created_at' and name ~= 'last_accessed_at' and string.sub(name, 1, 8) ~= 'session_' then
      count = count + 1
      bytes = bytes + #name + #value
    end
  end
  if count > tonumber(max_fields) then return 'too_many_fields' end
  if bytes > tonumber(max_total_bytes) then return 'too_large' end
end
`;

/**
 * ARGV: idle timeout in seconds; lifetime in seconds or ''; then the fields, names and values in turn. Returns 0 if the
 * key exists, whatever it holds, 'evicted' if it is the mark of an eviction, otherwise { milliseconds left, deadline or
 * '' }.
 */
const create = `
local key, ttl, lifetime = KEYS[1], tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('EXISTS', key) == 1 then
  local mark = redis.pcall('HGETALL', key)
  if mark[1] == 'session_ended' and mark[2] == 'evicted' then return 'evicted' end
  return 0
end
local left, deadline = ttl * 1000, ''
if lifetime then
  local time = redis.call('TIME')
  deadline = string.format('%.0f', (time[1] + lifetime) * 1000 + math.floor(time[2] / 1000))
  left = math.min(left, lifetime * 1000)
  redis.call('HSET', key, 'session_deadline', deadline, unpack(ARGV, 3))
else
  redis.call('HSET', key, unpack(ARGV, 3))
end
redis.call('PEXPIRE', key, string.format('%.0f', left))
return { string.format('%.0f', left), deadline }
`;

/** Returns { session }. */
const read = `${open}${look}
return { ${session} }
`;

/**
 * ARGV[3]: the session is not slid if the last slide is less than this many milliseconds ago, or half the ttl if that
 * is less. The difference between the ttl and the time left is at least the time since the last slide; it is more if
 * the lifetime limited that slide. The session is always slid if the key has no expiry or more than the whole ttl left,
 * because of another program or a clock that was set back. ARGV[4]: set on a connection that Redis tracks with NOLOOP.
 * Redis does not report the connection's own slide to it, but the slide ends the tracking of the key for everybody, so
 * the script reads the key again to renew it. Returns { session } as it is afterwards, followed by 1 if it was slid.
 */
const access = `${open}
if ARGV[3] ~= '0' then
  local left = redis.call('PTTL', key)
  local missing = ttl * 1000 - left
  if left ~= -1 and missing >= 0 and missing < math.min(tonumber(ARGV[3]), ttl * 500) then
    left = math.max(1, left)
    return { ${session} }
  end
end
${use}
${slide}
if ARGV[4] then redis.call('EXISTS', key) end
flat[accessed_place] = at
return { ${session}, 1 }
`;

/**
 * ARGV[3], ARGV[4]: limits. ARGV[5]: how many of the following arguments are fields to set, names and values in turn;
 * the rest are names to remove. Returns 1.
 */
const update = `${open}${use}${limits}
local last = 5 + tonumber(ARGV[5])
local set, unset = {}, {}
for i = 6, last, 2 do
  set[#set + 1] = ARGV[i]
  set[#set + 1] = ARGV[i + 1]
  hash[ARGV[i]] = ARGV[i + 1]
end
for i = last + 1, #ARGV do
  unset[#unset + 1] = ARGV[i]
  hash[ARGV[i]] = nil
end
if #set > 0 then
  local refused = exceeded(ARGV[3], ARGV[4])
  if refused then return refused end
  redis.call('HSET', key, unpack(set))
end
-- Lua's stack holds 8,000 values. What is set is within the limits by now, and those that a policy allows are far below.
for i = 1, #unset, 1000 do redis.call('HDEL', key, unpack(unset, i, math.min(i + 999, #unset))) end
${slide}
return 1
`;

/** ARGV[3], ARGV[4]: limits. ARGV[5]: the field. ARGV[6]: the step. Returns { the sum as a string }. */
const increment = `${open}${use}${limits}
local field, max = ARGV[5], 9007199254740991
local current = hash[field] or '0'
if current ~= '0' and not string.find(current, '^%-?[1-9]%d*$') then return 'not_an_integer' end
local number = tonumber(current)
if number > max or number < -max then return 'out_of_range' end
local sum = number + tonumber(ARGV[6])
if sum > max or sum < -max then return 'out_of_range' end
hash[field] = string.format('%.0f', sum)
local refused = exceeded(ARGV[3], ARGV[4])
if refused then return refused end
redis.call('HSET', key, field, hash[field])
${slide}
return { hash[field] }
`;

/**
 * ARGV[3], ARGV[4]: limits. ARGV[5]: the field. ARGV[6], ARGV[7]: 1 and the expected value, or 0 and '' if the field
 * should be missing. ARGV[8], ARGV[9]: the same for the new value. Returns 1, or -1 if the field held something else.
 */
const replace = `${open}${use}${limits}
local field = ARGV[5]
local expected, next
if ARGV[6] == '1' then expected = ARGV[7] end
if ARGV[8] == '1' then next = ARGV[9] end
if hash[field] ~= expected then return -1 end
hash[field] = next
if next then
  local refused = exceeded(ARGV[3], ARGV[4])
  if refused then return refused end
  redis.call('HSET', key, field, next)
elseif expected then
  redis.call('HDEL', key, field)
end
${slide}
return 1
`;

/** ARGV[3]: the field. Returns { its value }, or {} if it was missing. */
const take = `${open}${use}
local value = field(ARGV[3])
if value then redis.call('HDEL', key, ARGV[3]) end
${slide}
return { value }
`;

/** ARGV[3]: the new idle timeout in seconds. Returns 1. */
const setTtl = `${open}${use}
redis.call('HSET', key, 'session_ttl', ARGV[3])
ttl = tonumber(ARGV[3])
${slide}
return 1
`;

/**
 * ARGV[3]: the hash of the next secret. ARGV[4]: the grace of the replaced one in milliseconds. ARGV[5]: 1 if the user
 * has authenticated again, otherwise 0; ARGV[6] is then the new lifetime in seconds or ''. Returns { the user }, {} for
 * a session without one, or -1 if another rotation was first.
 */
const rotate = `${open}${use}
if superseded then return -1 end
${clock}
-- Without a grace it is 0, whatever the clock says: one that steps back must not open what is closed.
local grace, previous_until = tonumber(ARGV[4]), 0
if grace > 0 then previous_until = now + grace end
local set = {
  'session_secret', ARGV[3],
  'session_previous_secret', secret,
  'session_previous_until', string.format('%.0f', previous_until),
}
local previous = field('session_previous_secret')
if previous then
  set[#set + 1] = 'session_replaced'
  set[#set + 1] = string.sub(string.sub(previous, 1, 8) .. (field('session_replaced') or ''), 1, 64)
  local previous_until = field('session_previous_until')
  if (tonumber(previous_until) or 0) > (tonumber(field('session_replaced_until')) or now) then
    set[#set + 1] = 'session_replaced_until'
    set[#set + 1] = previous_until
  end
end
if ARGV[5] == '1' then
  set[#set + 1] = 'session_authenticated_at'
  set[#set + 1] = at
  rest = math.huge
  if ARGV[6] ~= '' then
    rest = tonumber(ARGV[6]) * 1000
    set[#set + 1] = 'session_deadline'
    set[#set + 1] = string.format('%.0f', now + rest)
  end
end
redis.call('HSET', key, unpack(set))
if rest == math.huge then redis.call('HDEL', key, 'session_deadline') end
${slide}
return { field('session_user') }
`;

/** Returns { the user }, or {} for a session without one. */
const remove = `${open}
redis.call('DEL', key)
return { field('session_user') }
`;

/** Returns { session }. Needs only the id. */
const findById = `${find}${look}
return { ${session} }
`;

/**
 * Ends the session with this id, even if it is frozen, and removes what a session that moved has left. ARGV[1]:
 * milliseconds for which no session can be created with the id if there is none: a mark takes its place, which `create`
 * finds. ARGV[2]: the text of the mark, 'revoked' or 'evicted'; an existing 'revoked' stays. Returns { the user }, or
 * {} for a session without one, with 1 in front if it was frozen. A record that Sojourn wrote but that was damaged
 * since, recognisable by the hash of a secret, is ended like a session, because nothing else would end it. A copy that is
 * not in use yet leaves the mark for as long as it would have lasted, so that no other copy takes its place.
 */
const end = `${load}
if field('session_released') then
  redis.call('DEL', key)
  flat = {}
end
if ARGV[1] ~= '0' and (#flat == 0 or field('session_ended')) then
  -- Where memory is full the mark is refused, and so is the session.
  if field('session_ended') ~= 'revoked' then redis.pcall('HSET', key, 'session_ended', ARGV[2]) end
  redis.call('PEXPIRE', key, ARGV[1])
  return 0
end
local frozen = field('session_frozen_secret')
local secret = frozen or field('session_secret')
if not secret or #secret ~= 43 or string.find(secret, '[^%w_-]') then
  ${check}
end
local left = field('session_claim') and redis.call('PTTL', key)
redis.call('DEL', key)
if left then
  redis.pcall('HSET', key, 'session_ended', ARGV[2])
  redis.call('PEXPIRE', key, math.max(1, left, tonumber(ARGV[1])))
end
if frozen then return { 1, field('session_user') } end
return { field('session_user') }
`;

/** The scripts with the names that they are registered with. */
export const scripts = {
  sojournCreate: create,
  sojournRead: read,
  sojournAccess: access,
  sojournUpdate: update,
  sojournIncrement: increment,
  sojournReplace: replace,
  sojournTake: take,
  sojournSetTtl: setTtl,
  sojournRotate: rotate,
  sojournDelete: remove,
  sojournFind: findById,
  sojournEnd: end,
} as const;
