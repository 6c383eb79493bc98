import type { NewSession } from '../ports/session-repository.ts';
import type { Device } from './device.ts';
import type { Session } from './session.ts';
import { MAX_SECONDS } from './session-policy.ts';
import type { SessionId } from './session-token.ts';

/**
 * The names that Sojourn reserves in a session's record. Every other name that begins with `session_` is reserved as
 * well.
 */
export const reserved = {
  createdAt: 'created_at',
  lastAccessedAt: 'last_accessed_at',
  ttl: 'session_ttl',
  secret: 'session_secret',
  deadline: 'session_deadline',
  user: 'session_user',
  authenticatedAt: 'session_authenticated_at',
  persistent: 'session_persistent',
  deviceLabel: 'session_device',
  userAgent: 'session_user_agent',
  address: 'session_address',
  /** The secret that the last rotation replaced, and until when it still opens the session. */
  previousSecret: 'session_previous_secret',
  previousUntil: 'session_previous_until',
  /**
   * `withReplaced`: the secrets that earlier rotations replaced, and when the last of their graces would have ended.
   */
  replaced: 'session_replaced',
  replacedUntil: 'session_replaced_until',
  /** Only in the mark of an id that was ended before its session was written: `revoked` or `evicted`. */
  ended: 'session_ended',
  /**
   * While a session moves to another store, the two secrets that open it are kept under these names, so that nothing
   * opens it.
   */
  frozenSecret: 'session_frozen_secret',
  frozenPreviousSecret: 'session_frozen_previous',
  /** The last freeze of a session; the claims of its copies begin with it. It stays after `unfreeze`. */
  freeze: 'session_freeze',
  /** Only in a copy that is not in use yet: its claim. */
  claim: 'session_claim',
  /** Only in what remains of a session that has moved: the claim of the copy that is now the session. */
  released: 'session_released',
} as const;

/** The fields that have another name while a session is frozen, with that name. */
export const frozenNames = new Map<string, string>([
  [reserved.secret, reserved.frozenSecret],
  [reserved.previousSecret, reserved.frozenPreviousSecret],
]);

/** The freeze to which the claim of a copy belongs. */
export function freezeOf(claim: string): string {
  return claim.split('.', 1)[0] ?? '';
}

/** How many times the session had been frozen when this claim was made; 0 without a claim. */
export function freezesOf(claim: string | undefined): number {
  return Number(/^(\d{1,15})-/.exec(claim ?? '')?.[1] ?? 0);
}

/** The instants in a record that refer to the store's clock, in milliseconds since 1970. 0 means none. */
export const storeInstants: ReadonlySet<string> = new Set([
  reserved.deadline,
  reserved.previousUntil,
  reserved.replacedUntil,
]);

/**
 * Clocks that differ by less are treated as equal, so that the displayed end of a session does not move by a trifle.
 */
export const SAME_CLOCK_MS = 2000;

/** How far the instants of one store have to be shifted to mean the same in another, in milliseconds. */
export function clockShift(there: number, here: number): number {
  return Math.abs(here - there) < SAME_CLOCK_MS ? 0 : here - there;
}

/** True for a name that applications can neither write nor remove. */
export function isReserved(name: string): boolean {
  return (
    name.startsWith('session_') || name === reserved.createdAt || name === reserved.lastAccessedAt
  );
}

/** The record of a new session, names and values in turn. The store adds the end of the lifetime by its own clock. */
export function newRecord(session: NewSession): string[] {
  const { credential, user, fields, ttl, device, persistent, at } = session;
  const record: string[] = [reserved.createdAt, at, reserved.lastAccessedAt, at];
  record.push(reserved.ttl, String(ttl), reserved.secret, credential.secretHash);
  if (user !== undefined) record.push(reserved.user, user, reserved.authenticatedAt, at);
  if (persistent) record.push(reserved.persistent, '1');
  for (const [name, text] of Object.entries(deviceFields(device))) record.push(name, text);
  for (const [name, value] of fields) record.push(name, value);
  return record;
}

