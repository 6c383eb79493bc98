import { type Session as ExpressSession, type SessionData, Store } from 'express-session';
import { halfWay, SessionError, StoreUnavailableError } from '../../domain/errors.ts';
import { observedRepository } from '../../domain/observed-repository.ts';
import { batchesOf, Pace, type PaceOptions } from '../../domain/pace.ts';
import { formatInstant, type Session } from '../../domain/session.ts';
import {
  checkFields,
  checkUser,
  exceededAlone,
  exceededLimit,
} from '../../domain/session-fields.ts';
import { SessionHistory, type SessionHistoryOptions } from '../../domain/session-history.ts';
import {
  checkTtl,
  createPolicy,
  type SessionPolicy,
  type SessionPolicyOptions,
} from '../../domain/session-policy.ts';
import { type Credential, deriveCredential, type SessionId } from '../../domain/session-token.ts';
import { UserSessions } from '../../domain/user-sessions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Secrets } from '../../ports/secrets.ts';
import type { EndReason } from '../../ports/session-observer.ts';
import type {
  Absent,
  LimitRefusal,
  NewSession,
  SessionRepository,
} from '../../ports/session-repository.ts';
import { nodeSecrets } from '../node/node-secrets.ts';
import { systemClock } from '../node/system-clock.ts';
import { checkOptions } from './check-options.ts';
import { DestroyedIds } from './destroyed-ids.ts';
import {
  cookieOf,
  decodeForeign,
  encodeCookie,
  encodeForeign,
  type ForeignSession,
  idleTimeout,
  withIdleTimeoutOf,
} from './foreign-session.ts';
import { type LoadedFields, LoadedSessions, withoutMark } from './loaded-sessions.ts';

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

type Done = (error?: unknown) => void;
type Answer<T> = (error: unknown, value?: T) => void;

