import type { Session } from '../domain/session.ts';
import type { Credential, SessionId } from '../domain/session-token.ts';
import type {
  Absent,
  Access,
  Durability,
  Durable,
  SessionRepository,
} from './session-repository.ts';

/** A repository whose sessions can be moved to another repository, and that can take over sessions from another. */
export interface MovableRepository extends SessionRepository {
  /** The steps with which sessions move to and from this repository. */
  readonly moves: SessionMoves;

  durably<T>(
    durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>>;
}

/**
 * Moves a session from one repository to another while it is in use. No atomic step spans both repositories, so the
 * order of the steps makes the move safe:
 *
 * 1. `freeze` in the old repository. From then on nothing opens or changes the session, and its copies carry a claim.
 * 2. `adopt` in the new repository writes a copy, still frozen, under that claim.
 * 3. `release` in the old repository. At this moment the session has moved: the copy under that claim is now the
 *    session, and no other copy is.
 * 4. `thaw` in the new repository makes the session usable again. Finally `discard` removes what `release` left in the
 *    old one.
 *
 * If the process dies after any of these steps, any request with the session's token can continue from there. Before
 * the release, `unfreeze` undoes everything; a later freeze produces copies under another claim. A step that arrives
 * late does no harm, because a copy that was not released is never thawed.
 *
 * Each call is one atomic step. `find`, `end` and `create` treat a frozen session as a session. It still expires, and
 * it is absent for every call that takes a credential. If `end` finds a copy that was not thawed, the id stays refused for
 * as long as the copy would have lasted: no other copy of the session is adopted after its end.
 */
export interface SessionMoves {
  /**
   * Closes the session to all requests and returns a copy. A session that is already frozen is copied again, under a
   * claim of the same freeze. Pass the credential if it opens the session, or would open it if it were not frozen; pass
   * the id in tools that have no secret.
   */
  freeze(
    by: Credential | SessionId,
    options?: FreezeOptions,
  ): Promise<Frozen | Released | 'open' | Absent>;

  /**
   * Writes the copy, frozen, under its claim. If there is a frozen copy of the same or a later freeze, that one is kept
   * and returned; a copy of an earlier freeze is replaced. Otherwise nothing is written: returns `open` if another
   * session has this id, `undefined` if `end` has left its mark on the id, and `taken` if the store holds something else
   * there, which is no session.
   */
  adopt(copy: SessionCopy): Promise<Adopted | 'open' | 'taken' | undefined>;

  /**
   * Hands a frozen session over to the copy under that claim. A record of the claim remains for as long as the session
   * would have lasted. Returns `false` if the claim is not from the session's last freeze, or if the session was
   * released to another claim.
   */
  release(id: SessionId, claim: string): Promise<boolean>;

  /**
   * Reopens a session if the claim is from its last freeze and the session was not released. If this returns `true`, no
   * claim of that freeze can be released any more.
   */
  unfreeze(id: SessionId, claim: string): Promise<boolean>;

  /**
   * Opens the copy under that claim to all secrets that opened the session before. `false` if there is no such copy.
   */
  thaw(id: SessionId, claim: string): Promise<boolean>;

  /** Removes the copy under that claim if it is still frozen, or what its release has left. */
  discard(id: SessionId, claim: string): Promise<void>;

  /** `IndexEntry.place` of that entry; `undefined` if there is no such entry. */
  placeOf(user: string, id: SessionId): Promise<number | undefined>;

  /**
   * Adds an id to the user's index at that place, or at the next free one. Does nothing if the id is there already.
   */
  enter(entry: MovedEntry): Promise<void>;

  /** The store's clock, in milliseconds since 1970. */
  now(): Promise<number>;
}

/** How to freeze a session, and whether that counts as a use. */
export interface FreezeOptions {
  /** Leaves a session that is in use unchanged and returns `open`. @default false */
  readonly resume?: boolean;
  /** Slides the expiry as `SessionRepository.access` does. By default the expiry stays. */
  readonly use?: Access;
}

/**
 * A session in the form in which one store hands it to another. It contains hashes of secrets: never log or show it.
 */
export interface SessionCopy {
  readonly id: SessionId;
  /** Names and values in turn, including fields that this release does not know. */
  readonly record: readonly string[];
  /**
   * Identifies the copy and the freeze that it belongs to: the number of times the session was frozen, a dash, a unique
   * text, a dot and another unique text.
   */
  readonly claim: string;
  /** Milliseconds until the session ends if it is not used. */
  readonly remainingMs: number;
  /** The time on the store's clock, to which the instants in the record refer, in milliseconds since 1970. */
  readonly now: number;
}

/** The answer of `freeze`: the session is frozen. */
export interface Frozen {
  readonly copy: SessionCopy;
}

/** The session has been handed over to the copy under this claim. */
export interface Released {
  readonly claim: string;
}

/** The answer of `adopt`: a frozen copy is in place. */
export interface Adopted {
  /** The claim of the copy that is in place. */
  readonly claim: string;
  /** The session that the copy contains. */
  readonly session: Session;
  /** True if this call wrote the copy. */
  readonly isNew: boolean;
}

/** An entry from the index of another repository. */
export interface MovedEntry {
  readonly user: string;
  readonly id: SessionId;
  readonly place: number;
  /** `Session.endsAt`. The index is kept until then at least. */
  readonly endsAt: number | undefined;
}
