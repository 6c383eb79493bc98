import type { Durability } from '../ports/session-repository.ts';
import { SessionError } from './errors.ts';
import { mostLimits, type SessionLimits } from './session-limits.ts';
import { isWhole } from './whole-number.ts';

/** How long a remembered session lives, that is, one started with `persistent: true`. All times are whole seconds. */
export interface RememberPolicy {
  /**
   * Idle timeout of a remembered session that does not set its own. It may exceed the policy's `maxTtl`; `setTtl` then
   * accepts up to this value for such a session. If the policy's `ttl` is longer than the default, that is the default
   * instead.
   * @default 2592000 (30 days)
   */
  readonly ttl: number;
  /**
   * Maximum lifetime of a remembered session, however much it is used; `undefined` for no limit. If the policy's
   * `lifetime` is longer than the default or `undefined`, that is the default instead.
   * @default 7776000 (90 days)
   */
  readonly lifetime: number | undefined;
}

/** The rules for all sessions of a service. All times are whole seconds. */
export interface SessionPolicy {
  /** Idle timeout of a session that does not set its own: how long it lives without being used. @default 1800 */
  readonly ttl: number;
  /** The longest idle timeout that a session may be given. @default 2592000 (30 days) */
  readonly maxTtl: number;
  /** Maximum lifetime of a session, however much it is used; `undefined` for no limit. @default 604800 (7 days) */
  readonly lifetime: number | undefined;
  /** "Remember me": the `ttl` and `lifetime` of a session that is started with `persistent: true`. */
  readonly remember: RememberPolicy;
  /**
   * Within this many seconds of the last slide, `get` only reads and does not write to the store. It always slides in
   * the second half of the idle timeout, so that a session in use never expires. Raise it to save writes; 0 slides
   * every time.
   * @default 0
   */
  readonly refreshAfter: number;
  /**
   * Ends the session when a token comes back that one of the last nine rotations replaced and whose grace is over: it
   * may be stolen. By default such a token is refused and reported to the observer. Older tokens are only refused.
   * @default false
   */
  readonly endOnReuse: boolean;
  /**
   * How many sessions a user may have at the same time; `undefined` for any number. The limit also holds for concurrent
   * logins. A login that replaces a session (`replaces` of `create`, or `session.start` of the middleware) does not
   * count that session.
   * @default undefined
   */
  readonly maxSessions: number | undefined;
  /**
   * What a login beyond `maxSessions` does: `evict-oldest` ends the user's oldest session, `refuse` throws
   * `too_many_sessions`.
   * @default 'evict-oldest'
   */
  readonly atMaxSessions: 'evict-oldest' | 'refuse';
  /** How much a session may hold. */
  readonly limits: SessionLimits;
}

/** Settings of a policy. Omitted ones are taken from `defaultPolicy`. */
export type SessionPolicyOptions = Partial<Omit<SessionPolicy, 'limits' | 'remember'>> & {
  readonly limits?: Partial<SessionLimits>;
  readonly remember?: Partial<RememberPolicy>;
};

/** The times that apply to one session. */
export type SessionTimes = Pick<SessionPolicy, 'ttl' | 'maxTtl' | 'lifetime'>;

const DAY_SECONDS = 24 * 3600;

/** The policy of a service that is given none: an idle timeout of half an hour and a lifetime of a week. */
export const defaultPolicy: SessionPolicy = {
  ttl: 1800,
  maxTtl: 30 * DAY_SECONDS,
  lifetime: 7 * DAY_SECONDS,
  remember: { ttl: 30 * DAY_SECONDS, lifetime: 90 * DAY_SECONDS },
  refreshAfter: 0,
  endOnReuse: false,
  maxSessions: undefined,
  atMaxSessions: 'evict-oldest',
  limits: { maxFields: 64, maxNameBytes: 128, maxValueBytes: 4096, maxTotalBytes: 32 * 1024 },
};

/**
 * The longest time that any setting accepts: a hundred years. Redis counts milliseconds in 64 bits, and this many are
 * still exact in a double.
 */
export const MAX_SECONDS = 100 * 366 * 24 * 3600;

/**
 * Fills in the defaults and checks every setting.
 *
 * @throws `SessionError` (`invalid_policy`), with the name of the setting.
 */
