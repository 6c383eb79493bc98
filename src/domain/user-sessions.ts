import type { Clock } from '../ports/clock.ts';
import type { EndReason, SessionObserver } from '../ports/session-observer.ts';
import type { NewSession, SessionRepository } from '../ports/session-repository.ts';
import { SessionError, StoreUnavailableError } from './errors.ts';
import type { Session } from './session.ts';
import type { SessionPolicy } from './session-policy.ts';
import type { SessionId } from './session-token.ts';

/**
 * An entry this young may belong to a session that is just being created; a list leaves it alone. A creation that took
 * longer gives up.
 */
const NEWBORN_MS = 10_000;

/** For how long an id that was ended before its session existed stays refused: longer than any creation takes. */
const UNBORN_MS = 6 * NEWBORN_MS;

/** Without a lifetime nobody knows when a session ends for good; its user's index must be there until then. */
const KEEP_WITHOUT_LIFETIME_MS = 10 * 366 * 24 * 3600 * 1000;

/**
 * A user's sessions together. The index and the sessions are in different places that no step spans, so order makes them
 * safe: an id is in the index before its session exists and until after it has ended. Whoever ends a user's sessions
 * finds the ids in the index, and ends also those that are not born yet: their creation is refused, and learns why. So
 * a login that races is either ended or began afterwards.
 */
export class UserSessions {
  readonly #repository: SessionRepository;
  readonly #clock: Clock;
  readonly #policy: SessionPolicy;
  readonly #observer: SessionObserver | undefined;

  constructor(
    repository: SessionRepository,
    clock: Clock,
    policy: SessionPolicy,
    observer: SessionObserver | undefined,
  ) {
    this.#repository = repository;
    this.#clock = clock;
    this.#policy = policy;
    this.#observer = observer;
  }

  /**
   * Creates a session, with room made for it where it is a user's. `evicted` where newer logins took its place meanwhile,
   * which is told as what it comes to: it was created, and has ended. `undefined` where the id is taken or was revoked.
   * Throws `too_many_sessions`.
   */
  async create(session: NewSession): Promise<Session | 'evicted' | undefined> {
    const { user, lifetime } = session;
    const { id } = session.credential;
    const beganAt = this.#clock.now();
    if (user !== undefined) await this.#admit(user, id, lifetime);
    const created = await this.#repository.create(session);
    if (created === undefined) return undefined;
    if (user !== undefined && this.#clock.now() - beganAt > NEWBORN_MS) {
      // By now its entry may have been taken for that of a session that has ended.
      await this.#repository.end(id, { unbornMs: 0 });
      throw new StoreUnavailableError('refused');
    }
    this.#observer?.notify({ type: 'created', id, user });
    if (created === 'evicted') await this.ended(id, user, 'evicted');
    return created;
  }

  /** Keeps a session listed for a lifetime from now on. */
  async keep(user: string, id: SessionId, lifetime: number | undefined): Promise<void> {
    const keepMs = keepFor(lifetime);
    await this.#repository.users.add({ user, id, keepMs, limit: undefined });
  }

