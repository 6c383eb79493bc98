import { checkRetention, type JournalRetention } from '../../domain/journal-retention.ts';
import { parseSessionId } from '../../domain/session-token.ts';
import type { JournalEntry, JournalQuery, SessionJournal } from '../../ports/session-journal.ts';
import type { EndReason } from '../../ports/session-observer.ts';
import { isTexts, notUnderstood, toInteger } from './answers.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';
import { commandsOf, type RedisClient } from './clients/tell-apart.ts';

/**
 * KEYS[1]: the user's stream. ARGV: maximum number of entries; milliseconds to keep each, or '' to add only to an
 * existing stream and leave its expiry and other entries alone; then fields and values in turn. Returns 1, or 0 if it
 * added nothing. A key of another type makes the first command fail. A new key is created only after PEXPIRE, which has
 * no effect at first, has been permitted.
 */
const append: RedisScript = {
  name: 'sojournJournalAppend',
  lua: `
local key, max, keep = KEYS[1], ARGV[1], ARGV[2]
if keep == '' then return redis.call('XADD', key, 'NOMKSTREAM', '*', unpack(ARGV, 3)) and 1 or 0 end
local id = redis.call('XADD', key, 'NOMKSTREAM', 'MAXLEN', max, '*', unpack(ARGV, 3))
redis.call('PEXPIRE', key, keep)
if not id then
  redis.call('XADD', key, '*', unpack(ARGV, 3))
  redis.call('PEXPIRE', key, keep)
  return 1
end
local oldest = string.match(id, '^%d+') - keep
if oldest > 0 then redis.call('XTRIM', key, 'MINID', string.format('%.0f', oldest)) end
return 1
`,
};

/**
 * KEYS[1]: the user's stream. ARGV: the id to begin with, or '+'; maximum number of entries; milliseconds that an entry
 * is kept, or '' for all entries. Returns entries, newest first, like XREVRANGE. It is a script because clients return
 * that command's answer in different forms.
 */
const read: RedisScript = {
  name: 'sojournJournalRead',
  lua: `
local oldest = '-'
if ARGV[3] ~= '' then
  local time = redis.call('TIME')
  oldest = string.format('%.0f', math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - ARGV[3]))
end
return redis.call('XREVRANGE', KEYS[1], ARGV[1], oldest, 'COUNT', ARGV[2])
`,
};

/** KEYS[1]: the user's stream. Deletes it and returns how many entries it had. A key of another type stays. */
const erase: RedisScript = {
  name: 'sojournJournalErase',
  lua: `
local size = redis.call('XLEN', KEYS[1])
redis.call('DEL', KEYS[1])
return size
`,
};

/** For the trace of commands, which shows scripts by name. */
export const journalScripts = { append, read, erase };

const DEFAULT_LIMIT = 100;

/** Redis serves nobody else while it reads a page. */
const PAGE = 200;

/** Which Redis, which keys, and how much to keep of each user. */
export interface RedisJournalOptions extends JournalRetention {
  /** A Redis client, as for `RedisSessionRepository`. */
  readonly client: RedisClient;
  /** The repository's prefix. @default 'session:' */
  readonly prefix?: string;
  /**
   * For tools beside an application, which decides whether there is a journal and how long entries are kept: adds only
   * to existing journals, and leaves their expiry and other entries alone.
   * @default false
   */
  readonly onlyExisting?: boolean;
}

/**
 * Users' journals in Redis: one stream per user at `<prefix>journal:<user>`, whose expiry is renewed by each entry.
 * Adding an entry is one script on that key.
 *
 * @example
 * ```ts
 * const service = new SessionService({
 *   repository: new RedisSessionRepository({ client }),
 *   journal: new RedisJournal({ client, keepDays: 90 }),
 * });
 * ```
 */
export class RedisJournal implements SessionJournal {
  readonly #commands: RedisCommands;
  readonly #prefix: string;
  readonly #keepMs: number | '';
  readonly #maxEntries: number;

  /**
   * @throws `TypeError` for an unsupported client, and `SessionError` (`invalid_option`) for a retention that is out of
   * range.
   */
  constructor({
    client,
    prefix = 'session:',
    onlyExisting = false,
    ...retention
  }: RedisJournalOptions) {
    const { keepMs, maxEntries } = checkRetention(retention);
    this.#commands = commandsOf(client);
    this.#prefix = `${prefix}journal:`;
    this.#keepMs = onlyExisting ? '' : keepMs;
    this.#maxEntries = maxEntries;
  }

