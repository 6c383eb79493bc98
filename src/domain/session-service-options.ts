import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import type { Device } from './device.ts';
import type { Session } from './session.ts';
import type { SessionHistoryOptions } from './session-history.ts';
import type { SessionPolicyOptions } from './session-policy.ts';
import type { SessionId, SessionToken } from './session-token.ts';

/** What a service works with. */
export interface SessionServiceOptions extends SessionHistoryOptions {
  /** Where the sessions live. */
  readonly repository: SessionRepository;
  readonly clock: Clock;
  readonly secrets: Secrets;
  readonly policy?: SessionPolicyOptions;
  /**
   * About how many of the tokens that opened a session lately `get` remembers in this process, to spare taking them
   * apart and hashing them again: for one to two minutes after their last use while there is any. Worth it with a near
   * cache, whose reads cost less than that. What a process remembers a dump of its memory holds. Default 0.
   */
  readonly rememberTokens?: number;
}

/** What a new session is given besides its data. */
export interface CreateOptions {
  /** Idle timeout in seconds; the policy's by default, that of its `remember` where the session is persistent. */
  readonly ttl?: number;
  /** The owner, who has just proven who they are. */
  readonly user?: string;
  /** Seconds that the session lives at most; by default, and never more than, the policy's, or that of its `remember`. */
  readonly lifetime?: number;
  /** Where it was started, for the user's list of sessions. Personal data: nothing is kept unless it is given. */
  readonly device?: Device;
  /**
   * "Remember me": the session outlives the browser, and lives by the times of the policy's `remember`. Its cookie has to
   * be given `cookieMaxAge`, which the middleware does. Default false.
   */
  readonly persistent?: boolean;
}

/** What a rotation leaves to the replaced token, and why it is done. */
export interface RotateOptions {
  /**
   * Seconds for which requests already under way may still use the old token. 0, the default, is for a change of
   * privilege: the old token is dead at once. A few seconds are for periodic renewal.
   */
  readonly grace?: number;
  /** The user has just proven again who they are: `authenticatedAt` is now, and the lifetime begins anew (NIST SP 800-63B-4, 5.2). */
  readonly reauthenticated?: boolean;
}

/** A session that was just started: the only moment at which its token is known to the server. */
export interface CreatedSession {
  readonly token: SessionToken;
  readonly session: Session;
}

/** Which session to end, and who does. */
export interface EndSessionOptions {
  /** Ends it only if it is this user's. */
  readonly user?: string | undefined;
  /**
   * Who ends it, for events and the journal: `user`, or a tool and who uses it (`back office eve`). Default: `user` where
   * a user is given, else not said.
   */
  readonly by?: string | undefined;
}

/** Which of a user's sessions to end, and who does. */
export interface DeleteAllOptions {
  /** The one that stays. */
  readonly except?: SessionId | undefined;
  /** Who ends them, as in `EndSessionOptions`. Default: not said. */
  readonly by?: string | undefined;
}

/** Which of a user's sessions to list. */
export interface PageOptions {
  /** How many sessions at most: 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before. Default: from the oldest. */
  readonly after?: string | undefined;
}
