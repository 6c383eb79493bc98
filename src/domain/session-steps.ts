import type {
  Absent,
  Access,
  Ended,
  EndOptions,
  FieldChange,
  FieldIncrement,
  FieldRemoval,
  FieldReplacement,
  IncrementRefusal,
  LimitRefusal,
  NewSession,
  Rotated,
  Rotation,
  TtlChange,
} from '../ports/session-repository.ts';
import type { Session } from './session.ts';
import { exceededLimit } from './session-fields.ts';
import { newRecord, reserved } from './session-record.ts';
import type { Credential, SessionId } from './session-token.ts';
import {
  alive,
  deadlineAfter,
  isSession,
  opens,
  type StoredSession,
  sessionOf,
  slid,
  slidIfDue,
  withNextSecret,
} from './stored-session.ts';

/**
 * The result of a `SessionRepository` method, calculated from what the store holds under the session's id at the
 * instant `now`, in milliseconds since 1970 by the store's clock. The calculation itself neither reads nor writes. The
 * store makes it atomic: it reads, calculates the step, and writes `next` if nothing has been written in between;
 * otherwise it starts again.
 */
export interface Step<Answer> {
  /** The answer of the method. */
  readonly answer: Answer;
  /**
   * What the store must hold from now on; `undefined` for nothing. If nothing changes, it is the same object as before.
   */
  readonly next: StoredSession | undefined;
}

/** Calculates `SessionRepository.create`. */
export function createStep(
  stored: StoredSession | undefined,
  now: number,
  session: NewSession,
): Step<Session | 'evicted' | undefined> {
  const taken = alive(stored, now);
  if (taken !== undefined) {
    const evicted = taken.record.get(reserved.ended) === 'evicted';
    return { answer: evicted ? 'evicted' : undefined, next: stored };
  }
  const record = toMap(newRecord(session));
  const { credential, lifetime } = session;
  if (lifetime !== undefined) record.set(reserved.deadline, deadlineAfter(lifetime, now));
  const next = slid(record, session, now);
  return { answer: sessionOf(credential.id, next, now), next };
}

/** Calculates `SessionRepository.read`. */
export function readStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
): Step<Session | Absent> {
  return opened(stored, now, credential, (next, session) => ({ answer: session, next }));
}

/** Calculates `SessionRepository.access`. */
export function accessStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  access: Access,
): Step<Session | Absent> {
  return opened(stored, now, credential, (there, session) => {
    const next = slidIfDue(there, access, now);
    if (next === there) return { answer: session, next };
    const remainingMs = next.expiresAt - now;
    return { answer: { ...session, lastAccessedAt: access.at, remainingMs }, next };
  });
}

/** Calculates `SessionRepository.update`. */
export function updateStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  change: FieldChange,
): Step<true | LimitRefusal | Absent> {
  return opened(stored, now, credential, (there) => updated(there, now, change));
}

/** Calculates `SessionRepository.increment`. */
export function incrementStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  { field, by, limits, at }: FieldIncrement,
): Step<number | IncrementRefusal | LimitRefusal | Absent> {
  return opened<number | IncrementRefusal | LimitRefusal>(stored, now, credential, (there) => {
    const sum = addTo(there.record.get(field) ?? '0', by);
    if (typeof sum !== 'number') return { answer: sum, next: there };
    const set = new Map([[field, String(sum)]]);
    const { answer, next } = updated(there, now, { set, unset: [], limits, at });
    return { answer: answer === true ? sum : answer, next };
  });
}

/** Calculates `SessionRepository.replace`. */
export function replaceStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  { field, expected, next, limits, at }: FieldReplacement,
): Step<boolean | LimitRefusal | Absent> {
  return opened<boolean | LimitRefusal>(stored, now, credential, (there) => {
    if (there.record.get(field) !== expected) return { answer: false, next: there };
    const set = new Map(next === undefined ? [] : [[field, next]]);
    const unset = next === undefined ? [field] : [];
    return updated(there, now, { set, unset, limits, at });
  });
}

/** Calculates `SessionRepository.take`. */
export function takeStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  { field, at }: FieldRemoval,
): Step<{ readonly value: string | undefined } | Absent> {
  return opened(stored, now, credential, (there) => {
    const record = new Map(there.record);
    record.delete(field);
    return { answer: { value: there.record.get(field) }, next: slid(record, { at }, now) };
  });
}

/** Calculates `SessionRepository.setTtl`. */
export function setTtlStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  { ttl, at }: TtlChange,
): Step<true | Absent> {
  return opened(stored, now, credential, (there) => {
    const record = new Map(there.record).set(reserved.ttl, String(ttl));
    return { answer: true, next: slid(record, { at }, now) };
  });
}