export function createPolicy(options: SessionPolicyOptions = {}): SessionPolicy {
  const policy = {
    ...defaultPolicy,
    ...options,
    limits: { ...defaultPolicy.limits, ...options.limits },
  };
  requireWhole('maxTtl', policy.maxTtl, 1, MAX_SECONDS);
  requireWhole('ttl', policy.ttl, 1, policy.maxTtl);
  if (policy.lifetime !== undefined) requireWhole('lifetime', policy.lifetime, 1, MAX_SECONDS);
  if (policy.maxSessions !== undefined) requireWhole('maxSessions', policy.maxSessions, 1, 10_000);
  requireOneOf('atMaxSessions', policy.atMaxSessions, ['evict-oldest', 'refuse']);
  requireWhole('refreshAfter', policy.refreshAfter, 0, policy.maxTtl);
  requireOneOf('endOnReuse', policy.endOnReuse, [true, false]);
  for (const name of Object.keys(mostLimits) as (keyof SessionLimits)[]) {
    requireWhole(name, policy.limits[name], 1, mostLimits[name]);
  }
  return { ...policy, remember: createRememberPolicy(policy, options.remember) };
}

// By default a remembered session lives at least as long as one that is not remembered.
function createRememberPolicy(
  { ttl, lifetime }: Pick<SessionPolicy, 'ttl' | 'lifetime'>,
  options: Partial<RememberPolicy> = {},
): RememberPolicy {
  if (typeof options !== 'object' || options === null) {
    throw new SessionError('invalid_policy', 'remember must be an object: { ttl, lifetime }.');
  }
  const { remember } = defaultPolicy;
  const policy = {
    ttl: Math.max(remember.ttl, ttl),
    lifetime: lifetime === undefined ? undefined : Math.max(remember.lifetime ?? 0, lifetime),
    ...options,
  };
  requireWhole('remember.ttl', policy.ttl, 1, MAX_SECONDS);
  if (policy.lifetime !== undefined) {
    requireWhole('remember.lifetime', policy.lifetime, 1, MAX_SECONDS);
  }
  return policy;
}

/** The times of the policy for a session: those of `remember` if it is persistent. */
export function timesFor(policy: SessionPolicy, persistent: boolean): SessionTimes {
  if (!persistent) return policy;
  const { ttl, lifetime } = policy.remember;
  return { ttl, lifetime, maxTtl: Math.max(ttl, policy.maxTtl) };
}

/** Returns the ttl if the policy allows it. Throws a `SessionError` (`invalid_ttl`) otherwise. */
export function checkTtl(ttl: number, { maxTtl }: Pick<SessionTimes, 'maxTtl'>): number {
  if (isWhole(ttl, 1, maxTtl)) return ttl;
  throw new SessionError(
    'invalid_ttl',
    `ttl must be a whole number of seconds from 1 to ${maxTtl}.`,
  );
}

/** Returns the lifetime if the policy allows it. Throws a `SessionError` (`invalid_ttl`) otherwise. */
export function checkLifetime(
  lifetime: number | undefined,
  allowed: Pick<SessionTimes, 'lifetime'>,
): number | undefined {
  const most = allowed.lifetime ?? MAX_SECONDS;
  if (lifetime === allowed.lifetime || isWhole(lifetime ?? 0, 1, most)) return lifetime;
  throw new SessionError(
    'invalid_ttl',
    `lifetime must be a whole number of seconds from 1 to ${most}.`,
  );
}

/** Returns the grace if it is at most the policy's `maxTtl`. Throws a `SessionError` (`invalid_ttl`) otherwise. */
export function checkGrace(grace: number, policy: SessionPolicy): number {
  if (isWhole(grace, 0, policy.maxTtl)) return grace;
  throw new SessionError(
    'invalid_ttl',
    `grace must be a whole number of seconds from 0 to ${policy.maxTtl}.`,
  );
}

/** Returns the durability if it is in range. Throws a `SessionError` (`invalid_durability`) otherwise. */
export function checkDurability({ replicas, timeoutMs }: Durability): Durability {
  if (isWhole(replicas, 1, 100) && isWhole(timeoutMs, 1, 60_000)) return { replicas, timeoutMs };
  throw new SessionError(
    'invalid_durability',
    'replicas must be a whole number from 1 to 100, timeoutMs one from 1 to 60000.',
  );
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (isWhole(value, least, most)) return;
  throw new SessionError(
    'invalid_policy',
    `${name} must be a whole number from ${least} to ${most}, not ${String(value)}.`,
  );
}

function requireOneOf<T>(name: string, value: T, allowed: readonly T[]): void {
  if (allowed.includes(value)) return;
  const choices = allowed.map((one) => JSON.stringify(one)).join(' or ');
  throw new SessionError('invalid_policy', `${name} must be ${choices}.`);
}
