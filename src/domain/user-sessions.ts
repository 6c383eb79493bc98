import type { Clock } from '../ports/clock.ts';
import type { NewSession, SessionRepository } from '../ports/session-repository.ts';
import type { IndexEntry, NewIndexEntry } from '../ports/user-index.ts';
import { halfWay, SessionError, StoreUnavailableError } from './errors.ts';
import { AT_ONCE, Pace } from './pace.ts';
import type { Session } from './session.ts';
import type { End, SessionHistory } from './session-history.ts';
import type { SessionPolicy } from './session-policy.ts';
import type { DeleteAllOptions } from './session-service-options.ts';
import type { SessionId } from './session-token.ts';

/**
 * An entry this young may belong to a session that is still being created, so a list leaves it alone. A creation that
 * takes longer than this gives up.
 */
const NEWBORN_MS = 10_000;

/** How long an id stays refused that was ended before its session existed. Longer than any creation takes. */
const UNBORN_MS = 6 * NEWBORN_MS;

/**
 * A login that has added its id but not created its session after this time has crashed, or its caller was told that it
 * failed. If there is no room, its entry is the first to be removed.
 */
const ABANDONED_MS = 1000;

/**
 * The most entries that a login looks at or ends before it proceeds, if there is no room. There are more if a limit has
 * just been introduced for a user with very many sessions. Those end in the background.
 */
const MOST_AT_LOGIN = 5000;

/** Without a lifetime it is unknown when a session ends for good, and the user's index must exist until then. */
const KEEP_WITHOUT_LIFETIME_MS = 10 * 366 * 24 * 3600 * 1000;

interface CreateSteps {
  readonly replaces?: SessionId | undefined;
  readonly begin?: (() => ReturnType<SessionRepository['create']>) | undefined;
}

/** The entry of a login where the policy has a limit. */
type LimitedEntry = NewIndexEntry & { readonly max: number };

const EVICTED = { why: 'evicted', by: 'policy' } as const;

/** A page of a user's sessions. */
export interface SessionPage {
  /** The live sessions, oldest first. */
  readonly sessions: Session[];
  /** Pass it as `after` to get the next page; `undefined` on the last page. */
  readonly next: string | undefined;
}