/** Calculates `SessionRepository.rotate`. */
export function rotateStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
  { next, graceMs, reauthenticated, at }: Rotation,
): Step<Rotated | false | Absent> {
  return opened<Rotated | false>(stored, now, credential, (there, { user }) => {
    const isCurrent = there.record.get(reserved.secret) === credential.secretHash;
    if (!isCurrent) return { answer: false, next: there };
    const record = withNextSecret(there.record, next, graceMs, now);
    if (reauthenticated !== undefined) {
      const { lifetime } = reauthenticated;
      record.set(reserved.authenticatedAt, at);
      if (lifetime === undefined) record.delete(reserved.deadline);
      else record.set(reserved.deadline, deadlineAfter(lifetime, now));
    }
    return { answer: { user }, next: slid(record, { at }, now) };
  });
}

/** Calculates `SessionRepository.delete`. */
export function deleteStep(
  stored: StoredSession | undefined,
  now: number,
  credential: Credential,
): Step<Ended | Absent> {
  return opened<Ended>(stored, now, credential, (_, { user }) => ({
    answer: { user },
    next: undefined,
  }));
}

/** Calculates `SessionRepository.find`. */
export function findStep(
  stored: StoredSession | undefined,
  now: number,
  id: SessionId,
): Step<Session | undefined> {
  const there = alive(stored, now);
  return { answer: there && sessionOf(id, there, now), next: stored };
}

/** Calculates `SessionRepository.end`. */
export function endStep(
  stored: StoredSession | undefined,
  now: number,
  { unbornMs, unbornAs = 'revoked' }: EndOptions,
): Step<Ended | undefined> {
  const there = alive(stored, now);
  if (there !== undefined && isSession(there.record)) {
    const { record } = there;
    const frozen = record.has(reserved.frozenSecret);
    const answer = { user: record.get(reserved.user), ...(frozen && { frozen }) };
    if (!record.has(reserved.claim)) return { answer, next: undefined };
    // A copy that is not in use yet. The mark keeps another copy from being adopted.
    const expiresAt = Math.max(there.expiresAt, now + unbornMs);
    return { answer, next: { record: new Map([[reserved.ended, unbornAs]]), expiresAt } };
  }
  if (unbornMs === 0) {
    return { answer: undefined, next: there?.record.has(reserved.released) ? undefined : stored };
  }
  // This record lacks the fields of a session, so it counts as none, and `create` finds the id taken.
  const why = there?.record.get(reserved.ended) === 'revoked' ? 'revoked' : unbornAs;
  const mark = { record: new Map([[reserved.ended, why]]), expiresAt: now + unbornMs };
  return { answer: undefined, next: mark };
}

/** Runs `act` if the credential opens the session; otherwise nothing changes. */
function opened<Answer>(
  stored: StoredSession | undefined,
  now: number,
  { id, secretHash }: Credential,
  act: (there: StoredSession, session: Session) => Step<Answer>,
): Step<Answer | Absent> {
  const there = alive(stored, now);
  if (there === undefined) return { answer: undefined, next: stored };
  const proof = opens(there.record, secretHash, now);
  const session = proof === true ? sessionOf(id, there, now) : undefined;
  if (session === undefined)
    return { answer: proof === 'reused' ? proof : undefined, next: stored };
  return act(there, session);
}

function updated(
  there: StoredSession,
  now: number,
  { set, unset, limits, at }: FieldChange,
): Step<true | LimitRefusal> {
  const record = new Map(there.record);
  for (const name of unset) record.delete(name);
  for (const [name, value] of set) record.set(name, value);
  const exceeded = set.size > 0 ? exceededLimit(record, limits) : undefined;
  if (exceeded !== undefined) return { answer: exceeded, next: there };
  return { answer: true, next: slid(record, { at }, now) };
}

function addTo(text: string, by: number): number | IncrementRefusal {
  if (!/^(0|-?[1-9][0-9]*)$/.test(text)) return 'not_an_integer';
  const current = Number(text);
  const sum = current + by;
  return Number.isSafeInteger(current) && Number.isSafeInteger(sum) ? sum : 'out_of_range';
}

function toMap(record: readonly string[]): Map<string, string> {
  const map = new Map<string, string>();
  for (let i = 0; i + 1 < record.length; i += 2) {
    map.set(record[i] as string, record[i + 1] as string); // i + 1 is within the record
  }
  return map;
}