/** What a session begins with. */
type Begun = Pick<NewSession, 'fields' | 'ttl' | 'user'>;

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
  readonly #repository: SessionRepository;
  readonly #scan: (() => AsyncIterable<readonly SessionId[]>) | undefined;
  readonly #userOf: (session: SessionData) => string | undefined;
  readonly #policy: SessionPolicy;
  readonly #users: UserSessions;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #paceOptions: PaceOptions;
  readonly #loaded = new LoadedSessions();
  readonly #destroyed = new DestroyedIds();
  readonly #saving = new WeakMap<object, Promise<unknown>>();

  /** Throws a `TypeError` for options that it cannot work with, and a `SessionError` (`invalid_policy`) for such a policy. */
  constructor(options: SojournStoreOptions) {
    super();
    checkOptions(options);
    const { repository, scan, userOf = () => undefined, policy, observer } = options;
    const { clock = systemClock, secrets = nodeSecrets, fullSpeed } = options;
    this.#repository = observedRepository(repository, observer);
    this.#scan = scan;
    this.#paceOptions = { fullSpeed };
    this.#userOf = userOf;
    this.#policy = createPolicy({
      ttl: DAY_SECONDS,
      maxTtl: 400 * DAY_SECONDS,
      lifetime: undefined,
      ...policy,
      limits: { maxValueBytes: policy?.limits?.maxTotalBytes ?? 32 * 1024, ...policy?.limits },
    });
    const history = new SessionHistory(clock, options);
    this.#users = new UserSessions(this.#repository, clock, this.#policy, history);
    this.#clock = clock;
    this.#secrets = secrets;
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
    this.#loaded.move(data, session);
    return session;
  }

  async #load(sid: string): Promise<ForeignSession | null> {
    if (typeof sid !== 'string') return null;
    const answer = await this.#repository.read(this.#credential(sid));
    if (typeof answer !== 'object') return null;
    const { fields, ttl } = answer;
    return this.#loaded.marked(this.#decode(answer), { sid, fields, ttl, ownerless: false });
  }

  async #save(sid: string, session: SessionData): Promise<void> {
    if (typeof sid !== 'string') throw invalid('A session id must be text.');
    if (typeof session !== 'object' || session === null) {
      throw invalid('A session must be an object.');
    }
    const ttl = this.#ttl(session);
    const fields = this.#encode(session); // now, as it is: while it waits the application may go on with it
    return this.#inTurn(session, async () => {
      if (ttl < 1) await this.#end(this.idOf(sid), 'logout');
      else await this.#store(sid, session, { fields, ttl });
    });
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

  async #store(
    sid: string,
    session: SessionData,
    { fields, ttl }: Pick<Begun, 'fields' | 'ttl'>,
  ): Promise<void> {
    const credential = this.#credential(sid);
    const loaded = this.#loaded.of(session, sid);
    let ownerless = loaded?.ownerless ?? true;
    const user = ownerless ? this.#userOf(session) : undefined;
    if (loaded === undefined) ownerless = await this.#begin(credential, { fields, ttl, user });
    else if (user === undefined) await this.#write(credential, { fields, ttl }, loaded);
    else await this.#claim(credential, { fields, ttl, user });
    ownerless &&= user === undefined;
    this.#loaded.remember(session, { sid, fields: Object.fromEntries(fields), ttl, ownerless });
  }

  /** False if there was one already, which then holds what this one does. */
  async #begin(credential: Credential, session: Begun): Promise<boolean> {
    if (await this.#create(credential, session)) return true;
    const found = await this.#repository.read(credential);
    if (typeof found === 'object') await this.#write(credential, session, found);
    return false;
  }

  /**
   * Begins the session anew, with its user. `regenerate` of @fastify/session stores a session before the application can
   * say whose it is, and before the browser has its id.
   */
  async #claim(credential: Credential, session: Begun): Promise<void> {
    if (await this.#end(credential.id, 'revoked')) await this.#create(credential, session);
  }

  /** False if the id is taken by a session, or was destroyed before it was stored. */
  async #create(credential: Credential, session: Begun): Promise<boolean> {
    const user = session.user === undefined ? undefined : checkUser(session.user);
    const exceeded = exceededLimit(session.fields, this.#policy.limits);
    if (exceeded !== undefined) throw limitError(exceeded);
    const { lifetime } = this.#policy;
    if (this.#isDestroyed(credential.id)) return false;
    const created = await this.#users.create({
      ...{ ...session, credential, user, lifetime, device: {}, persistent: false },
      at: this.#now(),
    });
    if (created === undefined) return false;
    // It may have been destroyed while its user was entered, and a client with several connections may end it too early.
    if (this.#isDestroyed(credential.id)) await this.#end(credential.id, 'logout');
    return true;
  }

  /** Writes the difference, and only it. A session that has ended stays so. */
  async #write(
    credential: Credential,
    { fields, ttl }: Pick<Begun, 'fields' | 'ttl'>,
    before: Pick<LoadedFields, 'fields' | 'ttl'>,
  ): Promise<void> {
    const { limits } = this.#policy;
    const set = new Map([...fields].filter(([name, text]) => before.fields[name] !== text));
    const unset = Object.keys(before.fields).filter((name) => !fields.has(name));
    const at = this.#now();
    const exceeded = exceededAlone(set, limits);
    if (exceeded !== undefined) throw limitError(exceeded);
    const answer = await this.#repository.update(credential, { set, unset, limits, at });
    if (answer === 'too_many_fields' || answer === 'too_large') throw limitError(answer);
    if (answer === true && ttl !== before.ttl)
      await this.#repository.setTtl(credential, { ttl, at });
  }

  async #touch(sid: string, session: SessionData): Promise<void> {
    if (typeof sid !== 'string') return;
    const ttl = this.#ttl(session);
    if (ttl < 1) {
      await this.#end(this.idOf(sid), 'logout');
      return;
    }
    const loaded = this.#loaded.of(session, sid);
    if (loaded === undefined) return this.#touchUnseen(sid, session, ttl);
    const cookie = encodeCookie(session);
    if (loaded.ttl === ttl && loaded.fields.cookie === cookie) {
      await this.#slide(this.#credential(sid));
      return;
    }
    const fields = new Map(Object.entries(loaded.fields));
    if (cookie !== undefined) fields.set('cookie', cookie);
    await this.#write(this.#credential(sid), { fields, ttl }, loaded);
    this.#loaded.remember(session, { ...loaded, fields: Object.fromEntries(fields), ttl });
  }

  /** For an object that did not come from this store: how long the session idles is taken from it, and nothing else. */
  async #touchUnseen(sid: string, session: ForeignSession, ttl: number): Promise<void> {
    const credential = this.#credential(sid);
    const found = await this.#slide(credential);
    if (typeof found !== 'object' || cookieOf(session) === undefined) return;
    const fields = new Map(Object.entries(found.fields));
    const stored = fields.get('cookie');
    if (stored !== undefined) fields.set('cookie', withIdleTimeoutOf(session, stored));
    if (ttl !== found.ttl || fields.get('cookie') !== stored) {
      await this.#write(credential, { fields, ttl }, found);
    }
  }

  #slide(credential: Credential): Promise<Session | Absent> {
    const refreshAfterMs = this.#policy.refreshAfter * 1000;
    return this.#repository.access(credential, { at: this.#now(), refreshAfterMs });
  }

  async #destroy(sid: string): Promise<void> {
    if (typeof sid !== 'string') return;
    const id = this.idOf(sid);
    this.#destroyed.add(id, this.#clock.now()); // at once: it may be being stored
    if (await this.#end(id, 'logout')) this.#destroyed.delete(id);
  }

  #isDestroyed(id: SessionId): boolean {
    return this.#destroyed.has(id, this.#clock.now());
  }

  async #end(id: SessionId, why: EndReason): Promise<boolean> {
    const ended = await this.#repository.end(id, { unbornMs: 0 });
    const by = why === 'logout' ? 'user' : undefined;
    if (ended !== undefined) await this.#users.ended(id, ended.user, { why, by });
    return ended !== undefined;
  }

  async #all(): Promise<SessionData[]> {
    const sessions = new Map<SessionId, SessionData>(); // a scan may find one twice
    for await (const found of this.#batches((id) => this.#find(id))) {
      for (const session of found)
        if (session !== undefined) sessions.set(session.id, session.data);
    }
    return [...sessions.values()];
  }

  async #length(): Promise<number> {
    let alive = 0;
    for await (const found of this.#batches((id) => this.#repository.find(id))) {
      alive += found.filter((session) => session !== undefined).length;
    }
    return alive;
  }

  /** `undefined` also for a session that nobody can read: one that is damaged must not hide all others. */
  async #find(id: SessionId): Promise<{ id: SessionId; data: SessionData } | undefined> {
    try {
      const session = await this.#repository.find(id);
      return session && { id, data: { ...(this.#decode(session) as SessionData), ...{ id } } };
    } catch (error) {
      if (error instanceof StoreUnavailableError && error.failure !== 'other') throw error;
      return undefined;
    }
  }

  async #clear(): Promise<void> {
    let ended = 0;
    const end = async (id: SessionId) => {
      if (await this.#end(id, 'revoked')) ended += 1;
    };
    try {
      for await (const _ of this.#batches(end));
    } catch (error) {
      throw halfWay(error, ended);
    }
  }

  /** Does that with each session that there is, a batch after the other. */
  async *#batches<T>(act: (id: SessionId) => Promise<T>): AsyncGenerator<T[]> {
    if (this.#scan === undefined) {
      throw new Error('SojournStore needs the option `scan` to go through all sessions.');
    }
    const pace = new Pace(this.#paceOptions);
    for await (const page of this.#scan()) {
      for (const ids of batchesOf([...new Set(page)])) {
        yield await pace.work(async () => {
          const answers = await Promise.allSettled(ids.map(act)); // all of them have their outcome then
          return Promise.all(answers.map(outcomeOf));
        });
      }
    }
  }

  #encode(session: ForeignSession): Map<string, string> {
    const fields = encodeForeign(session);
    return checkFields(Object.fromEntries(fields), this.#policy.limits);
  }

  #decode({ fields, remainingMs }: Session): ForeignSession {
    return decodeForeign(fields, this.#clock.now() + remainingMs);
  }

  /** Seconds; 0 or less for a session that is to end now. Throws where `maxAge` or `expires` is no time, as `new Date('')` is none. */
  #ttl(session: ForeignSession): number {
    const { ttl, maxTtl } = this.#policy;
    const seconds = Math.min(idleTimeout(session, this.#clock.now()) ?? ttl, maxTtl);
    return seconds < 1 ? seconds : checkTtl(seconds, this.#policy);
  }

  #credential(sid: string): Credential {
    return deriveCredential(sid, this.#secrets);
  }

  #now(): string {
    return formatInstant(this.#clock.now());
  }
}

async function outcomeOf<T>(answer: PromiseSettledResult<T>): Promise<T> {
  if (answer.status === 'rejected') throw answer.reason;
  return answer.value;
}

function limitError(code: LimitRefusal): SessionError {
  const what = code === 'too_large' ? 'bytes' : 'fields';
  return new SessionError(code, `The session would hold too many ${what}.`);
}

function invalid(message: string): SessionError {
  return new SessionError('invalid_value', message);
}

/** Calls back in a turn of its own, so that what the callback throws is the callback's and not taken for a failure of the store. */
function answer<T>(outcome: Promise<T>, callback?: Answer<T>): Promise<T> {
  const answered = outcome.catch((error) => Promise.reject(withStatus(error)));
  answered.then(
    // A handler for both outcomes: a promise that nobody looks at must not end the process.
    (value) => queueMicrotask(() => call(() => callback?.(null, value))),
    (error) => queueMicrotask(() => call(() => callback?.(error))),
  );
  return answered;
}

let warned = false;

/**
 * An async handler of Fastify that calls `reply.send` and does not return the reply answers twice wherever a store takes
 * time. The second attempt fails in the callback, when the answer has long left: no reason to end the process.
 */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_HTTP_HEADERS_SENT')) {
      throw error;
    }
    if (warned) return;
    warned = true;
    console.warn(
      'SojournStore: a request was answered twice while its session was saved. An async handler of Fastify that calls reply.send must return the reply.',
    );
  }
}

// What Express and Fastify answer with, rather than 500.
function withStatus(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  return Object.assign(error, { status: 503, statusCode: 503 });
}
