import type { Durability } from '../ports/session-repository.ts';
import { SessionError } from './errors.ts';
import { mostLimits, type SessionLimits } from './session-limits.ts';

/** How long a remembered session lives: one that is started with `persistent: true`. Times are whole seconds. */
export interface RememberPolicy {
  /**
   * Idle timeout of a remembered session that was not given its own. It may be longer than the policy's `maxTtl`, and
   * such a session may then be given up to as much by `setTtl`. Default 2592000 (30 days), or the policy's `ttl` where
   * that is longer.
   */
  readonly ttl: number;
  /**
   * How long a remembered session lives at most, however busy it is; `undefined` for no such limit. Default 7776000
   * (90 days), or the policy's `lifetime` where that is longer or `undefined`.
   */
  readonly lifetime: number | undefined;
}

/** The rules that every session of a service lives by. Times are whole seconds. */
export interface SessionPolicy {
  /** Idle timeout of a session that was not given its own. Default 1800. */
  readonly ttl: number;
  /** The longest idle timeout that anybody may ask for. Default 2592000 (30 days). */
  readonly maxTtl: number;
  /** How long a session lives at most, however busy it is; `undefined` for no such limit. Default 604800 (7 days). */
  readonly lifetime: number | undefined;
  /** "Remember me": what a session that is started with `persistent: true` lives by instead of `ttl` and `lifetime`. */
  readonly remember: RememberPolicy;
  /**
   * A `get` this many seconds after the last one that slid the expiry only reads, but never in the second half of the
   * session's idle timeout; 0 slides every time. Default 0.
   */
  readonly refreshAfter: number;
  /**
   * Whether a token that one of the last nine rotations replaced ends the session when it comes back after its grace.
   * Older ones are only refused. Default false: it is reported only.
   */
  readonly endOnReuse: boolean;
  /** How many sessions a user may have alive, never more; `undefined` for any number. Default `undefined`. */
  readonly maxSessions: number | undefined;
  /**
   * What a login beyond `maxSessions` does: `evict-oldest` ends the oldest, `refuse` throws `too_many_sessions`. Default
   * `evict-oldest`.
   */
  readonly atMaxSessions: 'evict-oldest' | 'refuse';
  readonly limits: SessionLimits;
}

/** Settings of a policy; what is missing is as in `defaultPolicy`. */
export type SessionPolicyOptions = Partial<Omit<SessionPolicy, 'limits' | 'remember'>> & {
  readonly limits?: Partial<SessionLimits>;
  readonly remember?: Partial<RememberPolicy>;
};

/** The times that a session is held to. */
export type SessionTimes = Pick<SessionPolicy, 'ttl' | 'maxTtl' | 'lifetime'>;

const DAY_SECONDS = 24 * 3600;

/** The policy of a service that was given none: idle for half an hour at most, alive for a week at most. */
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
 * The longest time that any setting can name. Redis counts in milliseconds and in 64 bits; a hundred years of them stay
 * exact in a double as well.
 */
export const MAX_SECONDS = 100 * 366 * 24 * 3600;

/** The policy with its defaults filled in, checked once. Throws a `SessionError` (`invalid_policy`) that names the setting. */
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

// By default a remembered session does not end before one that is not.
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

/** The times of a policy that hold for a session: those of `remember` where it is persistent. */
export function timesFor(policy: SessionPolicy, persistent: boolean): SessionTimes {
  if (!persistent) return policy;
  const { ttl, lifetime } = policy.remember;
  return { ttl, lifetime, maxTtl: Math.max(ttl, policy.maxTtl) };
}

/** The ttl, if it is one that the policy allows. Throws a `SessionError` (`invalid_ttl`). */
export function checkTtl(ttl: number, { maxTtl }: Pick<SessionTimes, 'maxTtl'>): number {
  if (isWhole(ttl, 1, maxTtl)) return ttl;
  throw new SessionError(
    'invalid_ttl',
    `ttl must be a whole number of seconds from 1 to ${maxTtl}.`,
  );
}

/** The lifetime, if the policy allows it. Throws a `SessionError` (`invalid_ttl`). */
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

/** The grace, if the policy allows it: as long as a session may idle at most. Throws a `SessionError` (`invalid_ttl`). */
export function checkGrace(grace: number, policy: SessionPolicy): number {
  if (isWhole(grace, 0, policy.maxTtl)) return grace;
  throw new SessionError(
    'invalid_ttl',
    `grace must be a whole number of seconds from 0 to ${policy.maxTtl}.`,
  );
}

/** The durability, if it can be had. Throws a `SessionError` (`invalid_durability`). */
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
    `${name} must be a whole number from ${least} to ${most}.`,
  );
}

function requireOneOf<T>(name: string, value: T, allowed: readonly T[]): void {
  if (allowed.includes(value)) return;
  const choices = allowed.map((one) => JSON.stringify(one)).join(' or ');
  throw new SessionError('invalid_policy', `${name} must be ${choices}.`);
}

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
