import type { Clock } from '../ports/clock.ts';
import type { NewSession, SessionRepository } from '../ports/session-repository.ts';
import type { IndexEntry } from '../ports/user-index.ts';
import { halfWay, SessionError, StoreUnavailableError } from './errors.ts';
import { AT_ONCE, Pace } from './pace.ts';
import type { Session } from './session.ts';
import type { End, SessionHistory } from './session-history.ts';
import type { SessionPolicy } from './session-policy.ts';
import type { SessionId } from './session-token.ts';

/**
 * An entry this young may belong to a session that is just being created; a list leaves it alone. A creation that took
 * longer gives up.
 */
const NEWBORN_MS = 10_000;

/** For how long an id that was ended before its session existed stays refused: longer than any creation takes. */
const UNBORN_MS = 6 * NEWBORN_MS;

/**
 * A login that has entered its id and not created its session after so long has died, or somebody who waited for it was
 * told that it failed. Where there is no room it is the first to go.
 */
const ABANDONED_MS = 1000;

/**
 * How many entries a login looks at or ends, at most, before it goes on where there is no room. There are more where a limit
 * has just been set for a user with very many sessions: these end while nobody waits.
 */
const MOST_AT_LOGIN = 5000;

/** Without a lifetime nobody knows when a session ends for good; its user's index must be there until then. */
const KEEP_WITHOUT_LIFETIME_MS = 10 * 366 * 24 * 3600 * 1000;

const EVICTED = { why: 'evicted', by: 'policy' } as const;