/** The session as a store would return it if it had been created at `now`, in milliseconds since 1970. */
export function sessionAtBirth(session: NewSession, now: number): Session {
  const { credential, ttl, lifetime } = session;
  const record = newRecord(session);
  if (lifetime !== undefined) record.push(reserved.deadline, String(now + lifetime * 1000));
  const remainingMs = Math.min(ttl, lifetime ?? ttl) * 1000;
  return decodeSession(credential.id, record, remainingMs) as Session; // a new record is complete
}

/**
 * Decodes a stored record: names and values in turn, as Redis returns HGETALL. Returns `undefined` if a reserved field
 * is missing, or if a number is not a whole number in plain decimal digits and in range. Secrets are left out.
 */
export function decodeSession(
  id: SessionId,
  record: readonly string[],
  remainingMs: number,
): Session | undefined {
  let createdAt: string | undefined;
  let lastAccessedAt: string | undefined;
  let ttl: number | undefined;
  let sound = true;
  let user: string | undefined;
  let authenticatedAt: string | undefined;
  let endsAt: number | undefined;
  let persistent = false;
  const device: { -readonly [Name in keyof Device]: Device[Name] } = {};
  const fields: Record<string, string> = Object.create(null);
  for (let i = 0; i + 1 < record.length; i += 2) {
    const name = record[i] as string;
    const value = record[i + 1] as string;
    switch (name) {
      case reserved.createdAt:
        createdAt = value;
        break;
      case reserved.lastAccessedAt:
        lastAccessedAt = value;
        break;
      case reserved.ttl:
        ttl = toWhole(value, MAX_SECONDS);
        break;
      case reserved.user:
        user = value;
        break;
      case reserved.deadline:
        endsAt = toWhole(value, Number.MAX_SAFE_INTEGER);
        sound &&= endsAt !== undefined;
        break;
      case reserved.previousUntil:
        sound &&= value === '0' || toWhole(value, Number.MAX_SAFE_INTEGER) !== undefined;
        break;
      case reserved.authenticatedAt:
        authenticatedAt = value;
        break;
      case reserved.persistent:
        persistent = true;
        break;
      case reserved.deviceLabel:
        device.label = value;
        break;
      case reserved.userAgent:
        device.userAgent = value;
        break;
      case reserved.address:
        device.address = value;
        break;
      default:
        if (!isReserved(name)) fields[name] = value;
    }
  }
  if (createdAt === undefined || lastAccessedAt === undefined) return undefined;
  if (ttl === undefined || !sound) return undefined;
  return {
    id,
    user,
    fields,
    createdAt,
    authenticatedAt,
    lastAccessedAt,
    ttl,
    remainingMs,
    endsAt,
    persistent,
    device,
  };
}

/**
 * A number from 1 to `max` as Sojourn writes it. `Number` alone would also accept `1e3`, `0x10`, ` 5` and an empty
 * text.
 */
function toWhole(text: string, max: number): number | undefined {
  const number = /^[1-9]\d*$/.test(text) ? Number(text) : Infinity;
  return number <= max ? number : undefined;
}

/**
 * The record of a session under its stored names, application fields last, without hashes of secrets. It may be shown.
 */
export function encodeSession(session: Session): Record<string, string> {
  const record: Record<string, string> = Object.create(null);
  record[reserved.createdAt] = session.createdAt;
  record[reserved.lastAccessedAt] = session.lastAccessedAt;
  record[reserved.ttl] = String(session.ttl);
  if (session.endsAt !== undefined) record[reserved.deadline] = String(session.endsAt);
  if (session.user !== undefined) record[reserved.user] = session.user;
  if (session.authenticatedAt !== undefined) {
    record[reserved.authenticatedAt] = session.authenticatedAt;
  }
  if (session.persistent) record[reserved.persistent] = '1';
  return Object.assign(record, deviceFields(session.device), session.fields);
}

function deviceFields({ label, userAgent, address }: Device): Record<string, string> {
  return {
    ...(label !== undefined && { [reserved.deviceLabel]: label }),
    ...(userAgent !== undefined && { [reserved.userAgent]: userAgent }),
    ...(address !== undefined && { [reserved.address]: address }),
  };
}
