import type { SessionData } from 'express-session';
import { StoreUnavailableError } from '../../../domain/errors.ts';
import { formatInstant, type Session } from '../../../domain/session.ts';
import { exceededLimit } from '../../../domain/session-fields.ts';
import type { Credential, SessionId } from '../../../domain/session-token.ts';
import type { Clock } from '../../../ports/clock.ts';
import type { MovableRepository, SessionMoves } from '../../../ports/session-moves.ts';
import type {
  Access,
  Durability,
  Durable,
  Ended,
  FieldChange,
  LimitRefusal,
  NewSession,
  TtlChange,
} from '../../../ports/session-repository.ts';
import type { UserIndex } from '../../../ports/user-index.ts';
import { cookieOf, decodeForeign, encodeForeign, keyOf } from '../foreign-session.ts';
import { type OldFormat, oldTtl, parseOld, stringifyOld } from './old-format.ts';
import type { OldKeys, OldText } from './old-keys.ts';
import { OldSessionMoves } from './old-session-moves.ts';

/** For how long to change a text anew that another server has changed meanwhile. */
const LONGEST_MS = 2000;

/** So many attempts follow each other at once. Then each server waits, all the longer the more of them there are. */
const ATTEMPTS_AT_ONCE = 5;
const LONGEST_PAUSE_MS = 50;

/** What the sessions of an old store have in common, and what they shall be where they move to. */
export interface OldRules {
  readonly keys: OldKeys;
  readonly format: OldFormat;
  readonly clock: Clock;
  readonly userOf: (session: SessionData) => string | undefined;
  /** Seconds from the move on. */
  readonly lifetime: number | undefined;
}

interface Found {
  readonly session: Session;
  readonly text: string;
  readonly data: Record<string, unknown>;
}

/**
 * A repository of one session: that of a session id of express-session, in the place of another store. Servers that use
 * this change it key by key, as they do in a place of Sojourn's; the others write the session as a whole.
 *
 * It has no index, and of the verbs only those that express-session has a use for.
 */
export class OldSession implements MovableRepository {
  readonly users: UserIndex = nobodysIndex;
  readonly moves: SessionMoves;
  readonly #sid: string;
  readonly #credential: Credential;
  readonly #rules: OldRules;

  constructor(sid: string, credential: Credential, rules: OldRules) {
    this.#sid = sid;
    this.#credential = credential;
    this.#rules = rules;
    this.moves = new OldSessionMoves(sid, credential, rules);
  }

  async create({ fields, ttl, at }: NewSession): Promise<Session | undefined> {
    const { keys, format, clock } = this.#rules;
    const data = decodeForeign(Object.fromEntries(fields), clock.now() + ttl * 1000);
    const endsInMs = this.#endsInMs(
      typeof format.ttl === 'function' ? oldTtl(data, format, clock.now()) : ttl,
    );
    const created = await keys.create(this.#sid, stringifyOld(data, format), endsInMs);
    return created ? this.#toSession(Object.fromEntries(fields), ttl, ttl * 1000, at) : undefined;
  }

