import type { Session } from '../domain/session.ts';
import type { Credential, SessionId } from '../domain/session-token.ts';
import type {
  Absent,
  Access,
  Durability,
  Durable,
  SessionRepository,
} from './session-repository.ts';

/** A repository whose sessions can be carried to another one, and which takes in those of another. */
export interface MovableRepository extends SessionRepository {
  readonly moves: SessionMoves;

  durably<T>(
    durability: Durability,
    act: (repository: MovableRepository) => Promise<T>,
  ): Promise<Durable<T>>;
}

/**
 * Carries a session from one repository to another while it is in use. No step spans both, so an order makes it safe:
 *
 * 1. `freeze` in the old place: from then on nothing opens the session and nothing changes it, and its copies have a claim,
 * 2. `adopt` in the new place: a copy, frozen, under that claim,
 * 3. `release` in the old place, which is the moment at which the session has moved: from then on the copy under that
 *    claim is the session, and no other,
 * 4. `thaw` in the new place: it can be used again. Last, `discard` removes what `release` left in the old place.
 *
 * Whoever presents the session's token can go on where another died, from each of these steps. Until the release `unfreeze`
 * takes all back: what is frozen again later is copied under another claim. However late a step arrives, it does no harm: a
 * copy that was not released is never thawed.
 *
 * Each call is one atomic step. A frozen session counts as one for `find`, `end` and `create`, runs out by itself,
 * and is absent for every call that takes a credential. Where `end` meets a copy that was not thawed, the id stays refused for as
 * long as the copy would have lasted: no other copy of the session is adopted after its end.
 */
export interface SessionMoves {
  /**
   * Closes the session to everybody, and answers a copy. One that is frozen already is copied once more, under a claim of
   * the same freeze. By its credential, if that opens the session, or would if it were not frozen; by its id for tools that need no secret.
   */
  freeze(
    by: Credential | SessionId,
    options?: FreezeOptions,
  ): Promise<Frozen | Released | 'open' | Absent>;

  /**
   * Writes the copy, frozen, under its claim. A frozen copy that is there already stays if it is of the same freeze or of a
   * later one, and is answered; an older one gives way. `open` where the id is taken by a session in use, `undefined` where
   * by the mark that `end` left.
   */
  adopt(copy: SessionCopy): Promise<Adopted | 'open' | undefined>;

  /**
   * Gives a frozen session up to the copy under that claim. What is left tells for as long as the session would have
   * lasted which claim that was. `false` where the claim is not of the session's last freeze, or another one was first.
   */
  release(id: SessionId, claim: string): Promise<boolean>;

  /**
   * Opens a session again whose last freeze the claim is of, unless it was released. Where that is `true` no claim of that
   * freeze is released any more.
   */
  unfreeze(id: SessionId, claim: string): Promise<boolean>;

  /** Opens the copy under that claim, to all secrets that opened it before. `false` where there is none. */
  thaw(id: SessionId, claim: string): Promise<boolean>;

  /** Removes the copy under that claim, if it is still frozen, or what the release to it has left. */
  discard(id: SessionId, claim: string): Promise<void>;

  /** `IndexEntry.place` of that entry, if there is one. */
  placeOf(user: string, id: SessionId): Promise<number | undefined>;

  /** Enters an id in the user's index at that place, or at the next that is free, unless it is entered already. */
  enter(entry: MovedEntry): Promise<void>;

  /** The store's clock, in milliseconds since 1970. */
  now(): Promise<number>;
}

/** Which sessions to freeze, and whether that counts as a use. */
export interface FreezeOptions {
  /** Leaves a session in use as it is, and answers `open`. @default false */
  readonly resume?: boolean;
  /** Slides, as `SessionRepository.access` does. @default without */
  readonly use?: Access;
}

/** A session as its store keeps it, for another store to keep. It holds secrets' hashes: never log or show it. */
export interface SessionCopy {
  readonly id: SessionId;
  /** Names and values in turn, also those that this release does not know. */
  readonly record: readonly string[];
  /**
   * Which copy it is, and of which freeze: the number of the session's freezes, a dash, a text that nobody repeats, a dot, and
   * another such text.
   */
  readonly claim: string;
  /** Milliseconds until it ends if nobody uses it. */
  readonly remainingMs: number;
  /** The store's clock, by which the record's instants are to be read: milliseconds since 1970. */
  readonly now: number;
}

/** The session is frozen. */
export interface Frozen {
  readonly copy: SessionCopy;
}

/** The session was given up to the copy under that claim. */
export interface Released {
  readonly claim: string;
}

/** A frozen copy is there. */
export interface Adopted {
  readonly claim: string;
  readonly session: Session;
  /** Whether it was written now. */
  readonly isNew: boolean;
}

/** An entry of another index. */
export interface MovedEntry {
  readonly user: string;
  readonly id: SessionId;
  readonly place: number;
  /** `Session.endsAt`: the index is kept until then at least. */
  readonly endsAt: number | undefined;
}
