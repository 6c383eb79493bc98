import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { JournalEntry, JournalQuery } from '../ports/session-journal.ts';
import type {
  Absent,
  Durability,
  Durable,
  SessionRepository,
} from '../ports/session-repository.ts';
import { cutDevice } from './device.ts';
import { SessionError } from './errors.ts';
import { readJournal } from './read-journal.ts';
import { RecentTokens } from './recent-tokens.ts';
import { isRefusal, type Refusal, refusal } from './refusals.ts';
import { formatInstant, remainingSeconds, type Session } from './session.ts';
import {
  checkField,
  checkFields,
  checkText,
  checkUnset,
  checkUser,
  checkValue,
  exceededAlone,
  exceededLimit,
  type FieldValues,
} from './session-fields.ts';
import { SessionHistory } from './session-history.ts';
import {
  checkDurability,
  checkGrace,
  checkLifetime,
  checkTtl,
  createPolicy,
  type SessionPolicy,
  timesFor,
} from './session-policy.ts';
import { sessionAtBirth } from './session-record.ts';
import type {
  CreatedSession,
  CreateOptions,
  DeleteAllOptions,
  EndSessionOptions,
  PageOptions,
  RotateOptions,
  SessionServiceOptions,
} from './session-service-options.ts';
import {
  type Credential,
  mintSecret,
  mintSession,
  parseSessionId,
  parseSessionToken,
  type SessionId,
  type SessionToken,
} from './session-token.ts';
import { type SessionPage, UserSessions } from './user-sessions.ts';
import { isWhole } from './whole-number.ts';

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
const DEFAULT_JOURNAL = 100;

const MAX_COOKIE_SECONDS = 400 * 24 * 3600;

/**
 * The rules of sessions. Every method is atomic and takes one round trip to the store, except where it says otherwise.
 * It acts only on a session that is alive and that the token opens, and checks both in the same step. Only `create`
 * brings a session into existence.
 *
 * A token may be any text. One that opens nothing gets the same answer as a session that has ended: `undefined` or
 * `false`.
 *
 * @throws `SessionError` if a rule is broken; nothing has changed then. `StoreUnavailableError` if the store fails;
 * that never means that there is no session.
 */
export class SessionService {
  readonly policy: SessionPolicy;
  readonly #repository: SessionRepository;
  readonly #clock: Clock;
  readonly #secrets: Secrets;
  readonly #history: SessionHistory;
  readonly #users: UserSessions;
  readonly #recent: RecentTokens | undefined;
  #lastSecond = Number.NaN;
  #lastInstant = '';

  /** @param history for internal use */
  constructor(
    { repository, clock, secrets, policy, rememberTokens = 0, ...told }: SessionServiceOptions,
    history: SessionHistory = new SessionHistory(clock, told),
  ) {
    this.policy = createPolicy(policy);
    this.#repository = repository;
    this.#clock = clock;
    this.#secrets = secrets;
    this.#history = history;
    this.#users = new UserSessions(repository, clock, this.policy, history);
    this.#recent = rememberTokens > 0 ? new RecentTokens(rememberTokens) : undefined;
  }

