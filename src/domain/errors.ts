/**
 * Why a call broke a rule of Sojourn. The codes are stable, so programs may switch on them.
 *
 * - `invalid_policy`: a limit, a timeout or a list of words given at construction is not valid
 * - `invalid_option`: an option is not valid, such as a cookie that browsers refuse, a malformed origin or an address
 *   without a port
 * - `invalid_ttl`: a ttl, lifetime or grace is not a whole number of seconds, or exceeds the policy
 * - `invalid_page`: a page size is out of range, or `after` is not the `next` of a page
 * - `invalid_durability`: the number of replicas or the time to wait for them is out of range
 * - `invalid_user`: the owner's name is empty, too long or not well-formed Unicode
 * - `invalid_field`: a field name is empty, too long or not well-formed Unicode
 * - `reserved_field`: the field belongs to Sojourn and cannot be read or written by the application
 * - `invalid_value`: the value does not fit the field: it is not text, too long, not well-formed Unicode, or refused by
 *   the field's codec
 * - `too_many_fields`, `too_large`: the whole session would exceed the policy's limits; also `too_many_fields` if one
 *   call removes more fields than a store accepts at once
 * - `not_an_integer`: `increment` found a value that is not an integer, or was given a step that is not one
 * - `out_of_range`: the sum would leave the safe-integer range
 * - `too_many_sessions`: the user has as many sessions as the policy allows, and the policy says `refuse`
 * - `revoked`: all of the user's sessions were ended while this one was being started
 * - `no_journal`: the journal was asked for, but the service has none
 * - `unauthenticated`: the request needs a session, or a logged-in user, and has none
 * - `response_sent`: the method has to set a response header, but the headers have been sent
 */
export type SessionErrorCode =
  | 'invalid_policy'
  | 'invalid_option'
  | 'invalid_ttl'
  | 'invalid_page'
  | 'invalid_durability'
  | 'invalid_user'
  | 'invalid_field'
  | 'reserved_field'
  | 'invalid_value'
  | 'too_many_fields'
  | 'too_large'
  | 'not_an_integer'
  | 'out_of_range'
  | 'too_many_sessions'
  | 'revoked'
  | 'no_journal'
  | 'unauthenticated'
  | 'response_sent';

/**
 * A rule was broken and nothing was written. The message never contains a field's value, a token or a secret. `cause`
 * is set if the application's own code threw: a `toJSON`, a getter or a schema.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  /** The broken rule, for programs. It stays the same in later releases; the message may change. */
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * Why a store did not answer, in categories that are useful as a metrics label.
 *
 * - `timeout`: no answer in time
 * - `connection`: no connection, or it broke
 * - `unready`: the store cannot serve at present: it is loading data, is a replica, or lacks replicas or a part of the
 *   cluster
 * - `full`: the store is out of memory
 * - `denied`: authentication failed, or this command is not permitted
 * - `unfit`: the store answers but lacks something that sessions need, such as a Valkey without Lua
 * - `other`: anything else
 */
export type StoreFailure =
  | 'timeout'
  | 'connection'
  | 'unready'
  | 'full'
  | 'denied'
  | 'unfit'
  | 'other';

/**
 * The store could not be reached or could not answer. This says nothing about the session. Never treat it as "no
 * session": that would log users out because of a network failure.
 */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'store_unavailable';
  /**
   * `refused`: the store certainly did not apply the operation. `unknown`: the command may have been applied, because
   * it was sent and the answer was lost. Repeat such an operation only if applying it twice does no harm.
   */
  readonly outcome: 'refused' | 'unknown';
  /** The kind of failure, for metrics and logs. */
  readonly failure: StoreFailure;
  /**
   * How many sessions had certainly ended when the store failed, for calls that end many: all of a user's sessions, or
   * all sessions. `undefined` for every other call. Calling again continues with the others.
   */
  readonly ended: number | undefined;

  constructor(
    outcome: 'refused' | 'unknown',
    {
      failure = 'other',
      ended,
      ...options
    }: { cause?: unknown; failure?: StoreFailure; ended?: number } = {},
  ) {
    super(
      outcome === 'refused'
        ? 'The session store is unavailable; nothing was applied.'
        : 'The session store did not answer; whether the operation was applied is unknown.',
      options,
    );
    this.outcome = outcome;
    this.failure = failure;
    this.ended = ended;
  }
}

/** What is known about the cause of a store failure. For operators, not for users. */
export function reasonOf({ cause, message }: StoreUnavailableError): string {
  return cause instanceof Error ? cause.message : message;
}

/**
 * The error of a failed call that ends many sessions, with the number that had ended. "Nothing was applied" holds only
 * if none had ended and no outcome is unknown. Any error but a `StoreUnavailableError` is returned unchanged.
 */
export function halfWay(error: unknown, ended: number): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  if (ended === 0 && error.outcome === 'refused') return error;
  const { cause, failure } = error;
  return new StoreUnavailableError('unknown', { cause, failure, ended });
}
