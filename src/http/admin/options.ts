import type { Context } from 'hono';
import type { Device } from '../../domain/device.ts';
import type { Session } from '../../domain/session.ts';
import type { SessionFigures } from '../../domain/session-figures.ts';
import type { SessionService } from '../../domain/session-service.ts';
import type { SessionId } from '../../domain/session-token.ts';

/** Options of the operator's console. Parts whose option is omitted are not shown. */
export interface OperatorConsoleOptions {
  /** The service that lists and ends sessions. */
  readonly service: Pick<SessionService, 'list' | 'end' | 'deleteAll'>;
  /** Finds a session by its id: the repository of the service. */
  readonly repository: SessionsById;
  /**
   * Access control: returns the operator's name for the audit, such as an e-mail address, or `undefined` to refuse
   * access. It is called for every request except those for the style sheet and the script. An operator can see every
   * session and end it.
   *
   * @example
   * ```ts
   * operator: (c) => (isAdministrator(c.var.session.user) ? c.var.session.user : undefined)
   * ```
   */
  readonly operator: (c: Context) => string | undefined | Promise<string | undefined>;
  /**
   * Receives every act, after it was done, refused or failed. Write it to a log that operators cannot change (OWASP
   * ASVS 16.2). It contains names and ids, never the value of a field. It must not throw.
   *
   * @example
   * ```ts
   * audit: (act) => console.log(JSON.stringify({ time: new Date(), ...act }))
   * ```
   */
  readonly audit: (act: OperatorAct) => void;
  /** The description of the store on the page. */
  readonly store?: ConsoleStore;
  /** The data of the charts: a `RecentFigures` that observes the service. By default there are no charts. */
  readonly figures?: FiguresSource;
  /**
   * What happened to a user's sessions, newest first: `(user, query) => service.journal(user, query)`. By default ended
   * sessions are not shown.
   */
  readonly journal?: (
    user: string,
    query: { readonly limit: number },
  ) => Promise<readonly ConsoleJournalEntry[]>;
  /**
   * Ends all sessions and yields after each batch how many: `(by) => endAll(service, scanSessions({ client }), { by
   * })`. `by` is the operator, as the audit names them. It continues after the page has been sent. By default the
   * console cannot end all sessions.
   */
  readonly endAll?: (by: string) => AsyncIterable<number>;
  /**
   * Trust the forwarding headers of a proxy, as in `SessionsOptions`, for the cross-site check of every form. @default
   * false
   */
  readonly trustProxy?: boolean;
  /**
   * Set it if `POST sign-out`, beside the console, signs an operator out. The pages then have a button for it. @default
   * false
   */
  readonly canSignOut?: boolean;
  /** The response for everybody whom `operator` refuses. By default 403 with a short message. */
  readonly onStranger?: (c: Context) => Response | Promise<Response>;
  /** Receives unexpected errors. By default they are ignored. */
  readonly onError?: (error: unknown) => void;
}

/** Finds sessions by their ids, as every repository does. */
export interface SessionsById {
  /** Returns the session with this id by a pure read; `undefined` if there is none. */
  find(id: SessionId): Promise<Session | undefined>;
}

/** The store, as the console describes it. */
export interface ConsoleStore {
  /** For people: `Redis at localhost:6379`. Must not contain a password. */
  readonly label: string;
  /** The prefix of the sessions' keys. */
  readonly prefix: string;
  /** Resolves if the store answers, and rejects with `StoreUnavailableError` otherwise. */
  readonly ready?: () => Promise<void>;
}

/** A source of recent figures, such as `RecentFigures`. */
export interface FiguresSource {
  /** The last `minutes` minutes in periods of `step` minutes, oldest first. */
  recent(range: { readonly minutes: number; readonly step: number }): readonly SessionFigures[];
}

/** An event in the life of a session, as in the journal. */
export interface ConsoleJournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** What happened. */
  readonly event: 'started' | 'rotated' | 'reused' | 'ended';
  /** The session that it happened to. */
  readonly sessionId: SessionId;
  /** Why the session ended, as `JournalEntry.why`; only for `ended`. */
  readonly why?: string | undefined;
  /** Who caused it, as `JournalEntry.by`. */
  readonly by?: string | undefined;
  /** The device on which the session was started; only for `started`. */
  readonly device?: Device | undefined;
  /** Id of the request that caused it, as in the log. */
  readonly requestId?: string | undefined;
}

/** An act of an operator in the console, or an attempt. */
export interface OperatorAct {
  /** `console ada`, as in the journal. */
  readonly by: string;
  /** What the operator did or tried to do. */
  readonly did: 'end session' | 'end user' | 'end all' | 'show values' | 'sign in' | 'sign out';
  /** `begun` is followed by another entry when the work is done or has failed. */
  readonly outcome: 'begun' | 'done' | 'failed' | 'refused';
  /** The session concerned, if it is one. */
  readonly sessionId?: SessionId | undefined;
  /** The user concerned, if it is one. */
  readonly user?: string | undefined;
  /** How many sessions ended, if known. */
  readonly ended?: number | undefined;
  /** Why it failed or was refused. */
  readonly reason?: string | undefined;
}
