import type { SessionId } from '../domain/session-token.ts';

/**
 * Which sessions were started for a user. It is a hint and never a permission: who may enter is decided by the session
 * alone, and a session may have ended since. It is kept apart from the sessions (on a cluster in other slots), so no
 * step spans both. What keeps it true is an order: an id is entered here before its session is created, and removed
 * after its session has ended. Whatever dies in between leaves an entry too many, and never a session too many.
 *
 * Each call is one atomic step.
 *
 * A user's index has one end, for all of its entries: the latest of the moments until which an `add` asked to keep it. An
 * `add` that asks for less does not bring it forward, one of an id that is entered already can put it off, and one that
 * enters nothing because of `max` does not count. Until then every entry is there that was not removed. From then on none
 * is, and what is entered later finds none of them again. Whether an index whose last entry was removed still knows its
 * end is up to the store.
 */
export interface UserIndex {
  /**
   * Enters an id, as the newest; one that is entered already stays where it is. With a `max` nothing is entered where
   * there would be more than so many: `undefined`.
   */
  add(entry: NewIndexEntry): Promise<Entered | undefined>;

  /**
   * Some of the user's entries, in order. Going on `beyond` the last entry of a page misses none and repeats none,
   * whatever is added and removed meanwhile.
   */
  list(user: string, page: IndexPage): Promise<readonly IndexEntry[]>;

  /** Removes the ids, as far as they are entered, however many. */
  remove(user: string, ids: readonly SessionId[]): Promise<void>;
}

/** An id to enter for a user. */
export interface NewIndexEntry {
  readonly user: string;
  readonly id: SessionId;
  /** Milliseconds from now, by the store's clock, until which the user's whole index is to be kept. */
  readonly keepMs: number;
  /** How many entries there may be, the new one counted; `undefined` for any number. */
  readonly max: number | undefined;
}

/** An id was entered. */
export interface Entered {
  /** `IndexEntry.place` of the new entry. */
  readonly place: number;
  /**
   * Other entries of that user, three at most, taken at random: whoever adds looks whether these have ended. That is
   * enough to keep an index from growing without end.
   */
  readonly sample: readonly IndexEntry[];
}

/** Which entries to answer. */
export interface IndexPage {
  /** Which end to begin at. */
  readonly from: 'oldest' | 'newest';
  /** Only what comes after that `place`, going away from that end. Default: from the very end. */
  readonly beyond?: number | undefined;
  /** How many at most: 1 to 1000. */
  readonly limit: number;
}

/** What a user's index tells of one session. */
export interface IndexEntry {
  readonly id: SessionId;
  /** Where it stands: a whole number, greater than that of every entry of this user that was there when it was entered. */
  readonly place: number;
  /** Milliseconds since it was entered, by the store's clock. */
  readonly ageMs: number;
}
