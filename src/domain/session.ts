import type { Device } from './device.ts';
import type { SessionId } from './session-token.ts';

/** What a live session holds, as one atomic read saw it. */
export interface Session {
  readonly id: SessionId;
  /** The owner it was started for, if any. */
  readonly user: string | undefined;
  /** The application's own fields. It has no prototype, so that any name is just a name. */
  readonly fields: Readonly<Record<string, string>>;
  /** UTC in whole seconds, `2026-04-02T12:34:56+00:00`. */
  readonly createdAt: string;
  /** UTC in whole seconds: when the user last proved who they are; `undefined` for a session without a user. */
  readonly authenticatedAt: string | undefined;
  /** UTC in whole seconds: the last use that slid the expiry. */
  readonly lastAccessedAt: string;
  /** Idle timeout: seconds the session lives without being used. */
  readonly ttl: number;
  /** Milliseconds until it ends if nobody uses it; above zero. */
  readonly remainingMs: number;
  /** When it ends however busy it is, in milliseconds since 1970 by the store's clock; `undefined` without a lifetime. */
  readonly endsAt: number | undefined;
  /** True for a session that should outlive the browser ("remember me"): its cookie is given a lifetime of its own. */
  readonly persistent: boolean;
  /** Where it was started, as far as the application said. */
  readonly device: Device;
}

/** The instant as sessions keep it: UTC, whole seconds, with the offset spelled out (RFC 3339). */
export function formatInstant(epochMs: number): string {
  return `${new Date(epochMs).toISOString().slice(0, 19)}+00:00`;
}

/** Whole seconds until the session ends, rounded up: a live session never shows 0. */
export function remainingSeconds(session: Session): number {
  return Math.ceil(session.remainingMs / 1000);
}
