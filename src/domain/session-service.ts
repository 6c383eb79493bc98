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

const DEFAULT_PAGE = 100;
const MAX_PAGE = 1000;
const DEFAULT_JOURNAL = 100;

const MAX_COOKIE_SECONDS = 400 * 24 * 3600;

/**
 * The session rules. Every verb is atomic, costs one round trip to the store, and acts only on a session that is alive
 * and that the token opens, checked in the same step; none but `create` ever brings a session into being.
 *
 * A token may be any text: one that opens nothing is answered like a session that has ended, with `undefined` or
 * `false`. A broken rule throws `SessionError` and changes nothing. A store that fails throws `StoreUnavailableError`,
 * which never means that there is no session.
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

  /** @param history is Sojourn's own. */
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
   * Starts a session with a new id and a new secret. Call it at every login (OWASP ASVS 7.2.4), whatever session there
   * was before. Reserved names in `data` are ignored.
   *
   * Two refusals are nobody's mistake, so be ready for them: `too_many_sessions` where the policy says `refuse`, and `revoked`
   * where all of the user's sessions were ended (`deleteAll`) while this one was being started. A login that others evict
   * meanwhile (`evict-oldest`) is answered as if that had happened a moment later: its session has ended already. What
   * is not allowed throws `invalid_ttl`, `invalid_user`, `invalid_field`, `invalid_value`, `too_many_fields` or `too_large`.
   */
  async create(data: FieldValues = {}, options: CreateOptions = {}): Promise<CreatedSession> {
    const { persistent = false } = options;
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
    const session = await this.#users.create(begun);
    if (session === undefined) throw notCreated(user);
    if (session !== 'evicted') return { token, session };
    return { token, session: sessionAtBirth(begun, this.#clock.now()) };
  }

  /** The session; slides its expiry and sets `lastAccessedAt`, unless the policy's `refreshAfter` has not passed yet. */
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

  /** The session, by a pure read: looking does not keep it alive. */
  peek(token: string): Promise<Session | undefined> {
    return this.get(token, { refresh: false });
  }

  /**
   * Writes and removes single fields and touches no others; slides. Reserved names are ignored; a name in both is set. At
   * most 10,000 names can be removed at once.
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
   * Adds `by`, a safe integer, to an integer field and answers the sum; a missing field counts as 0; slides. Concurrent
   * increments all count. Throws `not_an_integer` or `out_of_range`.
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
   * Compare-and-set of one field, for read-modify-write without lost updates: `true` if the field held `expected` and
   * now holds `next`, `false` if somebody else was faster; read again and retry. `undefined` as a value stands for a
   * missing field.
   */
  async replace(
    token: string,
    field: string,
    expected: string | undefined,
    next: string | undefined,
  ): Promise<boolean | undefined> {
    const { limits } = this.policy;
    checkField(field, limits);
    if (next !== undefined) checkValue(field, next, limits);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const change = { field, expected, next, limits, at: this.#now() };
    return this.#settle(credential, await this.#repository.replace(credential, change));
  }

  /** Reads and removes a field; of concurrent callers exactly one gets it. For flash messages and one-time tokens. */
  async take(token: string, field: string): Promise<string | undefined> {
    checkField(field, this.policy.limits);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const answer = await this.#repository.take(credential, { field, at: this.#now() });
    return (await this.#settle(credential, answer))?.value;
  }

  /**
   * Gives this session another idle timeout, in seconds, at once. Throws `invalid_ttl` beyond the policy's `maxTtl`, and
   * for a persistent session beyond that of its `remember` where that is longer; to tell takes a second round trip then.
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

  /** The idle timeout and what is left of the session, both in whole seconds. A pure read. */
  async ttl(token: string): Promise<{ configured: number; remaining: number } | undefined> {
    const session = await this.peek(token);
    return session && { configured: session.ttl, remaining: remainingSeconds(session) };
  }

  /**
   * Replaces the secret: the id and all data stay, and the answer is the token to give to the browser. Call it at every
   * change of privilege and after a re-authentication (OWASP ASVS 7.2.4); from time to time, with a grace, as renewal.
   * Of concurrent rotations one gets a token; `false` tells the others that theirs is the old one, in its grace.
   */
  async rotate(
    token: string,
    { grace = 0, reauthenticated = false }: RotateOptions = {},
  ): Promise<SessionToken | false | undefined> {
    checkGrace(grace, this.policy);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    const anew = reauthenticated ? await this.#renewed(credential) : undefined;
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

  /** Ends the session. Call it at logout (OWASP ASVS 7.4.1): from then on nothing brings it back. */
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
   * The user's live sessions, oldest first: for the page where users see and end them (OWASP ASVS 7.5.2). All of them, which
   * takes as much memory; with `limit` or `after` a page of them, and where the next one begins. A session that begins
   * meanwhile is on the last page.
   *
   * @example
   * let after: string | undefined;
   * do {
   *   const page = await service.list('ada', { limit: 50, after });
   *   show(page.sessions);
   *   after = page.next;
   * } while (after !== undefined);
   */
  list(user: string): Promise<Session[]>;
  list(user: string, page: PageOptions): Promise<SessionPage>;
  async list(user: string, page?: PageOptions): Promise<Session[] | SessionPage> {
    checkUser(user);
    if (page === undefined) return (await this.#users.list(user, Infinity, undefined)).sessions;
    const { limit = DEFAULT_PAGE, after } = page;
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > MAX_PAGE) {
      throw new SessionError(
        'invalid_page',
        `limit must be a whole number from 1 to ${MAX_PAGE}, not ${String(limit)}.`,
      );
    }
    return this.#users.list(user, limit, after === undefined ? undefined : parseAfter(after));
  }

  /**
   * Ends a session by its id. Ids are no secrets: say whose session it may be, wherever the id comes from a request, or
   * one user ends another's (CWE-639).
   */
  async end(
    id: string,
    { user, by = user === undefined ? undefined : 'user' }: EndSessionOptions = {},
  ): Promise<boolean> {
    const sessionId = parseSessionId(id);
    return sessionId !== undefined && this.#users.end(sessionId, user, by);
  }

  /**
   * "Log out everywhere": ends the user's sessions, but for one if that is said, and answers how many. Call it when an
   * account is disabled or a password changed (OWASP ASVS 7.4.2, 7.4.3). A login that races it is ended too, or began
   * afterwards.
   *
   * It ends a few at a time and rests in between, so that others are served as always: 100,000 take some seconds. Where
   * the store fails on the way, what has ended stays so, the error's `ended` says how many these are, and the next call goes on.
   */
  deleteAll(user: string, { except, by }: DeleteAllOptions = {}): Promise<number> {
    return this.#users.endAll(checkUser(user), except, by);
  }

  /**
   * What happened to the user's sessions, newest first, as far as the journal still has it: started, rotated, ended and why and
   * by whom. For the user's own page of recent activity and for operators. A session that ran out is found by what is missing:
   * it began, nothing ended it, and it is not alive. It is told as `ended` with `expired`, beside its last entry and with
   * the last moment at which it can have lived; so is one whose end the journal lost. At most 10,000 entries are read.
   *
   * Throws a `SessionError`: `no_journal` where the service has none, `invalid_page` for a `limit` that is no whole number
   * from 1. A journal that cannot be read rejects with `StoreUnavailableError`.
   *
   * @example
   * for (const { at, event, why, by } of await service.journal('ada', { limit: 10 })) {
   *   console.log(new Date(at).toISOString(), event, why, by);
   * }
   */
  async journal(
    user: string,
    { since, limit = DEFAULT_JOURNAL }: JournalQuery = {},
  ): Promise<JournalEntry[]> {
    checkUser(user);
    const { journal } = this.#history;
    if (journal === undefined) throw new SessionError('no_journal', 'The service has no journal.');
    if (!Number.isSafeInteger(limit) || limit < 1) {
      throw new SessionError(
        'invalid_page',
        `limit must be a whole number from 1, not ${String(limit)}.`,
      );
    }
    await this.#history.written(); // or what was just ended here would seem to have run out
    const [repository, now] = [this.#repository, this.#clock.now()];
    return readJournal({ journal, repository, user, since, limit, now });
  }

  /** Resolves when what happened here by now is in the journal, or lost to it: for the end of a program. */
  journalWritten(): Promise<void> {
    return this.#history.written();
  }

  /**
   * Does what `act` does with the sessions it is given, and waits until so many replicas have it. Ask for it where
   * a server that dies must not undo what was done: for a revoked session, a disabled account, a one-time token. `durable:
   * false` undoes nothing; it says that the replicas did not confirm it in time. Doing the same once more waits once more.
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

  /** True if the user of this session proved who they are within the last `maxAge` seconds: what to ask before sensitive changes (OWASP ASVS 7.5.1). */
  authenticatedWithin(session: Session, maxAge: number): boolean {
    const at = session.authenticatedAt;
    return at !== undefined && this.#clock.now() - Date.parse(at) <= maxAge * 1000;
  }

  /**
   * The `Max-Age` for the cookie of this session, in whole seconds: `undefined` for one that ends with the browser, and
   * for a persistent one the time until its lifetime ends, from 1 to 400 days, where browsers cut it (RFC 6265bis, 5.5);
   * 400 days without a lifetime. The cookie is only written when the session starts or rotates, so it has to last for as
   * long as the store may keep the session, not only for its idle timeout.
   */
  cookieMaxAge({ persistent, endsAt }: Session): number | undefined {
    if (!persistent) return undefined;
    if (endsAt === undefined) return MAX_COOKIE_SECONDS;
    const left = Math.ceil((endsAt - this.#clock.now()) / 1000);
    return Math.max(1, Math.min(left, MAX_COOKIE_SECONDS));
  }

  /**
   * A secret for the forms of this session's pages, derived from the token so that nothing has to be stored: whoever
   * sees it learns nothing of the token. It changes with every rotation.
   */
  csrfToken(token: string): string {
    return this.#secrets.sha256(`csrf:${token}`);
  }

  /**
   * True for the csrf token of that session's token, false for anything else that a form or a header may hold, such as
   * `undefined`. Hashes are compared, so that the time tells nothing (CWE-208).
   */
  isCsrfToken(token: string, presented: unknown): boolean {
    if (typeof presented !== 'string') return false;
    return this.#secrets.sha256(this.csrfToken(token)) === this.#secrets.sha256(presented);
  }

  /** The store's answer as the verbs give it: a refusal is thrown, a token that opens nothing reported. */
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

  /** The lifetime that begins anew. It outlasts what the user's index was to be kept for, so that is kept longer first. */
  async #renewed(
    credential: Credential,
  ): Promise<{ readonly lifetime: number | undefined } | undefined> {
    const session = await this.#settle(credential, await this.#repository.read(credential));
    if (session === undefined) return undefined;
    const { lifetime } = timesFor(this.policy, session.persistent);
    if (session.user !== undefined) await this.#users.keep(session.user, credential.id, lifetime);
    return { lifetime };
  }

  #parse(token: string): Credential | undefined {
    return parseSessionToken(token, this.#secrets);
  }

  #now(): string {
    return this.#instant(this.#clock.now());
  }

  // Formatting is dear, and most uses fall into the second of the one before.
  #instant(now: number): string {
    const second = Math.floor(now / 1000);
    if (second !== this.#lastSecond) {
      this.#lastSecond = second;
      this.#lastInstant = formatInstant(second * 1000);
    }
    return this.#lastInstant;
  }
}

function parseAfter(after: string): number {
  const place = typeof after === 'string' && /^\d{1,16}$/.test(after) ? Number(after) : Number.NaN;
  if (Number.isSafeInteger(place)) return place;
  throw new SessionError('invalid_page', 'after must be what the page before answered as next.');
}

function notCreated(user: string | undefined): Error {
  if (user !== undefined) {
    return new SessionError('revoked', 'The session was ended while it was being started.');
  }
  // Two equal ids out of 2^128 mean that the random source is broken: going on would hand one user another's session.
  return new Error('The random source repeated a session id.');
}
