import type { Absent, Access } from '../ports/session-repository.ts';
import { wasReplaced, withReplaced } from './replaced-secrets.ts';
import type { Session } from './session.ts';
import { decodeSession, reserved } from './session-record.ts';
import type { SecretHash, SessionId } from './session-token.ts';

/** What a store keeps under a session's id. The store does not need to understand either part. */
export interface StoredSession {
  /**
   * Names and values: the application's fields and Sojourn's own. Keep all of them, including names that this release
   * does not know: servers of a newer one may run beside it.
   */
  readonly record: ReadonlyMap<string, string>;
  /**
   * When it expires, in milliseconds since 1970 by the store's clock. From then on it counts as missing, even if the store
   * has not removed it.
   */
  readonly expiresAt: number;
}

/** What is stored, unless it has expired. */
export function alive(stored: StoredSession | undefined, now: number): StoredSession | undefined {
  return stored !== undefined && stored.expiresAt > now ? stored : undefined;
}

/** The session in the record; `undefined` if it is a placeholder, or if another program has damaged it. */
export function sessionOf(
  id: SessionId,
  { record, expiresAt }: StoredSession,
  now: number,
): Session | undefined {
  return decodeSession(id, [...record].flat(), expiresAt - now);
}

/** Whether the record is that of a session, in use or frozen. */
export function isSession(record: ReadonlyMap<string, string>): boolean {
  return record.has(reserved.secret) || record.has(reserved.frozenSecret);
}

/** Whether that secret opens the session. `reused` if one of the last rotations replaced it and its grace is over. */
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

/** The record with `next` as its secret. The replaced one opens the session for `graceMs` more. */
export function withNextSecret(
  record: ReadonlyMap<string, string>,
  next: SecretHash,
  graceMs: number,
  now: number,
): Map<string, string> {
  const rotated = new Map(record).set(reserved.secret, next);
  rotated.set(reserved.previousSecret, record.get(reserved.secret) ?? '');
  // Without a grace it is 0 and not now: a clock that is set back must not reopen the session to the old secret.
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

/** The end of a lifetime that begins now, as it stands in a record. */
export function deadlineAfter(lifetime: number, now: number): string {
  return String(now + lifetime * 1000);
}

/** The record after a slide at `now`: with a new expiry, and `at` as the last access. */
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

/** As `slid`, but returns the same object if the last slide is too recent. */
export function slidIfDue(stored: StoredSession, use: Access, now: number): StoredSession {
  // At least the time since the last slide: one that the lifetime cut off left less than the ttl.
  const ttlMs = Number(stored.record.get(reserved.ttl)) * 1000;
  const gainMs = ttlMs - (stored.expiresAt - now);
  // It is negative if another program changed the expiry, or if the clock was set back.
  const isDue = gainMs < 0 || gainMs >= Math.min(use.refreshAfterMs, ttlMs / 2);
  return isDue ? slid(stored.record, use, now) : stored;
}
