import type { Device } from '../domain/device.ts';
import type { Session } from '../domain/session.ts';
import type { SessionLimits } from '../domain/session-limits.ts';
import type { Credential, SecretHash, SessionId } from '../domain/session-token.ts';

import type { UserIndex } from './user-index.ts';

/**
 * Where sessions live. Whoever implements it proves it with the contract suite, which says these sentences as tests.
 *
 * Every call is one atomic step: what it found and what it did belong to one instant, whoever else calls meanwhile.
 * Every call but `create` acts only on a session that is alive at that instant and whose secret the credential proves;
 * otherwise it answers with an absence, changes nothing and creates nothing. There are three channels:
 *
 * - absence is `undefined` (or `false`), or `reused` where the secret is one that the last nine rotations replaced, at
 *   least, and its grace is over: somebody kept an old token, or stole it,
 * - a refusal is a code; nothing was changed, not even the expiry,
 * - a store that fails rejects with `StoreUnavailableError`, never with an absence.
 *
 * A session is alive until its remaining time has run out by the store's own clock. To *slide* is to set the remaining
 * time to the session's own ttl, cut off at the end of its lifetime, and to record `at` as its last access. A session
 * never exists without an end. All arguments have been checked by the domain.
 */
export interface SessionRepository {
  /**
   * Writes a new session with its end, unless the id is taken: then `undefined`, and what is there stays as it is.
   * `evicted` where `end` has refused the id in advance and said so.
   */
  create(session: NewSession): Promise<Session | 'evicted' | undefined>;

  /** The session as it is. A pure read: neither the expiry nor the last access moves. */
  read(credential: Credential): Promise<Session | Absent>;

  /**
   * Slides, and answers the session as it is then. Within `refreshAfterMs` of the last slide it is a pure read instead, and
   * within half the ttl where that is less: a session in use never runs out.
   */
  access(credential: Credential, access: Access): Promise<Session | Absent>;

  /**
   * Writes and removes single fields and touches no others; slides. The limits are those of the whole session afterwards. A
   * change that sets nothing is never refused, however much the session holds: the policy may have become stricter.
   */
  update(credential: Credential, change: FieldChange): Promise<true | LimitRefusal | Absent>;

  /**
   * Adds `by` to an integer field and answers the sum; a missing field counts as 0; slides. An integer is `0`, or decimal
   * digits that do not begin with 0, with or without a `-` before them: anything else is `not_an_integer`. An integer that
   * is beyond the safe-integer range (2^53 - 1) is `out_of_range`, whatever is added, and so is such a sum: a store that
   * could compute it exactly refuses it as well. Limits come last.
   */
  increment(
    credential: Credential,
    change: FieldIncrement,
  ): Promise<number | IncrementRefusal | LimitRefusal | Absent>;

  /**
   * Compare-and-set: writes `next` if the field holds `expected` (`undefined` stands for a missing field, on both
   * sides) and slides; `false` and no change at all if it holds something else. A removal is never refused.
   */
  replace(
    credential: Credential,
    change: FieldReplacement,
  ): Promise<boolean | LimitRefusal | Absent>;

  /** Removes the field and answers what it held; slides. Of several callers one gets the value, the others find it missing. */
  take(
    credential: Credential,
    field: FieldRemoval,
  ): Promise<{ readonly value: string | undefined } | Absent>;

  /** Gives the session another idle timeout and slides by it: at once, shorter or longer. */
  setTtl(credential: Credential, change: TtlChange): Promise<true | Absent>;

  /**
   * Puts another secret in the place of the one that the credential proves, and slides. For `graceMs` from now, by the
   * store's clock, the replaced one still opens the session, then never again; an earlier one opens nothing from now on,
   * and counts as reused only after its grace. Of concurrent rotations one succeeds; to a replaced secret in its grace the
   * answer is `false`, and nothing changes.
   */
  rotate(credential: Credential, rotation: Rotation): Promise<Rotated | false | Absent>;

  /** Ends the session. Exactly one caller gets an answer; the others find it absent. */
  delete(credential: Credential): Promise<Ended | Absent>;

  /** The session of that id, by a pure read, for callers that need no secret: lists and tools. */
  find(id: SessionId): Promise<Session | undefined>;

  /**
   * Ends the session of that id, whoever asks: the caller has made sure that it may. Exactly one caller gets an answer.
   * If there is none and `unbornMs` is above 0, `create` refuses the id for so long from now: a session that is just
   * being started never comes into being.
   */
  end(id: SessionId, options: EndOptions): Promise<Ended | undefined>;

