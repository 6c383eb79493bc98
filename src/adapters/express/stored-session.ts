import type { SessionData } from 'express-session';
import { SessionError } from '../../domain/errors.ts';
import { formatInstant, type Session } from '../../domain/session.ts';
import {
  checkFields,
  checkUser,
  exceededAlone,
  exceededLimit,
} from '../../domain/session-fields.ts';
import { checkTtl, type SessionPolicy } from '../../domain/session-policy.ts';
import type { Credential } from '../../domain/session-token.ts';
import type { UserSessions } from '../../domain/user-sessions.ts';
import type { Clock } from '../../ports/clock.ts';
import type { EndReason } from '../../ports/session-observer.ts';
import type {
  Absent,
  LimitRefusal,
  NewSession,
  SessionRepository,
} from '../../ports/session-repository.ts';
import type { DestroyedIds } from './destroyed-ids.ts';
import {
  cookieOf,
  decodeForeign,
  encodeCookie,
  encodeForeign,
  type ForeignSession,
  idleTimeout,
  withIdleTimeoutOf,
} from './foreign-session.ts';
import type { LoadedFields, LoadedSessions } from './loaded-sessions.ts';

/** Where a session is kept, and its user's others. */
export interface Place {
  readonly repository: SessionRepository;
  readonly users: UserSessions;
}

/** What all sessions of a store have in common. */
export interface StoreRules {
  readonly policy: SessionPolicy;
  readonly clock: Clock;
  readonly userOf: (session: SessionData) => string | undefined;
  readonly loaded: LoadedSessions;
  readonly destroyed: DestroyedIds;
}

/** What a session begins with. */
interface Begun extends Pick<NewSession, 'fields' | 'ttl'> {
  readonly user?: string | undefined;
}

/** The session of one session id of a framework, and what a store does with it. */
export class StoredSession {
  readonly #sid: string;
  readonly #credential: Credential;
  readonly #place: Place;
  readonly #rules: StoreRules;

  constructor(sid: string, credential: Credential, place: Place, rules: StoreRules) {
    this.#sid = sid;
    this.#credential = credential;
    this.#place = place;
    this.#rules = rules;
  }

