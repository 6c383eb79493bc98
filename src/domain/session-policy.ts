import type { Durability } from '../ports/session-repository.ts';
import { SessionError } from './errors.ts';

/** How much one session may hold. Bytes are UTF-8. */
export interface SessionLimits {
  /** Application fields. Default 64. */
  readonly maxFields: number;
  /** Bytes of a field's name. Default 128. */
  readonly maxNameBytes: number;
  /** Bytes of a field's value. Default 4096. */
  readonly maxValueBytes: number;
  /** Bytes of all application fields together, names and values. Default 32768. */
  readonly maxTotalBytes: number;
}

/** The rules that every session of a service lives by. Times are whole seconds. */
export interface SessionPolicy {
  /** Idle timeout of a session that was not given its own. Default 1800. */
  readonly ttl: number;
  /** The longest idle timeout that anybody may ask for. Default 2592000 (30 days). */
  readonly maxTtl: number;
  /** How long a session lives at most, however busy it is; `undefined` for no such limit. Default 604800 (7 days). */
  readonly lifetime: number | undefined;
  /**
   * A `get` this many seconds after the last one that slid the expiry only reads, but never in the second half of the
   * session's idle timeout; 0 slides every time. Default 0.
   */
  readonly refreshAfter: number;
  /** Whether a token that a rotation replaced ends the session when it comes back after its grace. Default false: it is reported only. */
  readonly endOnReuse: boolean;
  /** How many sessions a user may have alive, never more; `undefined` for any number. Default `undefined`. */
  readonly maxSessions: number | undefined;
  /** What a login beyond `maxSessions` does: `evict-oldest` ends the oldest, `refuse` fails. Default `evict-oldest`. */
  readonly atMaxSessions: 'evict-oldest' | 'refuse';
  readonly limits: SessionLimits;
}

/** Settings of a policy; what is missing is as in `defaultPolicy`. */
export type SessionPolicyOptions = Partial<Omit<SessionPolicy, 'limits'>> & {
  readonly limits?: Partial<SessionLimits>;
};

/** The policy of a service that was given none: idle for half an hour at most, alive for a week at most. */
export const defaultPolicy: SessionPolicy = {
  ttl: 1800,
  maxTtl: 30 * 24 * 3600,
  lifetime: 7 * 24 * 3600,
  refreshAfter: 0,
  endOnReuse: false,
  maxSessions: undefined,
  atMaxSessions: 'evict-oldest',
  limits: { maxFields: 64, maxNameBytes: 128, maxValueBytes: 4096, maxTotalBytes: 32 * 1024 },
};

// Redis counts in milliseconds and in 64 bits; a hundred years of them stay exact in a double as well.
const MAX_SECONDS = 100 * 366 * 24 * 3600;

/** The policy with its defaults filled in, checked once. Throws a `SessionError` (`invalid_policy`) that names the setting. */
export function createPolicy(options: SessionPolicyOptions = {}): SessionPolicy {
  const policy: SessionPolicy = {
    ...defaultPolicy,
    ...options,
    limits: { ...defaultPolicy.limits, ...options.limits },
  };
  requireWhole('maxTtl', policy.maxTtl, 1, MAX_SECONDS);
  requireWhole('ttl', policy.ttl, 1, policy.maxTtl);
  if (policy.lifetime !== undefined) requireWhole('lifetime', policy.lifetime, 1, MAX_SECONDS);
  if (policy.maxSessions !== undefined) requireWhole('maxSessions', policy.maxSessions, 1, 10_000);
  requireWhole('refreshAfter', policy.refreshAfter, 0, policy.maxTtl);
  for (const [name, limit] of Object.entries(policy.limits)) requireWhole(name, limit, 1, 2 ** 29);
  return policy;
}

/** The ttl, if it is one that the policy allows. Throws a `SessionError` (`invalid_ttl`). */
export function checkTtl(ttl: number, policy: SessionPolicy): number {
  if (isWhole(ttl, 1, policy.maxTtl)) return ttl;
  throw new SessionError(
    'invalid_ttl',
    `ttl must be a whole number of seconds from 1 to ${policy.maxTtl}.`,
  );
}

/** The lifetime, if the policy allows it. Throws a `SessionError` (`invalid_ttl`). */
export function checkLifetime(
  lifetime: number | undefined,
  policy: SessionPolicy,
): number | undefined {
  const most = policy.lifetime ?? MAX_SECONDS;
  if (lifetime === policy.lifetime || isWhole(lifetime ?? 0, 1, most)) return lifetime;
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

function isWhole(value: number, least: number, most: number): boolean {
  return Number.isSafeInteger(value) && value >= least && value <= most;
}
