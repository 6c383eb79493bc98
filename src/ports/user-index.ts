import type { SessionId } from '../domain/session-token.ts';

/**
 * Lists the sessions that were started for a user. The index is a hint, never a permission: only the session itself
 * decides who may enter, and a listed session may have ended. The index is stored apart from the sessions (on a cluster
 * in other slots), so no atomic step spans both. Order keeps it correct: an id is added before its session is created,
 * and removed after its session has ended. A crash in between leaves an entry too many, never a session without an
 * entry.
 *
 * Each call is one atomic step.
 *
 * A user's index expires as a whole, with all of its entries: when the `keepMs` of each of its `add` calls has passed, so
 * the longest one counts. An `add` with a shorter `keepMs` does not bring the end forward, one of an id that is already
 * entered can postpone it, and one that enters nothing because of `max` does not count. Until then the index contains every
 * entry that was not removed. After that it contains none, and later entries do not bring them back. Whether an
 * index whose last entry was removed still knows its end is up to the store.
 */
export interface UserIndex {
  /**
   * Adds an id as the newest. An id that is already there keeps its place. If there would be more than `max` entries,
   * not counting the one that this one `replaces`, nothing is added and the answer is `undefined`.
   */
  add(entry: NewIndexEntry): Promise<Entered | undefined>;

  /**
   * Returns some of the user's entries, in order. Continuing `beyond` the last entry of a page neither misses nor
   * repeats an entry, whatever is added and removed meanwhile.
   */
  list(user: string, page: IndexPage): Promise<readonly IndexEntry[]>;

  /** Removes these ids if they are there. Any number of ids is allowed. */
  remove(user: string, ids: readonly SessionId[]): Promise<void>;
}

/** An id to add to a user's index. */
export interface NewIndexEntry {
  readonly user: string;
  readonly id: SessionId;
  /** How long the user's whole index must be kept at least, in milliseconds from now, by the store's clock. */
  readonly keepMs: number;
  /** Maximum number of entries including the new one; `undefined` for no limit. */
  readonly max: number | undefined;
  /**
   * An id that does not count towards `max` if it is in this user's index, because the new one replaces it. It stays in
   * the index until it is removed.
   * @default undefined
   */
  readonly replaces?: SessionId | undefined;
}

/** The answer of `add`: the id is in the index. */
export interface Entered {
  /** `IndexEntry.place` of the new entry. */
  readonly place: number;
  /**
   * Up to three other entries of the user, chosen at random. The caller checks whether their sessions have ended and
   * removes those entries; this is enough to keep an index from growing without limit.
   */
  readonly sample: readonly IndexEntry[];
}

/** Which entries to return. */
export interface IndexPage {
  /** The end to begin at. */
  readonly from: 'oldest' | 'newest';
  /** Only entries after this `place`, seen from that end. By default it begins at the very end. */
  readonly beyond?: number | undefined;
  /** Maximum number of entries: 1 to 1000. */
  readonly limit: number;
}

/** What a user's index knows about one session. */
export interface IndexEntry {
  readonly id: SessionId;
  /**
   * Position in the index: a whole number greater than that of every entry of this user that existed when this one was
   * added.
   */
  readonly place: number;
  /** Milliseconds since the entry was added, by the store's clock. */
  readonly ageMs: number;
}
