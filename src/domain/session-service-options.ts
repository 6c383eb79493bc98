import type { Clock } from '../ports/clock.ts';
import type { Secrets } from '../ports/secrets.ts';
import type { SessionRepository } from '../ports/session-repository.ts';
import type { Device } from './device.ts';
import type { Session } from './session.ts';
import type { SessionHistoryOptions } from './session-history.ts';
import type { SessionPolicyOptions } from './session-policy.ts';
import type { SessionId, SessionToken } from './session-token.ts';

/** What a `SessionService` needs, and what it may be given. */
export interface SessionServiceOptions extends SessionHistoryOptions {
  /** The store of the sessions, such as `RedisSessionRepository` or `MemorySessionRepository`. */
  readonly repository: SessionRepository;
  /** The time for timestamps that people read. `SessionService` of `sojourn` uses the system's clock by default. */
  readonly clock: Clock;
  /** Random numbers and hashes. `SessionService` of `sojourn` uses Node's cryptography by default. */
  readonly secrets: Secrets;
  /** The rules of sessions, such as timeouts and limits. Omitted settings are taken from `defaultPolicy`. */
  readonly policy?: SessionPolicyOptions;
  /**
   * About how many tokens `get` remembers in this process once they have opened a session, so that it need not parse
   * and hash them again. Each is remembered for one to two minutes after its last use. Worth setting with a near cache,
   * whose reads cost less than the hashing. A dump of the process memory contains the remembered tokens.
   * @default 0
   */
  readonly rememberTokens?: number;
}

/** Settings of one new session. */
export interface CreateOptions {
  /** Idle timeout in seconds. By default that of the policy, or of its `remember` if the session is persistent. */
  readonly ttl?: number;
  /** The user who has just authenticated, and who will own the session. */
  readonly user?: string;
  /**
   * Maximum lifetime in seconds. By default, and at most, that of the policy, or of its `remember` if the session is
   * persistent.
   */
  readonly lifetime?: number;
  /**
   * The device on which the session is started, for the user's list of sessions. It is personal data, so it is stored
   * only if it is given.
   */
  readonly device?: Device;
  /**
   * "Remember me": the session outlives the browser and has the times of the policy's `remember`. Its cookie needs
   * `cookieMaxAge` as its `Max-Age`; the middleware sets it.
   * @default false
   */
  readonly persistent?: boolean;
  /**
   * The id of the session that the same browser had before. End that session as soon as `create` has resolved. If it
   * is the user's, this login neither counts it towards `maxSessions` nor evicts it, so logging in again on one device
   * does not log out another device and is not refused. Until you end it, the user may have one session more than
   * `maxSessions`, and other logins count it: if two devices log in again at the same moment, one may be refused or
   * evict a third. If the server crashes in between, the session lives on until it expires or another login evicts it.
   * The id of another user's session, or of one that has ended, changes nothing. `session.start` of the
   * middleware sets this option and ends that session.
   * @default undefined
   */
  readonly replaces?: SessionId | undefined;
}

/** What becomes of the replaced token, and why it is replaced. */
export interface RotateOptions {
  /**
   * Seconds for which requests already under way may still use the old token. Use 0 when privileges change: the old
   * token stops working at once. Use a few seconds for periodic renewal.
   * @default 0
   */
  readonly grace?: number;
  /**
   * Set it when the user has just authenticated again: `authenticatedAt` becomes now and the lifetime begins again
   * (NIST SP 800-63B-4, 5.2).
   * @default false
   */
  readonly reauthenticated?: boolean;
  /**
   * With `reauthenticated`, the new lifetime in seconds, at most the policy's. A session that was created with a
   * `lifetime` of its own needs it here again.
   *
   * @default the policy's
   */
  readonly lifetime?: number | undefined;
}

/** A session that was just started. The server knows the token only at this moment. */
export interface CreatedSession {
  /** The value of the cookie. Give it to the browser; never log or store it. */
  readonly token: SessionToken;
  /** The session as it was created. */
  readonly session: Session;
}

/** Conditions for ending a session, and who ends it. */
export interface EndSessionOptions {
  /** Ends the session only if it belongs to this user. */
  readonly user?: string | undefined;
  /**
   * Who ends the session, for events and the journal: `user`, or a tool and its user (`back office eve`). By default
   * `user` if `user` is given, otherwise nothing is recorded.
   */
  readonly by?: string | undefined;
}

/** Which of a user's sessions to keep, and who ends the others. */
export interface DeleteAllOptions {
  /** The one session to keep, usually the current one. */
  readonly except?: SessionId | undefined;
  /** Who ends the sessions, as in `EndSessionOptions`. By default nothing is recorded. */
  readonly by?: string | undefined;
  /**
   * Once it is aborted, no further batch begins: the call resolves with the number of sessions that it has ended, and
   * the next call continues. By default only a failing store stops the call.
   */
  readonly signal?: Pick<AbortSignal, 'aborted'> | undefined;
}

/** Which page of a user's sessions to list. */
export interface PageOptions {
  /** Maximum number of sessions: 1 to 1000. @default 100 */
  readonly limit?: number | undefined;
  /** `next` of the page before. By default the list begins with the oldest session. */
  readonly after?: string | undefined;
}