  async append(user: string, entry: JournalEntry): Promise<void> {
    const args = [this.#maxEntries, this.#keepMs, ...toFields(entry)];
    const answer = await this.#commands.script(append, this.#key(user), args);
    if (answer !== 1 && answer !== 0) throw notUnderstood(answer);
  }

  async read(
    user: string,
    { since = -Infinity, limit = DEFAULT_LIMIT }: JournalQuery = {},
  ): Promise<readonly JournalEntry[]> {
    const entries: JournalEntry[] = [];
    for (let from = '+'; ; ) {
      const answer = await this.#commands.script(read, this.#key(user), [from, PAGE, this.#keepMs]);
      if (!isPage(answer)) throw notUnderstood(answer);
      for (const [, fields] of answer) {
        const entry = toEntry(fields);
        if (entry === undefined || entry.at < since) continue;
        entries.push(entry);
        if (entries.length === limit) return entries;
      }
      const [last] = answer.at(-1) ?? [];
      if (last === undefined || answer.length < PAGE) return entries;
      from = `(${last}`;
    }
  }

  async erase(user: string): Promise<number> {
    const answer = await this.#commands.script(erase, this.#key(user), []);
    const size = toInteger(answer);
    if (size === undefined) throw notUnderstood(answer);
    return size;
  }

  #key(user: string): string {
    return this.#prefix + user;
  }
}

/** Names and values in turn, without properties that are `undefined`. */
function toFields({ device, ...entry }: JournalEntry): (string | number)[] {
  const fields: readonly (readonly [string, string | number | undefined])[] = [
    ['at', entry.at],
    ['event', entry.event],
    ['session', entry.sessionId],
    ['why', entry.why],
    ['by', entry.by],
    ['everywhere', entry.everywhere ? 1 : undefined],
    ['device', device?.label],
    ['user_agent', device?.userAgent],
    ['address', device?.address],
    ['ends_at', entry.endsAt],
    ['request', entry.requestId],
  ];
  return fields.flatMap(([name, value]) => (value === undefined ? [] : [name, value]));
}

const events = ['started', 'rotated', 'reused', 'ended'] as const;
const reasons: readonly EndReason[] = ['logout', 'revoked', 'evicted', 'reused', 'expired'];

/** The entry; `undefined` if a journal of this version cannot have written it, or an essential part is missing. */
function toEntry(fields: readonly string[]): JournalEntry | undefined {
  const says = new Map<string, string>();
  for (let i = 0; i + 1 < fields.length; i += 2) says.set(fields[i] ?? '', fields[i + 1] ?? '');
  const at = toInstant(says.get('at'));
  const event = events.find((name) => name === says.get('event'));
  const sessionId = parseSessionId(says.get('session') ?? '');
  if (at === undefined || event === undefined || sessionId === undefined) return undefined;
  const endsAt = toInstant(says.get('ends_at'));
  const why = reasons.find((reason) => reason === says.get('why'));
  const device = toDevice(says);
  return {
    ...{ at, event, sessionId },
    ...(why !== undefined && { why }),
    ...withText('by', says.get('by')),
    ...(says.get('everywhere') === '1' && { everywhere: true }),
    ...(device !== undefined && { device }),
    ...(endsAt !== undefined && { endsAt }),
    ...withText('requestId', says.get('request')),
  };
}

/** The last instant that a `Date` can represent, in milliseconds since 1970. */
const LAST_INSTANT = 8.64e15;

function toInstant(text: string | undefined): number | undefined {
  const at = toInteger(text);
  return at !== undefined && at >= 0 && at <= LAST_INSTANT ? at : undefined;
}

function toDevice(says: ReadonlyMap<string, string>): JournalEntry['device'] {
  const device = {
    ...withText('label', says.get('device')),
    ...withText('userAgent', says.get('user_agent')),
    ...withText('address', says.get('address')),
  };
  return Object.keys(device).length === 0 ? undefined : device;
}

function withText<Name extends string>(
  name: Name,
  text: string | undefined,
): { readonly [Key in Name]?: string } {
  return (text === undefined ? {} : { [name]: text }) as { readonly [Key in Name]?: string };
}

function isPage(answer: unknown): answer is (readonly [string, readonly string[]])[] {
  return (
    Array.isArray(answer) &&
    answer.every(
      (entry) => Array.isArray(entry) && typeof entry[0] === 'string' && isTexts(entry[1]),
    )
  );
}
