import { ConfigError } from '../config.ts';
import { remainingSeconds, type Session } from '../domain/session.ts';
import { parseSessionId, type SessionId } from '../domain/session-token.ts';

/**
 * A session for programs. Names are those of the server's JSON and of the fields in Redis; missing values are `null`.
 */
export function sessionJson(session: Session, prefix: string): Record<string, unknown> {
  const { label = null, userAgent = null, address = null } = session.device;
  const endsAt = session.endsAt === undefined ? undefined : new Date(session.endsAt);
  return {
    id: session.id,
    key: prefix + session.id,
    user: session.user ?? null,
    created_at: session.createdAt,
    last_accessed_at: session.lastAccessedAt,
    authenticated_at: session.authenticatedAt ?? null,
    configured_ttl: session.ttl,
    ttl: remainingSeconds(session),
    ends_at: endsAt === undefined || Number.isNaN(endsAt.getTime()) ? null : endsAt.toISOString(),
    persistent: session.persistent,
    device: { label, user_agent: userAgent, address },
  };
}

/** Seconds since an instant of the session; `undefined` if the field holds something else. */
export function secondsSince(instant: string, now: number): number | undefined {
  const at = Date.parse(instant);
  return Number.isNaN(at) ? undefined : Math.max(0, Math.round((now - at) / 1000));
}

/**
 * The id, which may be given as the whole key. Throws a `ConfigError` that does not repeat the argument: it may be a
 * token.
 */
export function requireId(operand: string | undefined, prefix: string): SessionId {
  if (operand === undefined) throw new ConfigError('ID is missing');
  const id = parseSessionId(operand.startsWith(prefix) ? operand.slice(prefix.length) : operand);
  const [, other] = /^([^.]*:)[\w-]{22}$/.exec(operand) ?? [];
  if (id === undefined && other !== undefined) {
    throw new ConfigError(`ID is a key with another prefix: add --prefix ${other}`);
  }
  if (id === undefined) {
    throw new ConfigError('ID must be the 22 characters after the prefix of a key');
  }
  return id;
}
