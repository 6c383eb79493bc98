import { type Session as ExpressSession, type SessionData, Store } from 'express-session';
import { halfWay, SessionError, StoreUnavailableError } from '../../domain/errors.ts';
import { observedRepository } from '../../domain/observed-repository.ts';
import { batchesOf, Pace, type PaceOptions } from '../../domain/pace.ts';
import type { Session } from '../../domain/session.ts';
import { SessionHistory, type SessionHistoryOptions } from '../../domain/session-history.ts';
import { createPolicy, type SessionPolicyOptions } from '../../domain/session-policy.ts';
import { type Credential, deriveCredential, type SessionId } from '../../domain/session-token.ts';
import { UserSessions } from '../../domain/user-sessions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import type { SessionRepository } from '../../ports/session-repository.ts';
import { nodeSecrets } from '../node/node-secrets.ts';
import { systemClock } from '../node/system-clock.ts';
import { type Answer, answer, type Done } from './answer.ts';
import { moveOldSessions, type OldMoveProgress } from './carry-over/move-old-sessions.ts';
import type { OldSessions, SessionsOnTheirWay } from './carry-over/old-sessions.ts';
import { checkOptions } from './check-options.ts';
import { DestroyedIds } from './destroyed-ids.ts';
import { cookieOf, type ForeignSession } from './foreign-session.ts';
import { LoadedSessions, withoutMark } from './loaded-sessions.ts';
import {
  decodeSession,
  endSession,
  type Place,
  StoredSession,
  type StoreRules,
} from './stored-session.ts';

/**
 * Where the store keeps its sessions, and the rules they live by. `fullSpeed` is about `all`, `length` and `clear`, which
 * leave the store to others for two thirds of the time by default.
 */
export interface SojournStoreOptions extends PaceOptions, SessionHistoryOptions {
  /** Where the sessions live. Give it a prefix of its own. */
  readonly repository: SessionRepository;
  /**
   * The ids of all sessions in the repository, in pages, as `scanSessions` of `sojourn/redis` gives them. Without it `all`,
   * `length` and `clear` fail.
   */
  readonly scan?: () => AsyncIterable<readonly SessionId[]>;
  /**
   * Whose session it is, for `list` and `deleteAll` of a `SessionService` on the same repository: with Passport,
   * `(session) => session.passport?.user`. It is asked while the request that began the session is busy with it, so call
   * `regenerate` at every login (OWASP ASVS 7.2.4).
   */
  readonly userOf?: (session: SessionData) => string | undefined;
  /**
   * Sessions of another store to carry over while servers of both run: `fromConnectRedis`. Until the move is finished, a
   * session in the old place is a user's in no list: `userOf` is asked when it moves.
   */
  readonly carryOver?: OldSessions;
  /**
   * `ttl`, in seconds, is for cookies that end with the browser; any other session idles as long as its cookie. Defaults as
   * this ecosystem is used to: `ttl` 86400 (a day), `maxTtl` 400 days, no `lifetime`, values as large as the session.
   * `maxSessions` counts the sessions of which `userOf` tells a user.
   */
  readonly policy?: Pick<
    SessionPolicyOptions,
    'ttl' | 'maxTtl' | 'lifetime' | 'refreshAfter' | 'limits' | 'maxSessions' | 'atMaxSessions'
  >;
  readonly clock?: Clock;
  readonly secrets?: Secrets;
}

const DAY_SECONDS = 24 * 3600;

/**
 * Sojourn's sessions for express-session, and so for NestJS, and for @fastify/session: a store for their `store` option. Each
 * top-level key of the session is a field of its own. A request writes the keys that it changed, and no others; of
 * two that changed the same key the last one wins.
 *
 * A session that was destroyed, or ran out, while a request was busy with it stays so: what the request saves then is
 * dropped, without an error. The session id, which opens the session, is never stored; only hashes of it are.
 *
 * Each method answers by callback, asynchronously and once, and by a promise. Both get a `StoreUnavailableError` (with `status`
 * 503, which the frameworks answer) where the store fails, and a `SessionError` where a session passes a limit, JSON cannot
 * hold it, or its cookie's `maxAge` is no number; a session that is not there is no error. No promise has to be looked at:
 * one that is rejected unseen does no harm.
 */
export class SojournStore extends Store {
  readonly #place: Place;
  readonly #placeOf: (sid: string, credential: Credential) => Place;
  readonly #old: SessionsOnTheirWay | undefined;
  readonly #rules: StoreRules;
  readonly #scan: (() => AsyncIterable<readonly SessionId[]>) | undefined;
  readonly #secrets: Secrets;
  readonly #paceOptions: PaceOptions;
  readonly #saving = new WeakMap<object, Promise<unknown>>();

