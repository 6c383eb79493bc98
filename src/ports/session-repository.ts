import type { Device } from '../domain/device.ts';
import type { Session } from '../domain/session.ts';
import type { SessionLimits } from '../domain/session-limits.ts';
import type { Credential, SecretHash, SessionId } from '../domain/session-token.ts';

import type { UserIndex } from './user-index.ts';

/**
 * The store of sessions. An implementation must pass the contract suite (`sessionRepositoryContract` of
 * `sojourn/testing`), which tests these promises.
 *
 * Every call is one atomic step: what it found and what it did belong to one instant, whatever other callers do
 * meanwhile. Every call except `create` acts only on a session that is alive at that instant and whose secret the
 * credential proves. Otherwise it returns an absence and neither changes nor creates anything. There are three kinds of
 * negative answers:
 *
 * - Absence: `undefined` or `false`. `reused` if one of the last nine rotations replaced the secret and its grace is
 *   over: the token is an old copy or a stolen one. A store may recognise older secrets too.
 * - Refusal: a code. Nothing was changed, not even the expiry.
 * - Store failure: the call rejects with `StoreUnavailableError`. It never returns an absence.
 *
 * A session is alive until its remaining time has run out by the store's own clock. To *slide* means to set the
 * remaining time to the session's own ttl, but not beyond the end of its lifetime, and to record `at` as its last
 * access. A session never exists without an expiry. All arguments have been checked by the domain.
 */
export interface SessionRepository {
  /**
   * Writes a new session with its expiry. If the id is taken, the existing session stays as it is and the answer is
   * `undefined`; it is `evicted` if `end` refused the id in advance for that reason.
   */
  create(session: NewSession): Promise<Session | 'evicted' | undefined>;

  /** Returns the session. A pure read: neither the expiry nor the last access changes. */
  read(credential: Credential): Promise<Session | Absent>;

  /**
   * Slides, and returns the session as it is afterwards. Within `refreshAfterMs` of the last slide this is a pure read
   * instead, but only during the first half of the ttl, so that a session in use never expires.
   */
  access(credential: Credential, access: Access): Promise<Session | Absent>;

  /**
   * Writes and removes single fields, leaves all others alone, and slides. The limits apply to the whole session
   * afterwards. A change that sets nothing is never refused, however much the session holds: the policy may have become
   * stricter.
   */
  update(credential: Credential, change: FieldChange): Promise<true | LimitRefusal | Absent>;

