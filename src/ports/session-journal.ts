import type { Device } from '../domain/device.ts';
import type { SessionId } from '../domain/session-token.ts';
import type { EndReason } from './session-observer.ts';

/**
 * One event in the life of a user's session. It is personal data. It never contains a token, a secret or an application
 * field.
 */
export interface JournalEntry {
  /** Milliseconds since 1970, by the clock of the process that wrote the entry. */
  readonly at: number;
  /** What happened. `reused` means that a replaced token was presented. */
  readonly event: 'started' | 'rotated' | 'reused' | 'ended';
  /** The session that it happened to. */
  readonly sessionId: SessionId;
  /**
   * Why the session ended; `undefined` for every other event. `expired` is never written: `SessionService.journal`
   * derives it when the journal is read.
   */
  readonly why?: EndReason | undefined;
  /**
   * Who caused the event:
   *
   * - `user`: the session's own requests, or the user's list of devices
   * - `policy`: a limit, or the reuse of a replaced token
   * - `store`: the session expired
   * - an operator's tool and its user, such as `cli ada` or `console ada`
   * - `undefined`: the application ended the session and did not say who asked for it
   */
  readonly by?: string | undefined;
  /**
   * True if the session was ended together with all of the user's sessions ("log out everywhere"). Only for `ended`.
   */
  readonly everywhere?: boolean | undefined;
  /** The device on which the session was started. Only for `started`. */
  readonly device?: Device | undefined;
  /**
   * End of the lifetime, in milliseconds since 1970; `undefined` without a lifetime. For `started`, and for `rotated`
   * if the lifetime began again.
   */
  readonly endsAt?: number | undefined;
  /** Id of the request that caused the event, as in the log. */
  readonly requestId?: string | undefined;
}

/** Which journal entries to read. */
export interface JournalQuery {
  /** Only entries from this instant on, in milliseconds since 1970. By default all that are kept. */
  readonly since?: number | undefined;
  /** Maximum number of entries; the newest are returned. @default 100 */
  readonly limit?: number | undefined;
}

/**
 * A log of what happened to each user's sessions. The number of entries per user and the time they are kept are
 * limited. Sessions do not depend on the journal: if it fails, only its entries are lost. If its store fails, a method
 * rejects with `StoreUnavailableError`.
 *
 * An implementation must pass the contract suite (`sessionJournalContract` of `sojourn/testing`), which tests these
 * promises.
 */
export interface SessionJournal {
  /** Adds an entry. If there are too many, the oldest are removed. */
  append(user: string, entry: JournalEntry): Promise<void>;

  /**
   * Returns the user's entries, the last one added first. Entries that cannot be read are left out, and so are parts of
   * an entry that a newer release added.
   */
  read(user: string, query?: JournalQuery): Promise<readonly JournalEntry[]>;

  /** Deletes all entries of the user and returns how many there were. */
  erase(user: string): Promise<number>;
}