  /** Throws a `TypeError` for options that it cannot work with, and a `SessionError` (`invalid_policy`) for such a policy. */
  constructor(options: SojournStoreOptions) {
    super();
    checkOptions(options);
    const { repository, scan, userOf = () => undefined, policy, observer, carryOver } = options;
    const { clock = systemClock, secrets = nodeSecrets, fullSpeed } = options;
    this.#scan = scan;
    this.#paceOptions = { fullSpeed };
    this.#secrets = secrets;
    this.#rules = {
      ...{ userOf, clock, loaded: new LoadedSessions(), destroyed: new DestroyedIds() },
      policy: createPolicy({
        ttl: DAY_SECONDS,
        maxTtl: 400 * DAY_SECONDS,
        lifetime: undefined,
        ...policy,
        limits: { maxValueBytes: policy?.limits?.maxTotalBytes ?? 32 * 1024, ...policy?.limits },
      }),
    };
    const history = new SessionHistory(clock, options);
    const placeFor = (repository: SessionRepository): Place => {
      const observed = observedRepository(repository, observer);
      const users = new UserSessions(observed, clock, this.#rules.policy, history);
      return { repository: observed, users };
    };
    this.#place = placeFor(repository);
    const { lifetime } = this.#rules.policy;
    const old = carryOver?.onTheWayTo(repository as MovableRepository, { clock, userOf, lifetime }); // `checkOptions` has looked
    this.#old = old;
    this.#placeOf = old
      ? (sid, credential) => placeFor(old.of(sid, credential).repository)
      : () => this.#place;
  }

