import type { SessionId } from '../domain/session-token.ts';

/**
 * Which sessions were started for a user. It is a hint and never a permission: who may enter is decided by the session
 * alone, and a session may have ended since. It is kept apart from the sessions (on a cluster in other slots), so no
 * step spans both. What keeps it true is an order: an id is entered here before its session is created, and removed
 * after its session has ended. Whatever dies in between leaves an entry too many, and never a session too many.
 *
 * Each call is one atomic step. A user's index carries an expiry, at least `keepMs` from the last `add`.
 */
export interface UserIndex {
  /**
   * Enters an id, as the newest. With a `limit`, `over` names the oldest entries that are more than so many, the new one
   * counted; they stay entered. With `limit.refuse` nothing is entered where there would be any: `undefined`.
   */
  add(entry: NewIndexEntry): Promise<{ readonly over: readonly SessionId[] } | undefined>;

  /** The user's entries, oldest first: all, or so many of the newest (1 or more). */
  list(user: string, options?: { readonly newest?: number }): Promise<readonly IndexEntry[]>;

  /** Removes the ids, as far as they are entered. */
  remove(user: string, ids: readonly SessionId[]): Promise<void>;
}

/** An id to enter for a user. */
export interface NewIndexEntry {
  readonly user: string;
  readonly id: SessionId;
  /** Milliseconds for which the index is kept at least. */
  readonly keepMs: number;
  readonly limit: { readonly max: number; readonly refuse: boolean } | undefined;
}

/** What a user's index tells of one session. */
export interface IndexEntry {
  readonly id: SessionId;
  /** Milliseconds since it was entered, by the store's clock. */
  readonly ageMs: number;
}