/**
 * The sessions of a user as a whole. The index and the sessions are stored apart and no atomic step spans both, so the
 * order of steps makes them safe: an id is in the index before its session exists and until after it has ended. To end
 * all of a user's sessions, the ids are read from the index, and those whose session does not exist yet are ended too:
 * their creation is refused, with the reason. So a login at the same time is either ended or began afterwards.
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
   * Creates a session. If it belongs to a user, room is made for it first. The session that it `replaces` takes no room
   * and is not evicted: the caller ends it afterwards. `begin` creates it once there is room, if more has to be done
   * then. Returns `evicted` if newer logins took the new one's place meanwhile; that is reported as a session that was
   * created and has ended. Returns `undefined` if the id is taken or was revoked. Throws `too_many_sessions`.
   */
  async create(
    session: NewSession,
    { replaces, begin = () => this.#repository.create(session) }: CreateSteps = {},
  ): Promise<Session | 'evicted' | undefined> {
    const { user } = session;
    const { id } = session.credential;
    const beganAt = this.#clock.now();
    const sample = await this.#admit(session, replaces);
    const [created] = await Promise.all([
      begin(),
      user === undefined ? undefined : this.#prune(user, sample),
    ]);
    if (created === undefined) return undefined;
    if (user !== undefined && this.#clock.now() - beganAt > NEWBORN_MS) {
      // By now its entry may have been mistaken for that of a session that has ended.
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

  /** Keeps the session in the index for a lifetime from now. */
  async keep(user: string, id: SessionId, lifetime: number | undefined): Promise<void> {
    await this.#repository.users.add({ user, id, keepMs: keepFor(lifetime), max: undefined });
  }

  /**
   * Returns up to `limit` of the user's live sessions, oldest first, and where to continue. Removes entries of ended
   * sessions from the index. Works in batches, however many sessions there are.
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

  /**
   * Reads `asked` entries and their sessions, and one more entry to see whether there are more. Removes entries of
   * ended sessions.
   */
  async #lookAt(user: string, beyond: number | undefined, asked: number) {
    const page = { from: 'oldest', beyond, limit: asked + 1 } as const;
    const entries = await this.#repository.users.list(user, page);
    const looked = entries.slice(0, asked);
    const found = await this.#look(user, looked);
    await this.#forget(user, looked.filter((_, i) => !isSession(found[i])).filter(isGrown));
    return { entries, found };
  }

  /**
   * Ends all sessions but one, and those that are just being started, in batches. Returns how many were alive. It stops
   * at the last entry that existed when the first batch was read, so logins that continue meanwhile do not keep it
   * running. After `signal` is aborted it begins no further batch.
   */
  async endAll(user: string, { except, by, signal }: DeleteAllOptions): Promise<number> {
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
        if (signal?.aborted) return ended;
      }
    } catch (error) {
      throw halfWay(error, ended);
    }
  }

  /** Ends one session by its id; only if it belongs to `user`, if given. */
  async end(id: SessionId, user: string | undefined, by: string | undefined): Promise<boolean> {
    if (user !== undefined && (await this.#repository.find(id))?.user !== user) return false;
    const ended = await this.#repository.end(id, { unbornMs: 0 });
    if (ended !== undefined) await this.ended(id, ended.user, { why: 'revoked', by });
    return ended !== undefined;
  }

  /** Call it after a session has ended. */
  async ended(id: SessionId, user: string | undefined, end: End): Promise<void> {
    this.#history.ended(id, user, end);
    // The session has ended, which is what was asked for. The next list removes an entry that is left over.
    if (user !== undefined) await this.#repository.users.remove(user, [id]).catch(() => {});
  }

  /**
   * Adds the id of a session that is about to be created to the index, and makes room for it. Returns entries that may
   * be pruned meanwhile.
   */
  async #admit(
    { user, lifetime, credential: { id } }: NewSession,
    replaces: SessionId | undefined,
  ): Promise<readonly IndexEntry[]> {
    if (user === undefined) return [];
    const { maxSessions: max, atMaxSessions } = this.#policy;
    const { users } = this.#repository;
    const entry = { user, id, keepMs: keepFor(lifetime), max, replaces };
    const entered = await users.add(entry);
    if (entered !== undefined) return entered.sample;
    if (max === undefined)
      throw new Error('The user index refused an entry although there is no limit.');
    const limited = { ...entry, max };
    if (atMaxSessions === 'evict-oldest') {
      const added = await users.add({ ...entry, max: undefined });
      if (added !== undefined) await this.#makeRoom(limited, added.place);
      return [];
    }
    if (!(await this.#isFull(limited)) && (await users.add(entry)) !== undefined) return [];
    throw new SessionError(
      'too_many_sessions',
      `The user already has the maximum number of sessions: ${max}.`,
    );
  }

  /** True if `max` entries hold a place. Ends the entries that do not. */
  async #isFull(limited: LimitedEntry): Promise<boolean> {
    const { user, max } = limited;
    let taken = 0;
    for await (const entries of this.#fromNewest(limited)) {
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

  /** Waits until there is room for the entry. */
  async #makeRoom(own: LimitedEntry, ownPlace: number): Promise<void> {
    const batches = this.#evictOlder(own, ownPlace);
    let ended = 0;
    for (let batch = await batches.next(); !batch.done; batch = await batches.next()) {
      ended += batch.value;
      if (ended < MOST_AT_LOGIN) continue;
      void goOn(batches);
      return;
    }
  }

  /**
   * Ends the sessions that are older than this entry, except for the one that it replaces and the newest `max - 1`
   * others that are alive or being started. Each login does this before it creates its session; so of all sessions that
   * are alive at one time, the newest has ended those that were too many. Yields after each batch how many it ended.
   */
  async *#evictOlder(own: LimitedEntry, ownPlace: number): AsyncGenerator<number> {
    const { user, max } = own;
    let newer = 0;
    let places = max - 1;
    for await (const entries of this.#fromNewest(own)) {
      newer += entries.filter(({ place }) => place > ownPlace).length;
      if (newer >= max) {
        // Of many concurrent logins the newest end all others. If each of the others did that too, the work would be
        // quadratic and useless. Such a login only ends itself, as the newer ones would.
        await this.#repository.end(own.id, { unbornMs: UNBORN_MS, unbornAs: 'evicted' });
        return;
      }
      const older = entries.filter(({ place }) => place < ownPlace);
      const found = places > 0 ? await this.#look(user, older) : [];
      const over = older.filter((entry, i) => {
        // A young one may be about to begin anew as this user's: `begin` of `create`.
        if (found[i] === 'foreign' && isGrown(entry)) return false;
        if (places === 0 || !holdsPlace(entry, found[i])) return true;
        places -= 1;
        return false;
      });
      const { ended, failure } = await this.#endEach(user, over, EVICTED);
      if (failure !== undefined) throw halfWay(failure, ended);
      yield over.length;
    }
  }

  /**
   * The entries that count, in pages, newest first. The first page is enough if there are about as many entries as
   * allowed.
   */
  async *#fromNewest({ user, max, replaces }: LimitedEntry): AsyncGenerator<readonly IndexEntry[]> {
    let limit = Math.min(2 * max + 2, AT_ONCE);
    for (let beyond: number | undefined; ; ) {
      const entries = await this.#repository.users.list(user, { from: 'newest', beyond, limit });
      if (entries.length > 0) yield entries.filter(({ id }) => id !== replaces);
      if (entries.length < limit) return;
      beyond = entries.at(-1)?.place;
      limit = AT_ONCE;
    }
  }

  /** The sessions of these entries: `undefined` if there is none, `foreign` if it belongs to another user. */
  async #look(
    user: string,
    entries: readonly IndexEntry[],
  ): Promise<readonly (Session | 'foreign' | undefined)[]> {
    const sessions = await Promise.all(entries.map(({ id }) => this.#repository.find(id)));
    return sessions.map((session) => (session && session.user !== user ? 'foreign' : session));
  }

  /**
   * Removes entries whose sessions have ended from the index. It runs beside a login, which must neither wait for it
   * nor fail because of it.
   */
  async #prune(user: string, entries: readonly IndexEntry[]): Promise<void> {
    const grown = entries.filter(isGrown);
    try {
      const found = await this.#look(user, grown);
      const ended = grown.filter((_, i) => !isSession(found[i]));
      void this.#forget(user, ended).catch(() => {});
    } catch {
      // The next login checks other entries.
    }
  }

  async #forget(user: string, entries: readonly IndexEntry[]): Promise<void> {
    if (entries.length === 0) return;
    await this.#repository.users.remove(
      user,
      entries.map(({ id }) => id),
    );
  }

  /**
   * Ends the sessions that exist, refuses those that may still be created, and removes the entries of both from the
   * index.
   */
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
        // A result that is unknown matters more than one that was certainly not applied.
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
    else await forgotten.catch(() => {}); // the next call removes an entry that is left over
    return { ended, failure };
  }
}

/** True if a missing session has ended, rather than not begun yet. */
function isGrown({ ageMs }: IndexEntry): boolean {
  return ageMs > NEWBORN_MS;
}

function isSession(found: Session | 'foreign' | undefined): found is Session {
  return typeof found === 'object';
}

/** True if the entry stands for a live session of the user, or for one that is being started. */
function holdsPlace({ ageMs }: IndexEntry, found: Session | 'foreign' | undefined): boolean {
  return isSession(found) || ageMs <= ABANDONED_MS;
}

function isUnknown(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.outcome === 'unknown';
}

/** Evicts the rest, which the login did not wait for. If that fails, the next login continues. */
async function goOn(batches: AsyncGenerator<number>): Promise<void> {
  const pace = new Pace();
  try {
    while (!(await pace.work(() => batches.next())).done);
  } catch {
    // See above: the next login continues.
  }
}

function keepFor(lifetime: number | undefined): number {
  return lifetime === undefined ? KEEP_WITHOUT_LIFETIME_MS : lifetime * 1000 + UNBORN_MS;
}