/** Some of a user's sessions. */
export interface SessionPage {
  /** Those that are alive, oldest first. */
  readonly sessions: Session[];
  /** What to ask for the next page with, as `after`; `undefined` where there is none. */
  readonly next: string | undefined;
}

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
  readonly #history: SessionHistory;

  constructor(
    repository: SessionRepository,
    clock: Clock,
    policy: SessionPolicy,
    history: SessionHistory,
  ) {
    this.#repository = repository;
    this.#clock = clock;
    this.#policy = policy;
    this.#history = history;
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
    const sample = user === undefined ? [] : await this.#admit(user, id, lifetime);
    const [created] = await Promise.all([
      this.#repository.create(session),
      user === undefined ? undefined : this.#prune(user, sample),
    ]);
    if (created === undefined) return undefined;
    if (user !== undefined && this.#clock.now() - beganAt > NEWBORN_MS) {
      // By now its entry may have been taken for that of a session that has ended.
      await this.#repository.end(id, { unbornMs: 0 });
      throw new StoreUnavailableError('refused');
    }
    if (created !== 'evicted') {
      this.#history.started(created);
      return created;
    }
    this.#history.started({ id, user, device: session.device, endsAt: undefined });
    await this.ended(id, user, EVICTED);
    return created;
  }

  /** Keeps a session listed for a lifetime from now on. */
  async keep(user: string, id: SessionId, lifetime: number | undefined): Promise<void> {
    await this.#repository.users.add({ user, id, keepMs: keepFor(lifetime), max: undefined });
  }

  /**
   * So many of the user's sessions that are alive, oldest first, and where to go on. Removes from the index what has ended.
   * Looks at a batch at a time, however many there are.
   */
  async list(user: string, limit: number, after: number | undefined): Promise<SessionPage> {
    const sessions: Session[] = [];
    const pace = new Pace();
    let beyond = after;
    for (let asked = Math.min(AT_ONCE, limit); ; asked = AT_ONCE) {
      const { entries, found } = await pace.work(() => this.#lookAt(user, beyond, asked));
      for (const [i, session] of found.entries()) {
        beyond = entries[i]?.place;
        if (!isSession(session)) continue;
        sessions.push(session);
        if (sessions.length < limit) continue;
        const isLast = i + 1 === entries.length;
        return { sessions, next: isLast ? undefined : String(beyond) };
      }
      if (entries.length <= asked) return { sessions, next: undefined };
    }
  }

  /** So many entries, the sessions of these, and one entry more to tell whether there are more. Removes what has ended. */
  async #lookAt(user: string, beyond: number | undefined, asked: number) {
    const page = { from: 'oldest', beyond, limit: asked + 1 } as const;
    const entries = await this.#repository.users.list(user, page);
    const looked = entries.slice(0, asked);
    const found = await this.#look(user, looked);
    await this.#forget(user, looked.filter((_, i) => !isSession(found[i])).filter(isGrown));
    return { entries, found };
  }

  /**
   * Ends all but one, and those that are just being started, a batch after the other. Answers how many were alive. What
   * begins meanwhile is not waited for: it ends with what was entered when the first batch had been found.
   */
  async endAll(
    user: string,
    except: SessionId | undefined,
    by: string | undefined,
  ): Promise<number> {
    const { users } = this.#repository;
    const pace = new Pace();
    let ended = 0;
    let beyond: number | undefined;
    let last = Infinity;
    const endSome = async (beyond: number | undefined) => {
      const entries = await users.list(user, { from: 'oldest', beyond, limit: AT_ONCE });
      if (entries.length === AT_ONCE && last === Infinity) {
        const [newest] = await users.list(user, { from: 'newest', limit: 1 });
        last = Math.max(newest?.place ?? 0, entries.at(-1)?.place ?? 0);
      }
      const ending = entries.filter(({ id, place }) => id !== except && place <= last);
      return {
        entries,
        ...(await this.#endEach(user, ending, { why: 'revoked', by, everywhere: true })),
      };
    };
    try {
      for (;;) {
        const { entries, failure, ...batch } = await pace.work(() => endSome(beyond));
        ended += batch.ended;
        if (failure !== undefined) throw failure;
        beyond = entries.at(-1)?.place;
        if (entries.length < AT_ONCE || beyond === undefined || beyond >= last) return ended;
      }
    } catch (error) {
      throw halfWay(error, ended);
    }
  }

  /** Ends one by its id; of that user, if given. */
  async end(id: SessionId, user: string | undefined, by: string | undefined): Promise<boolean> {
    if (user !== undefined && (await this.#repository.find(id))?.user !== user) return false;
    const ended = await this.#repository.end(id, { unbornMs: 0 });
    if (ended !== undefined) await this.ended(id, ended.user, { why: 'revoked', by });
    return ended !== undefined;
  }

  /** To be called after a session has ended. */
  async ended(id: SessionId, user: string | undefined, end: End): Promise<void> {
    this.#history.ended(id, user, end);
    // The session is gone, which is what was asked for. An entry too many is found by the next list.
    if (user !== undefined) await this.#repository.users.remove(user, [id]).catch(() => {});
  }

  /** Enters the id of a session that is about to be created, and makes room for it. Answers what may be pruned meanwhile. */
  async #admit(
    user: string,
    id: SessionId,
    lifetime: number | undefined,
  ): Promise<readonly IndexEntry[]> {
    const { maxSessions: max, atMaxSessions } = this.#policy;
    const { users } = this.#repository;
    const entry = { user, id, keepMs: keepFor(lifetime), max };
    const entered = await users.add(entry);
    if (entered !== undefined) return entered.sample;
    if (max === undefined) throw new Error('The index refused an entry without a limit.');
    if (atMaxSessions === 'evict-oldest') {
      const added = await users.add({ ...entry, max: undefined });
      if (added !== undefined) await this.#makeRoom(user, { id, place: added.place }, max);
      return [];
    }
    if (!(await this.#isFull(user, max)) && (await users.add(entry)) !== undefined) return [];
    throw new SessionError('too_many_sessions', `The user has ${max} sessions already.`);
  }

  /** Whether so many hold a place. Ends what does not. */
  async #isFull(user: string, max: number): Promise<boolean> {
    let taken = 0;
    for await (const entries of this.#fromNewest(user, max)) {
      const found = await this.#look(user, entries);
      const dead: IndexEntry[] = [];
      const foreign: IndexEntry[] = [];
      for (const [i, entry] of entries.entries()) {
        if (holdsPlace(entry, found[i])) taken += 1;
        else if (found[i] !== 'foreign') dead.push(entry);
        else if (isGrown(entry)) foreign.push(entry);
      }
      if (taken >= max) return true;
      await this.#forget(user, foreign);
      const { failure } = await this.#endEach(user, dead, EVICTED);
      if (failure !== undefined) throw failure;
    }
    return false;
  }

  /** Makes room for an entry, and waits until there is. */
  async #makeRoom(user: string, own: Pick<IndexEntry, 'id' | 'place'>, max: number): Promise<void> {
    const batches = this.#evictOlder(user, own, max);
    let ended = 0;
    for (let batch = await batches.next(); !batch.done; batch = await batches.next()) {
      ended += batch.value;
      if (ended < MOST_AT_LOGIN) continue;
      void goOn(batches);
      return;
    }
  }

  /**
   * Ends what is older than that entry, but for the newest that are alive or about to be, of which it spares one less than
   * there may be. Each login does so before it creates its session, so of those alive at one time the newest has
   * ended all that were too many. Tells after each batch how many it ended.
   */
  async *#evictOlder(
    user: string,
    own: Pick<IndexEntry, 'id' | 'place'>,
    max: number,
  ): AsyncGenerator<number> {
    let newer = 0;
    let places = max - 1;
    for await (const entries of this.#fromNewest(user, max)) {
      newer += entries.filter(({ place }) => place > own.place).length;
      if (newer >= max) {
        // Of many logins at once the newest end all others. If those ended each other as well, it would be the square of
        // their number, and for nothing: such a login only ends itself, as the newer ones do.
        await this.#repository.end(own.id, { unbornMs: UNBORN_MS, unbornAs: 'evicted' });
        return;
      }
      const older = entries.filter(({ place }) => place < own.place);
      const found = places > 0 ? await this.#look(user, older) : [];
      const over = older.filter((entry, i) => {
        if (found[i] === 'foreign') return false;
        if (places === 0 || !holdsPlace(entry, found[i])) return true;
        places -= 1;
        return false;
      });
      const { ended, failure } = await this.#endEach(user, over, EVICTED);
      if (failure !== undefined) throw halfWay(failure, ended);
      yield over.length;
    }
  }

  /** The entries in pages, the first of which is enough where there are about as many as there may be. */
  async *#fromNewest(user: string, max: number): AsyncGenerator<readonly IndexEntry[]> {
    let limit = Math.min(2 * max + 2, AT_ONCE);
    for (let beyond: number | undefined; ; ) {
      const entries = await this.#repository.users.list(user, { from: 'newest', beyond, limit });
      if (entries.length > 0) yield entries;
      if (entries.length < limit) return;
      beyond = entries.at(-1)?.place;
      limit = AT_ONCE;
    }
  }

  /** The sessions of those entries; `undefined` where there is none, `foreign` where it is not that user's. */
  async #look(
    user: string,
    entries: readonly IndexEntry[],
  ): Promise<readonly (Session | 'foreign' | undefined)[]> {
    const sessions = await Promise.all(entries.map(({ id }) => this.#repository.find(id)));
    return sessions.map((session) => (session && session.user !== user ? 'foreign' : session));
  }

  /** Removes those that have ended from the index: what is looked at beside a login, which must not wait or fail for it. */
  async #prune(user: string, entries: readonly IndexEntry[]): Promise<void> {
    const grown = entries.filter(isGrown);
    try {
      const found = await this.#look(user, grown);
      const ended = grown.filter((_, i) => !isSession(found[i]));
      void this.#forget(user, ended).catch(() => {});
    } catch {
      // The next login looks at others.
    }
  }

  async #forget(user: string, entries: readonly IndexEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#repository.users.remove(
      user,
      entries.map(({ id }) => id),
    );
  }

  /** Ends those that there are, refuses those that may still be created, and removes from the index what is done. */
  async #endEach(
    user: string,
    entries: readonly IndexEntry[],
    end: End & { readonly why: 'revoked' | 'evicted' },
  ): Promise<{ readonly ended: number; readonly failure: unknown }> {
    const answers = await Promise.allSettled(
      entries.map(({ id, ageMs }) => {
        const unbornMs = ageMs > UNBORN_MS ? 0 : UNBORN_MS;
        return this.#repository.end(id, { unbornMs, unbornAs: end.why });
      }),
    );
    let ended = 0;
    let failure: unknown;
    const done = entries.filter(({ id }, i) => {
      const answer = answers[i];
      if (answer?.status !== 'fulfilled') {
        // What is not known weighs more than what was certainly not done.
        if (failure === undefined || isUnknown(answer?.reason)) failure = answer?.reason;
        return false;
      }
      if (answer.value === undefined) return true;
      this.#history.ended(id, user, end);
      ended += 1;
      return true;
    });
    const forgotten = this.#forget(user, done);
    if (failure === undefined) await forgotten;
    else await forgotten.catch(() => {}); // an entry too many is found by the next call
    return { ended, failure };
  }
}

/** Whether a session that is not there has ended, and not only not begun. */
function isGrown({ ageMs }: IndexEntry): boolean {
  return ageMs > NEWBORN_MS;
}

function isSession(found: Session | 'foreign' | undefined): found is Session {
  return typeof found === 'object';
}

/** Whether that is a session of the user's, or is about to be. */
function holdsPlace({ ageMs }: IndexEntry, found: Session | 'foreign' | undefined): boolean {
  return isSession(found) || ageMs <= ABANDONED_MS;
}

function isUnknown(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.outcome === 'unknown';
}

/** Evicts what a login did not wait for. Where it fails the next login goes on. */
async function goOn(batches: AsyncGenerator<number>): Promise<void> {
  const pace = new Pace();
  try {
    while (!(await pace.work(() => batches.next())).done);
  } catch {
    // As above.
  }
}

function keepFor(lifetime: number | undefined): number {
  return lifetime === undefined ? KEEP_WITHOUT_LIFETIME_MS : lifetime * 1000 + UNBORN_MS;
}
