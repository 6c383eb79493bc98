import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { LimitRefusal, SessionRepository } from '../ports/session-repository.ts';
import { SessionError, type SessionErrorCode } from './errors.ts';
import { formatInstant, remainingSeconds, type Session } from './session.ts';
import {
  checkField,
  checkFields,
  checkUser,
  checkValue,
  exceededLimit,
  type FieldValues,
} from './session-fields.ts';
import {
  checkTtl,
  createPolicy,
  type SessionPolicy,
  type SessionPolicyOptions,
} from './session-policy.ts';
import { mintSession, parseSessionToken, type Credential, type SessionToken } from './session-token.ts';

export interface SessionServiceOptions {
  readonly repository: SessionRepository;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly policy?: SessionPolicyOptions;
}

export interface CreateOptions {
  /** Idle timeout in seconds; the policy's by default. */
  readonly ttl?: number;
  /** The owner. */
  readonly user?: string;
}

/** A session that was just started: the only moment at which its token is known to the server. */
export interface CreatedSession {
  readonly token: SessionToken;
  readonly session: Session;
}

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

  constructor({ repository, clock, secrets, policy }: SessionServiceOptions) {
    this.policy = createPolicy(policy);
    this.#repository = repository;
    this.#clock = clock;
    this.#secrets = secrets;
  }

  /**
   * Starts a session with a new id and a new secret. Call it at every login (OWASP ASVS 7.2.4), whatever session there
   * was before. Reserved names in `data` are ignored.
   */
  async create(data: FieldValues = {}, options: CreateOptions = {}): Promise<CreatedSession> {
    const ttl = checkTtl(options.ttl ?? this.policy.ttl, this.policy);
    const user = options.user === undefined ? undefined : checkUser(options.user);
    const fields = checkFields(data, this.policy.limits);
    const exceeded = exceededLimit(fields, this.policy.limits);
    if (exceeded !== undefined) throw refusal(exceeded);
    const { token, credential } = mintSession(this.#secrets);
    const { lifetime } = this.policy;
    const at = this.#now();
    const session = await this.#repository.create({ credential, user, fields, ttl, lifetime, at });
    // Two equal ids out of 2^128 mean that the random source is broken: going on would hand one user another's session.
    if (session === undefined) throw new Error('The random source repeated a session id.');
    return { token, session };
  }

  /** The session; slides its expiry and sets `lastAccessedAt`, unless the policy's `refreshAfter` has not passed yet. */
  async get(
    token: string,
    { refresh = true }: { readonly refresh?: boolean } = {},
  ): Promise<Session | undefined> {
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    if (!refresh) return this.#repository.read(credential);
    const refreshAfterMs = this.policy.refreshAfter * 1000;
    return this.#repository.access(credential, { at: this.#now(), refreshAfterMs });
  }

  /** The session, by a pure read: looking does not keep it alive. */
  peek(token: string): Promise<Session | undefined> {
    return this.get(token, { refresh: false });
  }

  /** Writes and removes single fields and touches no others; slides. Reserved names are ignored; a name in both is set. */
  async update(
    token: string,
    { set = {}, unset = [] }: { readonly set?: FieldValues; readonly unset?: readonly string[] },
  ): Promise<boolean> {
    const { limits } = this.policy;
    const fields = checkFields(set, limits);
    const removed = checkFields(Object.fromEntries(unset.map((name) => [name, ''])), limits);
    const credential = this.#parse(token);
    if (credential === undefined) return false;
    const change = {
      set: fields,
      unset: [...removed.keys()].filter((name) => !fields.has(name)),
      limits,
      at: this.#now(),
    };
    return accepted(await this.#repository.update(credential, change)) ?? false;
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
    return accepted(await this.#repository.increment(credential, change));
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
    return accepted(await this.#repository.replace(credential, change));
  }

  /** Reads and removes a field; of concurrent callers exactly one gets it. For flash messages and one-time tokens. */
  async take(token: string, field: string): Promise<string | undefined> {
    checkField(field, this.policy.limits);
    const credential = this.#parse(token);
    if (credential === undefined) return undefined;
    return (await this.#repository.take(credential, { field, at: this.#now() }))?.value;
  }

  /** Gives this session another idle timeout, in seconds, at once. Throws `invalid_ttl` beyond the policy's `maxTtl`. */
  async setTtl(token: string, ttl: number): Promise<boolean> {
    checkTtl(ttl, this.policy);
    const credential = this.#parse(token);
    if (credential === undefined) return false;
    return this.#repository.setTtl(credential, { ttl, at: this.#now() });
  }

  /** The idle timeout and what is left of the session, both in whole seconds. A pure read. */
  async ttl(token: string): Promise<{ configured: number; remaining: number } | undefined> {
    const session = await this.peek(token);
    return session && { configured: session.ttl, remaining: remainingSeconds(session) };
  }

  /** Ends the session. Call it at logout (OWASP ASVS 7.4.1): from then on nothing brings it back. */
  async delete(token: string): Promise<boolean> {
    const credential = this.#parse(token);
    return credential !== undefined && this.#repository.delete(credential);
  }

  #parse(token: string): Credential | undefined {
    return parseSessionToken(token, this.#secrets);
  }

  #now(): string {
    return formatInstant(this.#clock.now());
  }
}

type Refusal = LimitRefusal | 'not_an_integer' | 'out_of_range';

const refusals: Record<Refusal, string> = {
  too_many_fields: 'The session would hold too many fields.',
  too_large: 'The session would hold too many bytes.',
  not_an_integer: 'Only a whole number in the safe-integer range can be added, and only to one.',
  out_of_range: 'The sum would leave the safe-integer range.',
};

function refusal(code: Refusal & SessionErrorCode): SessionError {
  return new SessionError(code, refusals[code]);
}

function accepted<T>(answer: T | Refusal): T {
  if (isRefusal(answer)) throw refusal(answer);
  return answer;
}

function isRefusal(answer: unknown): answer is Refusal {
  return typeof answer === 'string' && answer in refusals;
}