  async load(): Promise<ForeignSession | null> {
    const answer = await this.#place.repository.read(this.#credential);
    if (typeof answer !== 'object') return null;
    const { fields, ttl } = answer;
    const loaded = { sid: this.#sid, fields, ttl, ownerless: false };
    return this.#rules.loaded.marked(decodeSession(answer, this.#rules.clock), loaded);
  }

  /** What is to be saved, as it is now: while it waits the application may go on with it. */
  taken(session: SessionData): Pick<Begun, 'fields' | 'ttl'> {
    const ttl = this.#ttl(session);
    const fields = encodeForeign(session);
    return { ttl, fields: checkFields(Object.fromEntries(fields), this.#rules.policy.limits) };
  }

  /** Saves what was taken of the session. */
  async save(session: SessionData, { fields, ttl }: Pick<Begun, 'fields' | 'ttl'>): Promise<void> {
    if (ttl < 1) {
      await this.end('logout');
      return;
    }
    const { loaded, userOf } = this.#rules;
    const before = loaded.of(session, this.#sid);
    let ownerless = before?.ownerless ?? true;
    const user = ownerless ? userOf(session) : undefined;
    if (before === undefined) ownerless = await this.#begin({ fields, ttl, user });
    else if (user === undefined) await this.#write({ fields, ttl }, before);
    else await this.#claim(session, { fields, ttl, user }, before);
    ownerless &&= user === undefined;
    const held = { sid: this.#sid, fields: Object.fromEntries(fields), ttl, ownerless };
    loaded.remember(session, held);
  }

  async touch(session: SessionData): Promise<void> {
    const ttl = this.#ttl(session);
    if (ttl < 1) {
      await this.end('logout');
      return;
    }
    const loaded = this.#rules.loaded.of(session, this.#sid);
    if (loaded === undefined) return this.#touchUnseen(session, ttl);
    const cookie = encodeCookie(session);
    if (loaded.ttl === ttl && loaded.fields.cookie === cookie) {
      await this.#slide();
      return;
    }
    const fields = new Map(Object.entries(loaded.fields));
    if (cookie !== undefined) fields.set('cookie', cookie);
    await this.#write({ fields, ttl }, loaded);
    const held = { ...loaded, fields: Object.fromEntries(fields), ttl };
    this.#rules.loaded.remember(session, held);
  }

  async destroy(): Promise<void> {
    const { destroyed, clock } = this.#rules;
    const { id } = this.#credential;
    destroyed.add(id, clock.now()); // at once: it may be being stored
    if (await this.end('logout')) destroyed.delete(id);
  }

  /** False if there was none. */
  async end(why: EndReason): Promise<boolean> {
    return endSession(this.#place, this.#credential.id, why);
  }

  /** False if there was one already, which then holds what this one does. */
  async #begin(session: Begun): Promise<boolean> {
    if (await this.#create(this.#checked(session))) return true;
    const found = await this.#place.repository.read(this.#credential);
    if (typeof found === 'object') await this.#write(session, found);
    return false;
  }

  /**
   * Begins the session anew, with its user. `regenerate` of @fastify/session stores a session before the application can
   * say whose it is, and before the browser has its id.
   *
   * Whatever can be refused is refused while the session is still there. It ends last, right before it begins anew with
   * all that other requests have saved by then; if it cannot begin, it is put back. No store does both as one step: a
   * process that dies between them loses the session, and if another process writes to it or ends it just then, the
   * change is lost and the end undone.
   */
  async #claim(object: SessionData, session: Begun, before: LoadedFields): Promise<void> {
    const begun = this.#checked(session);
    const found = await this.#toChange(session, before);
    if (found === undefined || found.user !== undefined) return this.#write(session, before);
    const { repository, users } = this.#place;
    const { id } = this.#credential;
    let ended: Session | undefined;
    const begin = async () => {
      const last = await this.#toChange(session, before);
      if (last === undefined || last.user !== undefined) return undefined;
      ended = last; // also if the answer of the next call is lost
      if ((await repository.end(id, { unbornMs: 0 })) === undefined) ended = undefined;
      if (ended === undefined) return undefined;
      if (this.#isDestroyed()) {
        await users.ended(id, undefined, { why: 'logout', by: 'user' });
        return undefined;
      }
      const created = await repository.create({ ...begun, fields: changed(last, session, before) });
      await users.ended(id, undefined, { why: 'revoked', by: undefined });
      return created;
    };
    try {
      await this.#create(begun, { begin });
    } catch (error) {
      if (ended !== undefined && !(await this.#putBack(ended))) {
        this.#rules.loaded.forget(object);
        await users.ended(id, undefined, { why: 'revoked', by: undefined });
      }
      throw error;
    }
    if (ended === undefined) await this.#write(session, before); // another process was faster
  }

  /** Throws where it would hold too much after the change. */
  async #toChange(session: Begun, before: LoadedFields): Promise<Session | undefined> {
    const found = await this.#place.repository.read(this.#credential);
    if (typeof found !== 'object') return undefined;
    const exceeded = exceededLimit(changed(found, session, before), this.#rules.policy.limits);
    if (exceeded !== undefined) throw limitError(exceeded);
    return found;
  }

  /** False if the store fails: then a save of the same object begins the session anew. */
  async #putBack({ fields, ttl, createdAt, endsAt }: Session): Promise<boolean> {
    if (this.#isDestroyed()) return true;
    const leftMs = endsAt === undefined ? undefined : endsAt - this.#rules.clock.now();
    const lifetime = leftMs === undefined ? undefined : Math.max(1, Math.floor(leftMs / 1000));
    const session = {
      ...this.#newSession({ fields: new Map(Object.entries(fields)), ttl }),
      lifetime,
    };
    try {
      await this.#place.repository.create({ ...session, at: createdAt });
      if (this.#isDestroyed()) await this.end('logout');
      return true;
    } catch {
      return false; // the caller throws what came before
    }
  }

  /** False if the id is taken by a session, or was destroyed before it was stored. */
  async #create(session: NewSession, steps?: Parameters<UserSessions['create']>[1]) {
    if (this.#isDestroyed()) return false;
    const created = await this.#place.users.create(session, steps);
    if (created === undefined) return false;
    // It may have been destroyed while its user was entered, and a client with several connections may end it too early.
    if (this.#isDestroyed()) await this.end('logout');
    return true;
  }

  #checked(session: Begun): NewSession {
    if (session.user !== undefined) checkUser(session.user);
    const exceeded = exceededLimit(session.fields, this.#rules.policy.limits);
    if (exceeded !== undefined) throw limitError(exceeded);
    return this.#newSession(session);
  }

  #newSession({ fields, ttl, user }: Begun): NewSession {
    return {
      ...{ credential: this.#credential, user, fields, ttl },
      ...{ lifetime: this.#rules.policy.lifetime, device: {}, persistent: false, at: this.#now() },
    };
  }

  /** Writes the difference, and only it. A session that has ended stays so. */
  async #write(
    { fields, ttl }: Pick<Begun, 'fields' | 'ttl'>,
    before: Pick<LoadedFields, 'fields' | 'ttl'>,
  ): Promise<void> {
    const { limits } = this.#rules.policy;
    const { repository } = this.#place;
    const { set, unset } = difference(fields, before);
    const at = this.#now();
    const exceeded = exceededAlone(set, limits);
    if (exceeded !== undefined) throw limitError(exceeded);
    const answer = await repository.update(this.#credential, { set, unset, limits, at });
    if (answer === 'too_many_fields' || answer === 'too_large') throw limitError(answer);
    if (answer === true && ttl !== before.ttl) {
      await repository.setTtl(this.#credential, { ttl, at });
    }
  }

  /** For an object that did not come from this store: how long the session idles is taken from it, and nothing else. */
  async #touchUnseen(session: ForeignSession, ttl: number): Promise<void> {
    const found = await this.#slide();
    if (typeof found !== 'object' || cookieOf(session) === undefined) return;
    const fields = new Map(Object.entries(found.fields));
    const stored = fields.get('cookie');
    if (stored !== undefined) fields.set('cookie', withIdleTimeoutOf(session, stored));
    if (ttl !== found.ttl || fields.get('cookie') !== stored) {
      await this.#write({ fields, ttl }, found);
    }
  }

  #slide(): Promise<Session | Absent> {
    const refreshAfterMs = this.#rules.policy.refreshAfter * 1000;
    return this.#place.repository.access(this.#credential, { at: this.#now(), refreshAfterMs });
  }

  #isDestroyed(): boolean {
    return this.#rules.destroyed.has(this.#credential.id, this.#rules.clock.now());
  }

  /** Seconds; 0 or less for a session that is to end now. Throws where `maxAge` or `expires` is no time, as `new Date('')` is none. */
  #ttl(session: ForeignSession): number {
    const { policy, clock } = this.#rules;
    const seconds = Math.min(idleTimeout(session, clock.now()) ?? policy.ttl, policy.maxTtl);
    return seconds < 1 ? seconds : checkTtl(seconds, policy);
  }

  #now(): string {
    return formatInstant(this.#rules.clock.now());
  }
}

/** Ends the session of that id; false if there was none. */
export async function endSession(
  { repository, users }: Place,
  id: Credential['id'],
  why: EndReason,
): Promise<boolean> {
  const ended = await repository.end(id, { unbornMs: 0 });
  const by = why === 'logout' ? 'user' : undefined;
  if (ended !== undefined) await users.ended(id, ended.user, { why, by });
  return ended !== undefined;
}

/** The session as a framework has it. Throws for a field that holds no JSON. */
export function decodeSession({ fields, remainingMs }: Session, clock: Clock): ForeignSession {
  return decodeForeign(fields, clock.now() + remainingMs);
}

function difference(fields: Begun['fields'], before: Pick<LoadedFields, 'fields'>) {
  return {
    set: new Map([...fields].filter(([name, text]) => before.fields[name] !== text)),
    unset: Object.keys(before.fields).filter((name) => !fields.has(name)),
  };
}

/** What the session holds once the difference has been written to it. */
function changed(found: Session, { fields }: Begun, before: LoadedFields): Map<string, string> {
  const { set, unset } = difference(fields, before);
  const whole = new Map([...Object.entries(found.fields), ...set]);
  for (const name of unset) whole.delete(name);
  return whole;
}

function limitError(code: LimitRefusal): SessionError {
  const what = code === 'too_large' ? 'bytes' : 'fields';
  return new SessionError(code, `The session would hold too many ${what}.`);
}
