import type { Device } from '../domain/device.ts';
import type { SessionId } from '../domain/session-token.ts';
import type { EndReason } from './session-observer.ts';

/** Something that happened to a session of a user. Personal data; never a token, a secret or an application's field. */
export interface JournalEntry {
  /** Milliseconds since 1970, by the clock of who wrote it. */
  readonly at: number;
  readonly event: 'started' | 'rotated' | 'reused' | 'ended';
  readonly sessionId: SessionId;
  /** Why it ended; `undefined` for every other event. `expired` is never written: `SessionService.journal` works it out. */
  readonly why?: EndReason | undefined;
  /**
   * Who caused it: `user` (the session's own requests, the page of devices), `policy` (limits, a reused token), `store` (it
   * ran out), or an operator's tool and who used it, such as `cli ada` and `console ada`. `undefined` where the application
   * ended it and did not say.
   */
  readonly by?: string | undefined;
  /** It was ended together with all of the user's sessions ("log out everywhere"); only of `ended`. */
  readonly everywhere?: boolean | undefined;
  /** Where the session was started; only of `started`. */
  readonly device?: Device | undefined;
  /** The end of its lifetime, if it has one, in milliseconds since 1970; of `started`, and of `rotated` where it began anew. */
  readonly endsAt?: number | undefined;
  /** The request that caused it, as the log names it. */
  readonly requestId?: string | undefined;
}

/** Which entries to read. */
export interface JournalQuery {
  /** Only entries since then, in milliseconds since 1970. Default: all that are kept. */
  readonly since?: number | undefined;
  /** How many at most, the newest. @default 100 */
  readonly limit?: number | undefined;
}

/**
 * What happened to each user's sessions: a bounded list for each user, kept for a bounded time. Sessions do not depend on
 * it: a journal that fails costs its entries and nothing else. A store that fails rejects with `StoreUnavailableError`.
 * Whoever implements it proves it with the contract suite, which says these sentences as tests.
 */
export interface SessionJournal {
  /** Adds an entry; the oldest make room where there are too many. */
  append(user: string, entry: JournalEntry): Promise<void>;

  /**
   * The user's entries, newest first: the one that was added last comes first. Entries that cannot be read are left out,
   * and what a newer version added to one is passed over.
   */
  read(user: string, query?: JournalQuery): Promise<readonly JournalEntry[]>;

  /** Forgets all of the user's entries, and answers how many there were. */
  erase(user: string): Promise<number>;
}