  /**
   * Starts a session with a new id and a new secret. Call it at every login (OWASP ASVS 7.2.4), whether or not there
   * was a session before. Reserved names in `data` are ignored.
   *
   * If others evict this session while it is being created (`evict-oldest`), the call succeeds as if they had done so a
   * moment later: the session that it returns has already ended.
   *
   * @throws `SessionError`. Two codes are not programming errors, so handle them: `too_many_sessions` if the policy
   * says `refuse`, and `revoked` if all of the user's sessions were ended (`deleteAll`) while this one was being
   * started. Invalid arguments are `invalid_ttl`, `invalid_user`, `invalid_field`, `invalid_value`, `too_many_fields`
   * or `too_large`.
   */
  async create(data: FieldValues = {}, options: CreateOptions = {}): Promise<CreatedSession> {
    const { persistent = false } = options;
    checkFlag('persistent', persistent);
    const times = timesFor(this.policy, persistent);
    const ttl = checkTtl(options.ttl ?? times.ttl, times);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const fields = checkFields(data, this.policy.limits);
    const exceeded = exceededLimit(fields, this.policy.limits);
    if (exceeded !== undefined) throw refusal(exceeded);
    const lifetime = checkLifetime(options.lifetime ?? times.lifetime, times);
    const device = cutDevice(options.device ?? {});
    const { token, credential } = mintSession(this.#secrets);
    const at = this.#now();
    const begun = { credential, user, fields, ttl, lifetime, device, persistent, at };
    const session = await this.#users.create(begun, { replaces: options.replaces });
    if (session === undefined) throw notCreated(user);
    if (session !== 'evicted') return { token, session };
    return { token, session: sessionAtBirth(begun, this.#clock.now()) };
  }

  /**
   * Returns the session, slides its expiry and sets `lastAccessedAt`. Within the policy's `refreshAfter` it only reads.
   */
  async get(
    token: string,
    { refresh = true }: { readonly refresh?: boolean } = {},
  ): Promise<Session | undefined> {
    const now = this.#clock.now();
    const known = this.#recent?.get(token, now);
    const credential = known ?? this.#parse(token);
    if (credential === undefined) return undefined;
    const refreshAfterMs = this.policy.refreshAfter * 1000;
    const answer = refresh
      ? await this.#repository.access(credential, { at: this.#instant(now), refreshAfterMs })
      : await this.#repository.read(credential);
    if (typeof answer === 'object') {
      if (known === undefined) this.#recent?.add(token, credential);
      return answer;
    }
    this.#recent?.delete(token);
    return this.#settle<Session>(credential, answer);
  }

  /** Returns the session by a pure read, which does not keep it alive. */
  peek(token: string): Promise<Session | undefined> {
    return this.get(token, { refresh: false });
  }

  /**
   * Writes and removes single fields, leaves all others alone, and slides the expiry. Reserved names are ignored. A
   * name that is in both is set. At most 10,000 names can be removed at once. Returns `false` if there is no session.
   */
  async update(
    token: string,
    { set = {}, unset = [] }: { readonly set?: FieldValues; readonly unset?: readonly string[] },
  ): Promise<boolean> {
    const { limits } = this.policy;
    const fields = checkFields(set, limits);
    const exceeded = exceededAlone(fields, limits);
    if (exceeded !== undefined) throw refusal(exceeded);
    const removed = checkUnset(unset, limits);
    const credential = this.#parse(token);
    if (credential === undefined) return false;
    const change = {
      set: fields,
      unset: [...removed].filter((name) => !fields.has(name)),
      limits,
      at: this.#now(),
    };
    return (
      (await this.#settle(credential, await this.#repository.update(credential, change))) ?? false
    );
  }

  /**
   * Adds `by`, a safe integer, to an integer field, returns the sum, and slides the expiry. A missing field counts as
   * 0. Concurrent increments all count.
   *
   * @throws `SessionError` (`not_an_integer` or `out_of_range`); nothing has changed then.
   */
  async increment(token: string, field: string, by = 1): Promise<number | undefined> {
    const { limits } = this.policy;
    checkField(field, limits);
    if (!Number.isSafeInteger(by)) throw refusal('not_an_integer');
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const change = { field, by, limits, at: this.#now() };
    return this.#settle(credential, await this.#repository.increment(credential, change));
  }

  /**
   * Compare-and-set of one field, to read, change and write a value without lost updates. Returns `true` if the field
   * held `expected` and now holds `next`, `false` if another caller was faster: read again and retry. As a value,
   * `undefined` stands for a missing field; as the answer, for no session.
   */
  async replace(
    token: string,
    field: string,
    expected: string | undefined,
    next: string | undefined,
  ): Promise<boolean | undefined> {
    const { limits } = this.policy;
    checkField(field, limits);
    if (expected !== undefined) checkText(field, expected);
    if (next !== undefined) checkValue(field, next, limits);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const change = { field, expected, next, limits, at: this.#now() };
    return this.#settle(credential, await this.#repository.replace(credential, change));
  }

  /**
   * Reads and removes a field. Of concurrent callers exactly one gets the value. For flash messages and one-time
   * tokens.
   */
  async take(token: string, field: string): Promise<string | undefined> {
    checkField(field, this.policy.limits);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const answer = await this.#repository.take(credential, { field, at: this.#now() });
    return (await this.#settle(credential, answer))?.value;
  }

  /**
   * Changes the idle timeout of this session, in seconds, with immediate effect.
   *
   * @throws `SessionError` (`invalid_ttl`) if it exceeds the policy's `maxTtl`. A persistent session may also have up
   * to the `ttl` of the policy's `remember`; checking that takes a second round trip.
   */
  async setTtl(token: string, ttl: number): Promise<boolean> {
    checkTtl(ttl, timesFor(this.policy, true));
    const credential = this.#parse(token);
    if (credential === undefined) return false;
    if (ttl > this.policy.maxTtl) {
      const session = await this.#settle(credential, await this.#repository.read(credential));
      if (session === undefined) return false;
      checkTtl(ttl, timesFor(this.policy, session.persistent));
    }
    const answer = await this.#repository.setTtl(credential, { ttl, at: this.#now() });
    return (await this.#settle(credential, answer)) ?? false;
  }

  /** The idle timeout and the time left, both in whole seconds. A pure read. */
  async ttl(token: string): Promise<{ configured: number; remaining: number } | undefined> {
    const session = await this.peek(token);
    return session && { configured: session.ttl, remaining: remainingSeconds(session) };
  }

  /**
   * Replaces the secret and returns the new token, to be given to the browser. The id and all data stay. Call it at
   * every change of privilege and after a re-authentication (OWASP ASVS 7.2.4). With a grace it also serves as periodic
   * renewal. Of concurrent rotations one gets the new token; the others get `false`: their token is the old one and
   * within its grace. Returns `undefined` if there is no session.
   *
   * @throws `SessionError` (`invalid_ttl`) if the grace is not a whole number of seconds or exceeds the policy's
   * `maxTtl`, or the lifetime exceeds the policy's or comes without `reauthenticated`.
   */
  async rotate(
    token: string,
    { grace = 0, reauthenticated = false, lifetime }: RotateOptions = {},
  ): Promise<SessionToken | false | undefined> {
    checkGrace(grace, this.policy);
    checkFlag('reauthenticated', reauthenticated);
    if (lifetime !== undefined && !reauthenticated) throw onlyReauthenticated();
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const anew = reauthenticated ? await this.#renewed(credential, lifetime) : undefined;
    if (reauthenticated && anew === undefined) return undefined;
    const next = mintSecret(credential.id, this.#secrets);
    const rotation = {
      next: next.credential.secretHash,
      graceMs: grace * 1000,
      reauthenticated: anew,
      at: this.#now(),
    };
    const rotated = await this.#settle(
      credential,
      await this.#repository.rotate(credential, rotation),
    );
    if (!rotated) return rotated;
    const endsAt = anew?.lifetime && this.#clock.now() + anew.lifetime * 1000;
    this.#history.rotated(credential.id, rotated.user, endsAt);
    return next.token;
  }

  /**
   * Ends the session; nothing can bring it back. Call it at logout (OWASP ASVS 7.4.1). Returns `false` if there was no
   * session.
   */
  async delete(token: string): Promise<boolean> {
    const credential = this.#parse(token);
    if (credential === undefined) return false;
    const ended = await this.#settle(credential, await this.#repository.delete(credential));
    if (ended !== undefined) {
      await this.#users.ended(credential.id, ended.user, { why: 'logout', by: 'user' });
    }
    return ended !== undefined;
  }

  /**
   * The user's live sessions, oldest first, for the page where users see and end them (OWASP ASVS 7.5.2). Without
   * `limit` and `after` it returns all of them, which needs as much memory; with either it returns a page, and `next`
   * for the following one. A session that is started meanwhile is on the last page.
   *
   * @example
   * ```ts
   * let after: string | undefined;
   * do {
   *   const page = await service.list('ada', { limit: 50, after });
   *   show(page.sessions);
   *   after = page.next;
   * } while (after !== undefined);
   * ```
   */
  list(user: string): Promise<Session[]>;
  list(user: string, page: PageOptions): Promise<SessionPage>;
  async list(user: string, page?: PageOptions): Promise<Session[] | SessionPage> {
    checkUser(user);
    if (page === undefined) return (await this.#users.list(user, Infinity, undefined)).sessions;
    const { limit = DEFAULT_PAGE, after } = page;
    if (!isWhole(limit, 1, MAX_PAGE)) {
      throw new SessionError(
        'invalid_page',
        `limit must be a whole number from 1 to ${MAX_PAGE}, not ${String(limit)}.`,
      );
    }
    return this.#users.list(user, limit, after === undefined ? undefined : parseAfter(after));
  }

  /**
   * Ends a session by its id. Ids are not secret. If the id comes from a request, pass the `user` it must belong to;
   * otherwise one user can end the sessions of another (CWE-639).
   */
  async end(
    id: string,
    { user, by = user === undefined ? undefined : 'user' }: EndSessionOptions = {},
  ): Promise<boolean> {
    const sessionId = parseSessionId(id);
    return sessionId !== undefined && this.#users.end(sessionId, user, by);
  }

  /**
   * "Log out everywhere": ends all of the user's sessions, except one if `except` is given, and returns how many there
   * were. Call it when an account is disabled or a password is changed (OWASP ASVS 7.4.2, 7.4.3). A login at the same
   * time is either ended too or began afterwards.
   *
   * It ends a few at a time with pauses, so that other callers are not delayed: 100,000 sessions take some seconds.
   *
   * @throws `StoreUnavailableError` if the store fails on the way. Sessions that have ended stay ended, the error's
   * `ended` is their number, and the next call continues.
   */
  deleteAll(user: string, options: DeleteAllOptions = {}): Promise<number> {
    return this.#users.endAll(checkUser(user), options);
  }

  /**
   * What happened to the user's sessions, newest first, as far as the journal reaches: when they were started, rotated
   * and ended, why and by whom. For the user's own page of recent activity and for operators. At most 10,000 entries
   * are read.
   *
   * The journal has no entry for a session that expired. This method recognises it: the session was started, nothing
   * ended it, and it is not alive. It adds an `ended` entry with `expired` next to the session's last entry, dated with
   * the last moment at which the session can have lived. A session whose end the journal lost looks the same.
   *
   * @throws `SessionError`: `no_journal` if the service has none, `invalid_page` if `limit` is not a whole number of at
   * least 1. `StoreUnavailableError` if the journal cannot be read.
   *
   * @example
   * ```ts
   * for (const { at, event, why, by } of await service.journal('ada', { limit: 10 })) {
   *   console.log(new Date(at).toISOString(), event, why, by);
   * }
   * ```
   */
  async journal(
    user: string,
    { since, limit = DEFAULT_JOURNAL }: JournalQuery = {},
  ): Promise<JournalEntry[]> {
    checkUser(user);
    const { journal } = this.#history;
    if (journal === undefined)
      throw new SessionError(
        'no_journal',
        'The service has no journal. Pass one to it as the option journal.',
      );
    if (!isWhole(limit, 1)) {
      throw new SessionError(
        'invalid_page',
        `limit must be a whole number from 1, not ${String(limit)}.`,
      );
    }
    await this.#history.written(); // otherwise a session that was just ended here would look expired
    const [repository, now] = [this.#repository, this.#clock.now()];
    return readJournal({ journal, repository, user, since, limit, now });
  }

  /**
   * Resolves when everything that has happened up to now is in the journal, or is lost to it. Await it before a program
   * ends.
   */
  journalWritten(): Promise<void> {
    return this.#history.written();
  }

  /**
   * Runs `act` with a service of its own and then waits until replicas have confirmed its writes. Use it if the failure
   * of a Redis server must not undo the work: for a revoked session, a disabled account, a one-time token. `durable:
   * false` undoes nothing; it means that the replicas did not confirm in time. Repeating the call waits again.
   *
   * `replicas` is the number of replicas that must confirm, 1 to 100 (default 1). `timeoutMs` is how long to wait for
   * them, in milliseconds, 1 to 60000 (default 200).
   *
   * @throws `SessionError` (`invalid_durability`) if one of these is out of range.
   */
  async durably<T>(
    act: (sessions: SessionService) => Promise<T>,
    { replicas = 1, timeoutMs = 200 }: Partial<Durability> = {},
  ): Promise<Durable<T>> {
    const durability = checkDurability({ replicas, timeoutMs });
    return this.#repository.durably(durability, (repository) =>
      act(
        new SessionService(
          { repository, clock: this.#clock, secrets: this.#secrets, policy: this.policy },
          this.#history,
        ),
      ),
    );
  }

  /**
   * True if the user of this session authenticated within the last `maxAge` seconds. Check it before sensitive changes
   * (OWASP ASVS 7.5.1).
   */
  authenticatedWithin(session: Session, maxAge: number): boolean {
    const at = session.authenticatedAt;
    return at !== undefined && this.#clock.now() - Date.parse(at) <= maxAge * 1000;
  }

  /**
   * The `Max-Age` for the cookie of this session, in whole seconds. For a session that ends with the browser it is
   * `undefined`. For a persistent one it is the time until its lifetime ends, between 1 second and 400 days, the limit
   * of browsers (RFC 6265bis, 5.5); without a lifetime it is 400 days. The cookie is written only when the session
   * starts or rotates, so it must last as long as the store may keep the session, not only for the idle timeout.
   */
  cookieMaxAge({ persistent, endsAt }: Session): number | undefined {
    if (!persistent) return undefined;
    if (endsAt === undefined) return MAX_COOKIE_SECONDS;
    const left = Math.ceil((endsAt - this.#clock.now()) / 1000);
    return Math.max(1, Math.min(left, MAX_COOKIE_SECONDS));
  }

  /**
   * A token against cross-site request forgery, for the forms of this session's pages. It is derived from the session's
   * token, so nothing has to be stored, and it reveals nothing about that token. It changes with every rotation.
   */
  csrfToken(token: string): string {
    return this.#secrets.sha256(`csrf:${token}`);
  }

  /**
   * True if `presented` is the CSRF token for this session token. Accepts anything that a form or a header may hold,
   * such as `undefined`. Hashes are compared, so the time taken reveals nothing (CWE-208).
   */
  isCsrfToken(token: string, presented: unknown): boolean {
    if (typeof presented !== 'string') return false;
    return this.#secrets.sha256(this.csrfToken(token)) === this.#secrets.sha256(presented);
  }

  /** Turns the store's answer into that of a method: throws a refusal, reports a token that opens nothing. */
  async #settle<T>({ id }: Credential, answer: T | Refusal | Absent): Promise<T | undefined> {
    if (answer === 'reused') {
      await this.#reused(id);
      return undefined;
    }
    if (isRefusal(answer)) throw refusal(answer);
    if (answer === undefined) this.#history.refused(id);
    return answer;
  }

  async #reused(id: SessionId): Promise<void> {
    this.#history.reused(id);
    if (!this.policy.endOnReuse) {
      this.#history.reusedOf(id, async () => (await this.#repository.find(id))?.user);
      return;
    }
    const ended = await this.#repository.end(id, { unbornMs: 0 });
    if (ended === undefined) return;
    this.#history.reusedOf(id, () => ended.user);
    await this.#users.ended(id, ended.user, { why: 'reused', by: 'policy' });
  }

  /**
   * The lifetime that begins again. It ends later than the user's index was to be kept, so the index is extended first.
   */
  async #renewed(
    credential: Credential,
    wanted: number | undefined,
  ): Promise<{ readonly lifetime: number | undefined } | undefined> {
    const session = await this.#settle(credential, await this.#repository.read(credential));
    if (session === undefined) return undefined;
    const times = timesFor(this.policy, session.persistent);
    const lifetime = checkLifetime(wanted ?? times.lifetime, times);
    if (session.user !== undefined) await this.#users.keep(session.user, credential.id, lifetime);
    return { lifetime };
  }

  #parse(token: string): Credential | undefined {
    return parseSessionToken(token, this.#secrets);
  }

  #now(): string {
    return this.#instant(this.#clock.now());
  }

  // Formatting is expensive, and most calls fall into the same second as the one before.
  #instant(now: number): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#lastSecond) {
      this.#lastSecond = second;
      this.#lastInstant = formatInstant(second * 1000);
    }
    return this.#lastInstant;
  }
}

/** A text such as 'false', from a form or JSON, would count as true. */
function checkFlag(name: string, flag: boolean): void {
  if (typeof flag === 'boolean') return;
  throw new SessionError('invalid_option', `${name} must be true or false.`);
}

function onlyReauthenticated(): SessionError {
  return new SessionError('invalid_ttl', 'lifetime begins again only with reauthenticated: true.');
}

function parseAfter(after: string): number {
  const place = typeof after === 'string' && /^\d{1,16}$/.test(after) ? Number(after) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new SessionError('invalid_page', 'after must be the next of the page before.');
}

function notCreated(user: string | undefined): Error {
  if (user !== undefined) {
    return new SessionError(
      'revoked',
      'All sessions of the user were ended while this one was being started.',
    );
  }
  // The same id twice out of 2^128 means that the random source is broken. Continuing would give one user another's
  // session.
  return new Error('The random source repeated a session id.');
}