  /** The id by which Sojourn knows the session of a framework's session id. Unlike that one it opens nothing and may be shown. */
  idOf(sid: string): SessionId {
    return deriveCredential(sid, this.#secrets).id;
  }

  /** The session, by a pure read, in the type that the caller's framework has for it; `null` if there is none. */
  get<Loaded = SessionData>(sid: string, callback?: Answer<Loaded | null>): Promise<Loaded | null> {
    return answer(this.#load(sid) as Promise<Loaded | null>, callback);
  }

  /** Writes what changed since this object was loaded or saved, and slides. A session that is new comes into being here. */
  set(sid: string, session: SessionData, callback?: Done): Promise<void> {
    return answer(this.#save(sid, session), callback);
  }

  /** Slides the expiry, and records a cookie whose options changed. */
  override touch(sid: string, session: SessionData, callback?: Done): Promise<void> {
    return answer(this.#touch(sid, session), callback);
  }

  /**
   * Ends the session. No request that still holds it brings it back: in no process if it was stored, and in this process, for a
   * minute, if it was not stored yet.
   */
  destroy(sid: string, callback?: Done): Promise<void> {
    return answer(this.#destroy(sid), callback);
  }

  /**
   * Every session, each with its Sojourn id as `id`. For tools: it reads them all. One that cannot be read, because somebody
   * else wrote into it, is left out.
   */
  override all(callback?: Answer<SessionData[]>): Promise<SessionData[]> {
    return answer(this.#all(), callback);
  }

  /** How many sessions are alive, their data readable or not; good to a few, as a scan may find one twice. For tools: it reads them all. */
  override length(callback?: Answer<number>): Promise<number> {
    return answer(this.#length(), callback);
  }

  /**
   * Ends every session. Where the store fails on the way, what has ended stays so, the error's `ended` says how many these
   * are, and the next call goes on.
   */
  override clear(callback?: Done): Promise<void> {
    return answer(this.#clear(), callback);
  }

  /**
   * Moves the sessions of the old place that nobody uses, a few at a time and with rests for others, while every server
   * carries over with the phase `move`. It keeps nobody alive. Tells after each batch how far it has come. Where a store fails
   * it rejects; what has moved stays moved, and the next call goes on with the rest.
   */
  async *moveSessions(): AsyncGenerator<OldMoveProgress> {
    if (this.#old?.phase !== 'move') {
      throw new Error('Sessions only move with `carryOver`, in the phase `move`.');
    }
    yield* moveOldSessions(this.#old, this.#secrets, this.#paceOptions);
  }

  /** For express-session: makes a request's session of what `get` answered. */
  override createSession(
    request: Parameters<Store['createSession']>[0],
    data: SessionData,
  ): ExpressSession & SessionData {
    if (cookieOf(data) === undefined) {
      // Without this express-session fails with its own "Cannot read properties of undefined", which explains nothing.
      throw new TypeError(
        'Cannot read properties of the cookie: this session was stored without one. Pass `set` a session with a `cookie`, at least { originalMaxAge: null }.',
      );
    }
    const session = super.createSession(request, withoutMark(data));
    this.#rules.loaded.move(data, session);
    return session;
  }

  async #load(sid: string): Promise<ForeignSession | null> {
    return typeof sid === 'string' ? this.#session(sid).load() : null;
  }

  async #save(sid: string, session: SessionData): Promise<void> {
    if (typeof sid !== 'string') throw invalid('A session id must be text.');
    if (typeof session !== 'object' || session === null) {
      throw invalid('A session must be an object.');
    }
    const stored = this.#session(sid);
    const taken = stored.taken(session);
    return this.#inTurn(session, () => stored.save(session, taken));
  }

  /** One save of an object after the other: each writes what differs from what the one before it wrote. */
  #inTurn(session: object, save: () => Promise<void>): Promise<void> {
    const before = this.#saving.get(session);
    const saved = before === undefined ? save() : before.then(save, save);
    this.#saving.set(session, saved);
    const done = () => {
      if (this.#saving.get(session) === saved) this.#saving.delete(session);
    };
    saved.then(done, done);
    return saved;
  }

  async #touch(sid: string, session: SessionData): Promise<void> {
    if (typeof sid === 'string') await this.#session(sid).touch(session);
  }

  async #destroy(sid: string): Promise<void> {
    if (typeof sid === 'string') await this.#session(sid).destroy();
  }

  async #all(): Promise<SessionData[]> {
    const sessions = new Map<SessionId, SessionData>(); // a scan may find one twice
    for await (const found of this.#batches((listed) => this.#data(listed))) {
      for (const session of found) {
        if (session !== undefined) sessions.set(session.id, session.data);
      }
    }
    return [...sessions.values()];
  }

  async #length(): Promise<number> {
    let alive = 0;
    for await (const found of this.#batches(isAlive)) alive += found.filter(Boolean).length;
    return alive;
  }

  /** `undefined` also for a session that nobody can read: one that is damaged must not hide all others. */
  async #data({ id, find }: Listed): Promise<{ id: SessionId; data: SessionData } | undefined> {
    try {
      const session = await find();
      if (session === undefined) return undefined;
      const data = decodeSession(session, this.#rules.clock) as SessionData;
      return { id, data: { ...data, ...{ id } } };
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.failure !== 'other') throw error;
      return undefined;
    }
  }

  async #clear(): Promise<void> {
    let ended = 0;
    const end = async ({ id, place }: Listed) => {
      if (await endSession(place(), id, 'revoked')) ended += 1;
    };
    try {
      for await (const _ of this.#batches(end));
    } catch (error) {
      throw halfWay(error, ended);
    }
  }

  /** Does that with each session that there is, a batch after the other. */
  async *#batches<T>(act: (listed: Listed) => Promise<T>): AsyncGenerator<T[]> {
    const pace = new Pace(this.#paceOptions);
    for await (const page of this.#pages()) {
      for (const some of batchesOf(page)) {
        yield await pace.work(async () => {
          const answers = await Promise.allSettled(some.map(act)); // all of them have their outcome then
          return Promise.all(answers.map(outcomeOf));
        });
      }
    }
  }

  /** Those in an old place first, which may move meanwhile. */
  async *#pages(): AsyncGenerator<readonly Listed[]> {
    if (this.#scan === undefined) {
      throw new Error('SojournStore needs the option `scan` to go through all sessions.');
    }
    for await (const page of this.#old?.sids(this.#paceOptions) ?? []) {
      yield [...new Set(page)].map((sid) => this.#listedOld(sid));
    }
    for await (const page of this.#scan()) {
      const find = (id: SessionId) => () => this.#place.repository.find(id);
      yield [...new Set(page)].map((id) => ({ id, find: find(id), place: () => this.#place }));
    }
  }

  #listedOld(sid: string): Listed {
    const credential = deriveCredential(sid, this.#secrets);
    const { id } = credential;
    const find = async () => this.#old?.of(sid, credential).from.find(id);
    return { id, find, place: () => this.#placeOf(sid, credential) };
  }

  #session(sid: string): StoredSession {
    const credential = deriveCredential(sid, this.#secrets);
    return new StoredSession(sid, credential, this.#placeOf(sid, credential), this.#rules);
  }
}

/** A session that a scan has found, in the place where it did. */
interface Listed {
  readonly id: SessionId;
  readonly find: () => Promise<Session | undefined>;
  readonly place: () => Place;
}

/** One that cannot be read counts. */
async function isAlive({ find }: Listed): Promise<boolean> {
  try {
    return (await find()) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError) throw error;
    return true;
  }
}

async function outcomeOf<T>(answer: PromiseSettledResult<T>): Promise<T> {
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

function invalid(message: string): SessionError {
  return new SessionError('invalid_value', message);
}
