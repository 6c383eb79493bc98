import type { Device } from './device.ts';
import type { SessionId } from './session-token.ts';

/** A live session, as one atomic read returned it. */
export interface Session {
  /** Names the session; it is not secret. */
  readonly id: SessionId;
  /** The user that the session was started for, if any. */
  readonly user: string | undefined;
  /**
   * The application's own fields. The object has no prototype, so `constructor` or `__proto__` are ordinary field
   * names.
   */
  readonly fields: Readonly<Record<string, string>>;
  /** UTC in whole seconds, `2026-04-02T12:34:56+00:00`. */
  readonly createdAt: string;
  /** UTC in whole seconds: when the user last authenticated; `undefined` for a session without a user. */
  readonly authenticatedAt: string | undefined;
  /** UTC in whole seconds: the last use that slid the expiry. */
  readonly lastAccessedAt: string;
  /** Idle timeout: the number of seconds that the session lives without being used. */
  readonly ttl: number;
  /** Milliseconds until the session ends if it is not used. Always above zero. */
  readonly remainingMs: number;
  /**
   * End of the lifetime, however much the session is used, in milliseconds since 1970 by the store's clock; `undefined`
   * without a lifetime.
   */
  readonly endsAt: number | undefined;
  /** True for a session that should outlive the browser ("remember me"): its cookie gets a `Max-Age`. */
  readonly persistent: boolean;
  /** The device on which the session was started, as far as the application recorded it. */
  readonly device: Device;
}

/** The instant in the format that sessions store: UTC, whole seconds, with an explicit offset (RFC 3339). */
export function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}+00:00`;
}

/** Whole seconds until the session ends, rounded up, so that a live session never shows 0. */
export function remainingSeconds(session: Session): number {
  return Math.ceil(session.remainingMs / 1000);
}