  /** The user's sessions that are alive, oldest first. Removes from the index what has ended. */
  async list(user: string): Promise<Session[]> {
    const entries = await this.#repository.users.list(user);
    const sessions = await Promise.all(entries.map(({ id }) => this.#repository.find(id)));
    const own = (session: Session | undefined) => session?.user === user;
    const ended = entries.filter(({ ageMs }, i) => !own(sessions[i]) && ageMs > NEWBORN_MS);
    if (ended.length > 0)
      await this.#repository.users.remove(
        user,
        ended.map(({ id }) => id),
      );
    return sessions.filter((session) => session !== undefined).filter(own);
  }

  /** Ends all but one, and those that are just being started. Answers how many were alive. */
  async endAll(user: string, except: SessionId | undefined): Promise<number> {
    const entries = await this.#repository.users.list(user);
    const ids = entries.map(({ id }) => id).filter((id) => id !== except);
    return this.#endEach(user, ids, 'revoked');
  }

  /** Ends one by its id; of that user, if given. */
  async end(id: SessionId, user: string | undefined): Promise<boolean> {
    if (user !== undefined && (await this.#repository.find(id))?.user !== user) return false;
    const ended = await this.#repository.end(id, { unbornMs: 0 });
    if (ended !== undefined) await this.ended(id, ended.user, 'revoked');
    return ended !== undefined;
  }

  /** To be called after a session has ended. */
  async ended(id: SessionId, user: string | undefined, why: EndReason): Promise<void> {
    this.#observer?.notify({ type: 'ended', id, why });
    // The session is gone, which is what was asked for. An entry too many is found by the next list.
    if (user !== undefined) await this.#repository.users.remove(user, [id]).catch(() => {});
  }

  /** Enters the id of a session that is about to be created, and makes room for it. */
  async #admit(user: string, id: SessionId, lifetime: number | undefined): Promise<void> {
    const { maxSessions: max, atMaxSessions } = this.#policy;
    const { users } = this.#repository;
    const keepMs = keepFor(lifetime);
    if (max === undefined) {
      await users.add({ user, id, keepMs, limit: undefined });
      return;
    }
    if (await users.add({ user, id, keepMs, limit: { max, refuse: true } })) return;
    await this.#prune(user);
    const limit = { max, refuse: atMaxSessions === 'refuse' };
    const admitted = await users.add({ user, id, keepMs, limit });
    if (admitted === undefined) {
      throw new SessionError('too_many_sessions', `The user has ${max} sessions already.`);
    }
    // Of many logins at once the newest end all others. If those ended each other as well, it would be the square of their
    // number, and for nothing: such a login only ends itself, as the newer ones do.
    if (admitted.over.length > 1) {
      const newest = await users.list(user, { newest: max });
      if (!newest.some((entry) => entry.id === id)) {
        await this.#repository.end(id, { unbornMs: UNBORN_MS, unbornAs: 'evicted' });
        return;
      }
    }
    await this.#endEach(user, admitted.over, 'evicted');
  }

  /** Removes from the index what ran out: only what is old enough for that is looked at. */
  async #prune(user: string): Promise<void> {
    const entries = await this.#repository.users.list(user);
    const grown = entries.filter(({ ageMs }) => ageMs > NEWBORN_MS).map(({ id }) => id);
    const sessions = await Promise.all(grown.map((id) => this.#repository.find(id)));
    const ended = grown.filter((_, i) => sessions[i]?.user !== user);
    if (ended.length > 0) await this.#repository.users.remove(user, ended);
  }

  async #endEach(
    user: string,
    ids: readonly SessionId[],
    why: 'revoked' | 'evicted',
  ): Promise<number> {
    const answers = await Promise.allSettled(
      ids.map((id) => this.#repository.end(id, { unbornMs: UNBORN_MS, unbornAs: why })),
    );
    const ended = ids.filter((_, i) => {
      const answer = answers[i];
      return answer?.status === 'fulfilled' && answer.value !== undefined;
    });
    for (const id of ended) this.#observer?.notify({ type: 'ended', id, why });
    const failure = answers.find((answer) => answer.status === 'rejected');
    if (failure === undefined) {
      await this.#repository.users.remove(user, ids);
      return ended.length;
    }
    // Some have ended and some may have: all that can be said of the whole is that nobody knows.
    const untouched = answers.every(
      (answer) => answer.status === 'rejected' && answer.reason.outcome === 'refused',
    );
    if (untouched) throw failure.reason;
    const cause = failure.reason;
    throw new StoreUnavailableError('unknown', {
      cause,
      ...(cause instanceof StoreUnavailableError && { failure: cause.failure }),
    });
  }
}

function keepFor(lifetime: number | undefined): number {
  return lifetime === undefined ? KEEP_WITHOUT_LIFETIME_MS : lifetime * 1000 + UNBORN_MS;
}
