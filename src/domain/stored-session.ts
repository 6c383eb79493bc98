import type { Absent, Access } from '../ports/session-repository.ts';
import { wasReplaced, withReplaced } from './replaced-secrets.ts';
import type { Session } from './session.ts';
import { decodeSession, reserved } from './session-record.ts';
import type { SecretHash, SessionId } from './session-token.ts';

/** What a store holds under a session's id. It stores both parts unchanged and need not interpret them. */
export interface StoredSession {
  /**
   * Names and values: the application's fields and Sojourn's own. Keep all names, including unknown ones, because a
   * release may add some.
   */
  readonly record: ReadonlyMap<string, string>;
  /**
   * When it expires, in milliseconds since 1970 by the store's clock. From then on it counts as missing, whether or not
   * the store has removed it.
   */
  readonly expiresAt: number;
}

/** What exists at that instant: an expired record counts as missing. */
export function alive(stored: StoredSession | undefined, now: number): StoredSession | undefined {
  return stored !== undefined && stored.expiresAt > now ? stored : undefined;
}

/** The session in the record; `undefined` if the record is a mark or has been damaged. */
export function sessionOf(
  id: SessionId,
  { record, expiresAt }: StoredSession,
  now: number,
): Session | undefined {
  return decodeSession(id, [...record].flat(), expiresAt - now);
}

/** True for the record of a session, in use or frozen. */
export function isSession(record: ReadonlyMap<string, string>): boolean {
  return record.has(reserved.secret) || record.has(reserved.frozenSecret);
}

/** Whether this secret opens the session. `reused` if one of the last rotations replaced it and its grace is over. */
export function opens(
  record: ReadonlyMap<string, string>,
  secretHash: SecretHash,
  now: number,
): true | Absent {
  if (record.get(reserved.secret) === secretHash) return true;
  if (record.get(reserved.previousSecret) === secretHash) {
    return now < Number(record.get(reserved.previousUntil) ?? 0) ? true : 'reused';
  }
  if (!wasReplaced(record.get(reserved.replaced) ?? '', secretHash)) return undefined;
  return now < Number(record.get(reserved.replacedUntil) ?? 0) ? undefined : 'reused';
}

/** The record with another secret as the current one. The replaced secret still opens the session for `graceMs`. */
export function withNextSecret(
  record: ReadonlyMap<string, string>,
  next: SecretHash,
  graceMs: number,
  now: number,
): Map<string, string> {
  const rotated = new Map(record).set(reserved.secret, next);
  rotated.set(reserved.previousSecret, record.get(reserved.secret) ?? '');
  // Without a grace this is 0, whatever the clock says: a clock that is set back must not reopen the session to this
  // secret.
  rotated.set(reserved.previousUntil, String(graceMs > 0 ? now + graceMs : 0));
  const previous = record.get(reserved.previousSecret);
  if (previous === undefined) return rotated;
  rotated.set(reserved.replaced, withReplaced(record.get(reserved.replaced) ?? '', previous));
  const until = Number(record.get(reserved.previousUntil));
  if (until > Number(record.get(reserved.replacedUntil) ?? now)) {
    rotated.set(reserved.replacedUntil, String(until));
  }
  return rotated;
}

/** The end of a lifetime that begins now, as a record stores it. */
export function deadlineAfter(lifetime: number, now: number): string {
  return String(now + lifetime * 1000);
}

/** The record with its expiry slid at that instant. `at` is recorded as the last access. */
export function slid(
  record: ReadonlyMap<string, string>,
  { at }: { readonly at: string },
  now: number,
): StoredSession {
  const idleEnd = now + Number(record.get(reserved.ttl)) * 1000;
  return {
    record: new Map(record).set(reserved.lastAccessedAt, at),
    expiresAt: Math.min(idleEnd, Number(record.get(reserved.deadline) ?? Infinity)),
  };
}

/** Like `slid`, but returns the same object if the last slide is too recent. */
export function slidIfDue(stored: StoredSession, use: Access, now: number): StoredSession {
  // At least the time since the last slide: after a slide that was limited by the lifetime, less than the ttl was left.
  const ttlMs = Number(stored.record.get(reserved.ttl)) * 1000;
  const gainMs = ttlMs - (stored.expiresAt - now);
  // It is below 0 if another program changed the expiry or the clock was set back.
  const isDue = gainMs < 0 || gainMs >= Math.min(use.refreshAfterMs, ttlMs / 2);
  return isDue ? slid(stored.record, use, now) : stored;
}