  /**
   * Runs `act` on a repository that is there for this call alone, waits for replicas, and answers what `act` answered and
   * whether that is durable: all that `act` changed, and all that it found, has reached so many replicas. Where they do
   * not say so in time it is `false`; what was done stays done, and may be lost with the machine that did it. Doing it
   * once more waits once more, also for what was done before. What `act` rejects with, this rejects with.
   */
  durably<T>(
    durability: Durability,
    act: (repository: SessionRepository) => Promise<T>,
  ): Promise<Durable<T>>;

  /** Which sessions were started for whom. */
  readonly users: UserIndex;
}

/** How much has to be lost before a write is. */
export interface Durability {
  /** How many other machines must have it. At least 1. */
  readonly replicas: number;
  /** For how many milliseconds they are waited for. */
  readonly timeoutMs: number;
}

/** What was done durably answered, and whether so many replicas have it. */
export interface Durable<T> {
  readonly answer: T;
  readonly durable: boolean;
}

/** A session was alive and has ended. */
export interface Ended {
  readonly user: string | undefined;
  /** Set where it was frozen, on its way from one store to another: `SessionMoves`. */
  readonly frozen?: true;
}

/** The secret was replaced. */
export interface Rotated {
  readonly user: string | undefined;
}

/** What `end` does where there is no session yet. */
export interface EndOptions {
  /** Milliseconds for which `create` refuses the id; 0 for not at all. */
  readonly unbornMs: number;
  /**
   * Why it refuses it, as `create` answers it: `undefined` for `revoked`, `evicted` for `evicted`. An id that was refused
   * for both reasons is revoked. Default `revoked`.
   */
  readonly unbornAs?: 'revoked' | 'evicted';
}

/** There is no such session, or this credential does not open it; `reused` where it did before one of the last rotations. */
export type Absent = undefined | 'reused';

/** A session to create: all that the application and the policy decided about it. */
export interface NewSession {
  /** The id to create and the hash that its token's secret must have. */
  readonly credential: Credential;
  readonly user: string | undefined;
  /** Application fields, with what they hold. */
  readonly fields: ReadonlyMap<string, string>;
  /** Idle timeout in seconds. */
  readonly ttl: number;
  /** Seconds from now, by the store's clock, after which no slide reaches; `undefined` for none. */
  readonly lifetime: number | undefined;
  /** `Session.device`. */
  readonly device: Device;
  /** `Session.persistent`. */
  readonly persistent: boolean;
  readonly at: string;
}

/** A use of a session: `at` is the instant to record, as `Session.lastAccessedAt` has it. */
interface Use {
  readonly at: string;
}

/** A use that reads the session. */
export interface Access extends Use {
  /** How young the last slide must be for this one to be skipped; 0 slides always. */
  readonly refreshAfterMs: number;
}

type Limits = Pick<SessionLimits, 'maxFields' | 'maxTotalBytes'>;

/** The session as a whole would hold too many fields, or too much. */
export type LimitRefusal = 'too_many_fields' | 'too_large';

/** The field holds no integer, or the sum would be none that is exact. */
export type IncrementRefusal = 'not_an_integer' | 'out_of_range';

/** Fields to write and to remove, in one step. */
export interface FieldChange extends Use {
  readonly set: ReadonlyMap<string, string>;
  /** Names to remove, each once and none of them in `set`: 10,000 at most. */
  readonly unset: readonly string[];
  readonly limits: Limits;
}

/** What to add to which field. */
export interface FieldIncrement extends Use {
  readonly field: string;
  /** A safe integer. */
  readonly by: number;
  readonly limits: Limits;
}

/** What a field must hold, and what it shall hold then; `undefined` stands for a missing field. */
export interface FieldReplacement extends Use {
  readonly field: string;
  readonly expected: string | undefined;
  readonly next: string | undefined;
  readonly limits: Limits;
}

/** Which field to take. */
export interface FieldRemoval extends Use {
  readonly field: string;
}

/** Another idle timeout. */
export interface TtlChange extends Use {
  /** Seconds. */
  readonly ttl: number;
}

/** A secret for the place of the one that opens the session now. */
export interface Rotation extends Use {
  readonly next: SecretHash;
  /** Milliseconds for which the replaced secret still opens the session; 0 for none. */
  readonly graceMs: number;
  /** Set where the user has just proven again who they are: the authentication is of now, and the lifetime begins anew. */
  readonly reauthenticated: { readonly lifetime: number | undefined } | undefined;
}