  /**
   * Adds `by` to an integer field, returns the sum, and slides. A missing field counts as 0. An integer is `0`, or decimal
   * digits that do not begin with 0, with or without a `-` in front; any other value is refused as `not_an_integer`. A value
   * or a sum outside the safe-integer range (2^53 - 1) is refused as `out_of_range`, even by a store that could compute it
   * exactly. Limits are checked last.
   */
  increment(
    credential: Credential,
    change: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent>;

  /**
   * Compare-and-set: if the field holds `expected`, writes `next` and slides. Otherwise returns `false` and changes
   * nothing. For both, `undefined` stands for a missing field. A removal is never refused.
   */
  replace(
    credential: Credential,
    change: FieldReplacement,
  ): Promise<boolean | LimitRefusal | Absent>;

  /**
   * Removes the field, returns its value, and slides. Of several callers one gets the value; the others find the field
   * missing.
   */
  take(
    credential: Credential,
    field: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent>;

  /** Changes the idle timeout and slides by the new one. It takes effect at once, whether it is shorter or longer. */
  setTtl(credential: Credential, change: TtlChange): Promise<true | Absent>;

  /**
   * Replaces the secret that the credential proves by another, and slides. For `graceMs` from now, by the store's
   * clock, the replaced secret still opens the session; after that it never does. A secret that was replaced earlier
   * stops opening the session at once, and counts as reused only after its own grace. Of concurrent rotations one
   * succeeds. For a replaced secret within its grace the answer is `false` and nothing changes.
   */
  rotate(credential: Credential, rotation: Rotation): Promise<Rotated | false | Absent>;

  /** Ends the session. Exactly one caller gets an answer; the others find the session absent. */
  delete(credential: Credential): Promise<Ended | Absent>;

  /** Returns the session with this id. A pure read, for lists and tools that have no secret. */
  find(id: SessionId): Promise<Session | undefined>;

  /**
   * Ends the session with this id. No secret is needed: the caller must have checked the permission. Exactly one caller
   * gets an answer. If there is no session and `unbornMs` is above 0, `create` refuses the id for that time, so that a
   * session that is just being started never comes into existence.
   */
  end(id: SessionId, options: EndOptions): Promise<Ended | undefined>;

  /**
   * Runs `act` on a repository that exists for this call alone, then waits for replicas. Returns the result of `act`
   * and whether it is durable: whether that many replicas have everything that `act` changed and everything that it
   * found. If they do not confirm in time, `durable` is `false`; the work stays done, but may be lost with the machine
   * that did it. Repeating the call waits again, also for work that was done before. If `act` rejects, this rejects
   * with the same error.
   */
  durably<T>(
    durability: Durability,
    act: (repository: SessionRepository) => Promise<T>,
  ): Promise<Durable<T>>;

  /** The index of each user's sessions. */
  readonly users: UserIndex;
}

/** How many machines must have a write before it counts as durable. */
export interface Durability {
  /** How many replicas must confirm it. At least 1. */
  readonly replicas: number;
  /** How long to wait for them, in milliseconds. */
  readonly timeoutMs: number;
}

/** The result of durable work. */
export interface Durable<T> {
  /** What the function returned. */
  readonly answer: T;
  /**
   * True if enough replicas confirmed in time. If false, the work is done but may be lost with the machine that did it.
   */
  readonly durable: boolean;
}

/** The session was alive and has been ended by this call. */
export interface Ended {
  /** The session's owner, if any. */
  readonly user: string | undefined;
  /** Set if the session was frozen, that is, moving from one store to another: `SessionMoves`. */
  readonly frozen?: true;
}

/** The secret was replaced. */
export interface Rotated {
  /** The session's owner, if any. */
  readonly user: string | undefined;
}

/** What `end` does if the session does not exist yet. */
export interface EndOptions {
  /** Milliseconds for which `create` refuses the id; 0 to not refuse it. */
  readonly unbornMs: number;
  /**
   * The reason for the refusal. It decides what `create` returns: `undefined` for `revoked`, `evicted` for `evicted`.
   * If an id was refused for both reasons, `revoked` wins.
   * @default 'revoked'
   */
  readonly unbornAs?: 'revoked' | 'evicted';
}

/**
 * There is no such session, or the credential does not open it. `reused` if the credential did before one of the last
 * rotations.
 */
export type Absent = undefined | 'reused';

/** A session to create, with everything that the application and the policy decided about it. */
export interface NewSession {
  /** The new id, and the hash of its token's secret. */
  readonly credential: Credential;
  /** The session's owner, if any. */
  readonly user: string | undefined;
  /** Application fields and their values. */
  readonly fields: ReadonlyMap<string, string>;
  /** Idle timeout in seconds. */
  readonly ttl: number;
  /** Seconds from now, by the store's clock, beyond which the session never lives; `undefined` for no limit. */
  readonly lifetime: number | undefined;
  /** `Session.device`. */
  readonly device: Device;
  /** `Session.persistent`. */
  readonly persistent: boolean;
  /** The current time, in the format of `Session.createdAt`. */
  readonly at: string;
}

/** A use of a session. `at` is the instant to record, in the format of `Session.lastAccessedAt`. */
interface Use {
  readonly at: string;
}

/** A use that reads the session. */
export interface Access extends Use {
  /** If the last slide is younger than this, in milliseconds, the access only reads; 0 slides every time. */
  readonly refreshAfterMs: number;
}

type Limits = Pick<SessionLimits, 'maxFields' | 'maxTotalBytes'>;

/** Why a write was refused: the session would hold too many fields, or too many bytes. */
export type LimitRefusal = 'too_many_fields' | 'too_large';

/** Why an increment was refused: the field does not hold an integer, or the sum would not be exact. */
export type IncrementRefusal = 'not_an_integer' | 'out_of_range';

/** Fields to write and to remove, in one step. */
export interface FieldChange extends Use {
  /** Values to write, by field name. */
  readonly set: ReadonlyMap<string, string>;
  /** Names to remove, each once and none of them in `set`. At most 10,000. */
  readonly unset: readonly string[];
  /** Limits for the whole session after the change. */
  readonly limits: Limits;
}

/** The field to increment, and by how much. */
export interface FieldIncrement extends Use {
  readonly field: string;
  /** A safe integer. */
  readonly by: number;
  /** Limits for the whole session after the change. */
  readonly limits: Limits;
}

/** The value that a field must hold, and the value to replace it with. `undefined` stands for a missing field. */
export interface FieldReplacement extends Use {
  readonly field: string;
  readonly expected: string | undefined;
  readonly next: string | undefined;
  /** Limits for the whole session after the change. */
  readonly limits: Limits;
}

/** The field to remove and return. */
export interface FieldRemoval extends Use {
  readonly field: string;
}

/** A new idle timeout. */
export interface TtlChange extends Use {
  /** Seconds. */
  readonly ttl: number;
}

/** A new secret that replaces the one that opens the session now. */
export interface Rotation extends Use {
  /** Hash of the new secret. */
  readonly next: SecretHash;
  /** Milliseconds for which the replaced secret still opens the session; 0 for not at all. */
  readonly graceMs: number;
  /**
   * Set if the user has just authenticated again: the time of authentication becomes now, and the lifetime begins
   * again.
   */
  readonly reauthenticated: { readonly lifetime: number | undefined } | undefined;
}