  async read(): Promise<Session | undefined> {
    return (await this.#inUse())?.session;
  }

  async find(id: SessionId): Promise<Session | undefined> {
    if (id !== this.#credential.id) return undefined;
    const found = await this.#rules.keys.read(this.#sid);
    return found && (await this.#found(found))?.session;
  }

  async access(_by: Credential, { refreshAfterMs }: Access): Promise<Session | undefined> {
    const { keys, format } = this.#rules;
    const session = (await this.#inUse())?.session;
    if (session === undefined || format.disableTouch || format.disableTTL) return session;
    const wholeMs = session.ttl * 1000;
    const missingMs = wholeMs - session.remainingMs;
    if (missingMs > 0 && missingMs < Math.min(refreshAfterMs, wholeMs / 2)) return session;
    if (!(await keys.expire(this.#sid, wholeMs))) return undefined;
    return { ...session, remainingMs: wholeMs };
  }

  async update(
    _by: Credential,
    { set, unset, limits }: FieldChange,
  ): Promise<true | LimitRefusal | undefined> {
    const { keys, format, clock } = this.#rules;
    const endsAt = performance.now() + LONGEST_MS;
    for (let attempt = 1; attempt === 1 || performance.now() < endsAt; attempt += 1) {
      if (attempt > ATTEMPTS_AT_ONCE) await pause(attempt - ATTEMPTS_AT_ONCE);
      const found = await this.#inUse();
      if (found === undefined) return undefined;
      const { data, text } = found;
      for (const name of unset) delete data[keyOf(name)];
      Object.assign(data, decodeForeign(Object.fromEntries(set), clock.now()));
      const exceeded = set.size > 0 ? exceededLimit(encodeForeign(data), limits) : undefined;
      if (exceeded !== undefined) return exceeded;
      const cookie = cookieOf(data);
      if (typeof cookie?.originalMaxAge === 'number') {
        cookie.expires = new Date(clock.now() + cookie.originalMaxAge); // which connect-redis takes the idle timeout from
      }
      const ttl = oldTtl(data, format, clock.now());
      const next = stringifyOld(data, format);
      const written = await keys.replace(this.#sid, text, next, this.#endsInMs(ttl));
      if (written !== 'changed') return written;
    }
    throw new StoreUnavailableError('refused');
  }

  async setTtl(_by: Credential, { ttl }: TtlChange): Promise<true | undefined> {
    const { keys, format } = this.#rules;
    const asksSession = format.disableTTL || typeof format.ttl === 'function';
    const session = asksSession ? (await this.#inUse())?.session : undefined;
    if (asksSession && session === undefined) return undefined;
    if (format.disableTTL) return true;
    const seconds = session?.ttl ?? ttl;
    return (await keys.expire(this.#sid, seconds * 1000)) || undefined;
  }

  delete(): Promise<Ended | undefined> {
    return this.end(this.#credential.id);
  }

  async end(id: SessionId): Promise<Ended | undefined> {
    if (id !== this.#credential.id) return undefined;
    const removed = await this.#rules.keys.remove(this.#sid);
    if (removed === undefined) return undefined;
    return { user: undefined, ...(removed === 'frozen' && { frozen: true as const }) };
  }

  /** Nobody waits for replicas here. */
  async durably<T>(
    _durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>> {
    return { answer: await act(this), durable: false };
  }

  increment = unknownVerb;
  replace = unknownVerb;
  take = unknownVerb;
  rotate = unknownVerb;

  async #inUse(): Promise<Found | undefined> {
    const found = await this.#rules.keys.read(this.#sid);
    return found === undefined || found.frozen ? undefined : this.#found(found);
  }

  async #found({ text, remainingMs }: OldText): Promise<Found | undefined> {
    const { format, clock } = this.#rules;
    const data = await parseOld(text, format);
    if (data === undefined) return undefined;
    const fields = Object.fromEntries(encodeForeign(data));
    const ttl = oldTtl(data, format, clock.now());
    const at = formatInstant(clock.now());
    return { text, data, session: this.#toSession(fields, ttl, remainingMs ?? ttl * 1000, at) };
  }

  #toSession(
    fields: Readonly<Record<string, string>>,
    ttl: number,
    remainingMs: number,
    at: string,
  ): Session {
    return {
      ...{ id: this.#credential.id, fields, ttl, remainingMs, createdAt: at, lastAccessedAt: at },
      ...{ user: undefined, authenticatedAt: undefined, endsAt: undefined },
      ...{ persistent: false, device: {} },
    };
  }

  #endsInMs(ttl: number): number | undefined {
    return this.#rules.format.disableTTL ? undefined : ttl * 1000;
  }
}

const nobodysIndex: UserIndex = {
  add: async () => ({ place: 0, sample: [] }),
  list: async () => [],
  remove: async () => {},
};

/** Of a random length, for servers not to meet again. */
function pause(longestMs: number): Promise<void> {
  const ms = Math.random() * Math.min(longestMs, LONGEST_PAUSE_MS);
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

async function unknownVerb(): Promise<never> {
  throw new Error('A session of express-session has no such verb.');
}
