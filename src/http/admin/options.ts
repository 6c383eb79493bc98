import type { Context } from 'hono';
import type { Device } from '../../domain/device.ts';
import type { Session } from '../../domain/session.ts';
import type { SessionFigures } from '../../domain/session-figures.ts';
import type { SessionService } from '../../domain/session-service.ts';
import type { SessionId } from '../../domain/session-token.ts';

/** What the console works with. What is left out it does without. */
export interface OperatorConsoleOptions {
  /** Lists a user's sessions and ends what is to be ended. */
  readonly service: Pick<SessionService, 'list' | 'end' | 'deleteAll'>;
  /** Finds a session by its id: the repository that the service has. */
  readonly repository: SessionsById;
  /**
   * The guard: who asks, by the name that the audit gives them, such as an e-mail address; `undefined` for everybody who may
   * not, who is refused. Called for every request but those for the style sheet and the script. Whoever it lets in sees
   * every session and can end it.
   *
   * @example
   * operator: (c) => (isAdministrator(c.var.session.user) ? c.var.session.user : undefined)
   */
  readonly operator: (c: Context) => string | undefined | Promise<string | undefined>;
  /**
   * Hears of every act, after it was done, refused or failed: write it to a log that operators cannot change (OWASP ASVS 16.2). It
   * holds names and ids, never a field's value. It must not throw.
   *
   * @example
   * audit: (act) => console.log(JSON.stringify({ time: new Date(), ...act }))
   */
  readonly audit: (act: OperatorAct) => void;
  /** What the page says of the store. */
  readonly store?: ConsoleStore;
  /** Where the charts come from: a `RecentFigures` that observes the service. Default: no charts. */
  readonly figures?: FiguresSource;
  /** What happened to a user's sessions, newest first: `(user, query) => service.journal(user, query)`. Default: nothing is told of what has ended. */
  readonly journal?: (
    user: string,
    query: { readonly limit: number },
  ) => Promise<readonly ConsoleJournalEntry[]>;
  /**
   * Ends all sessions there are, and tells after each batch how many: `(by) => endAll(service, scanSessions({ client }), { by })`.
   * It is told who wants that, as the audit names them, and goes on after the page has answered. Default: the console cannot.
   */
  readonly endAll?: (by: string) => AsyncIterable<number>;
  /** As in `SessionsOptions`, for the cross-site check of every form. @default false */
  readonly trustProxy?: boolean;
  /** Whether `POST sign-out`, beside the console, signs an operator out: then its pages have a button. @default false */
  readonly canSignOut?: boolean;
  /** Answers whoever `operator` does not let in. Default: 403, in a sentence. */
  readonly onStranger?: (c: Context) => Response | Promise<Response>;
  /** Hears of errors that nobody expected. Default: nobody. */
  readonly onError?: (error: unknown) => void;
}

/** Finds sessions by their ids: every repository does. */
export interface SessionsById {
  /** The session of that id, by a pure read; `undefined` where none is alive. */
  find(id: SessionId): Promise<Session | undefined>;
}

/** The store, as the console tells of it. */
export interface ConsoleStore {
  /** For people: `Redis at localhost:6379`. Without a password. */
  readonly label: string;
  /** What the keys of sessions begin with. */
  readonly prefix: string;
  /** Resolves when the store answers; rejects with `StoreUnavailableError`. */
  readonly ready?: () => Promise<void>;
}

/** What was seen of sessions lately: `RecentFigures` is one. */
export interface FiguresSource {
  /** The last so many minutes in spans of so many each, oldest first. */
  recent(range: { readonly minutes: number; readonly step: number }): readonly SessionFigures[];
}

/** Something that happened to a session, as the journal has it. */
export interface ConsoleJournalEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly event: 'started' | 'rotated' | 'reused' | 'ended';
  readonly sessionId: SessionId;
  readonly why?: string | undefined;
  readonly by?: string | undefined;
  readonly device?: Device | undefined;
  readonly requestId?: string | undefined;
}

/** What an operator did by the console, or tried to. */
export interface OperatorAct {
  /** `console ada`, as the journal names it. */
  readonly by: string;
  readonly did: 'end session' | 'end user' | 'end all' | 'show values' | 'sign in' | 'sign out';
  readonly outcome: 'begun' | 'done' | 'failed' | 'refused';
  readonly sessionId?: SessionId | undefined;
  readonly user?: string | undefined;
  /** How many sessions ended, as far as that is known. */
  readonly ended?: number | undefined;
  /** Why it failed or was refused. */
  readonly reason?: string | undefined;
}
