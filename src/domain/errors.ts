/**
 * Why a call broke a rule of Sojourn. The codes are stable: programs may switch on them.
 *
 * - `invalid_policy`: a limit, timeout or set of words given at construction makes no sense
 * - `invalid_option`: an option given at construction makes no sense: a cookie that browsers refuse, an origin that is none
 * - `invalid_ttl`: a ttl, lifetime or grace that is no whole number of seconds, or more than the policy allows
 * - `invalid_page`: a page of no possible size, or after what no page ended with
 * - `invalid_durability`: a number of replicas or a time to wait for them that makes no sense
 * - `invalid_user`: the owner's name is empty, too long or not well-formed Unicode
 * - `invalid_field`: a field name is empty, too long or not well-formed Unicode
 * - `reserved_field`: the field belongs to Sojourn and cannot be read or written by a verb
 * - `invalid_value`: not what the field holds: not text, too long, not well-formed Unicode, or refused by the field's codec
 * - `too_many_fields`, `too_large`: the session as a whole would pass the policy's limits; `too_many_fields` also where one
 *   call removes more fields than a store takes at once
 * - `not_an_integer`: `increment` met a value that is no integer, or was given a step that is none
 * - `out_of_range`: the sum would leave the safe-integer range
 * - `too_many_sessions`: the user has as many sessions as the policy allows, and it says to refuse
 * - `revoked`: all of the user's sessions were ended while this one was being started
 * - `no_journal`: the journal was asked for, and the service was given none
 * - `unauthenticated`: the request has no session, or none of a user, and was required to
 * - `response_sent`: the verb needs a header of the response, which has left already
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
 * A rule was broken and nothing was written. Its message never carries a value, a token or a secret. It has a `cause`
 * where the application's own code threw: a `toJSON`, a getter, a schema.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError';
  readonly code: SessionErrorCode;

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * What kept a store from answering, in few words, for whoever counts failures.
 *
 * - `timeout`: no answer in time
 * - `connection`: there is none, or it broke
 * - `unready`: the store is there and does not serve now: it loads, is a replica, lacks replicas or a part of the cluster
 * - `full`: its memory is
 * - `denied`: it does not let this program in, or not do this
 * - `unfit`: it answers and cannot do what sessions need, such as a Valkey without Lua
 * - `other`
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
 * The store could not be reached or could not answer. It says nothing about the session: a caller that treats this as
 * "no session" logs people out because a network cable was pulled.
 */
export class StoreUnavailableError extends Error {
  override readonly name = 'StoreUnavailableError';
  readonly code = 'store_unavailable';
  /**
   * `refused`: the store certainly did not apply the operation. `unknown`: it was sent and the answer was lost, so it may
   * or may not have been applied; repeat it only if applying it twice does no harm.
   */
  readonly outcome: 'refused' | 'unknown';
  readonly failure: StoreFailure;
  /**
   * How many sessions had certainly ended when the store failed, where very many were to end: all of a user's, or all that
   * there are. `undefined` for every other call. Asking once more goes on with the others.
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

/** What is known of why the store failed: for operators, not for users. */
export function reasonOf({ cause, message }: StoreUnavailableError): string {
  return cause instanceof Error ? cause.message : message;
}

/**
 * Of work on many sessions, of which so many had ended: nothing was applied only where none had ended and nothing is
 * unknown. Anything but a `StoreUnavailableError` stays as it is.
 */
export function halfWay(error: unknown, ended: number): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  if (ended === 0 && error.outcome === 'refused') return error;
  const { cause, failure } = error;
  return new StoreUnavailableError('unknown', { cause, failure, ended });
}
