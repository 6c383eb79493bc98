import type { FieldCodecs, IntegerNames, TextFields, ValueOf } from '../domain/field-codecs.ts';
import type { Session } from '../domain/session.ts';
import type { CreateOptions, RotateOptions } from '../domain/session-service-options.ts';
import type { SessionId } from '../domain/session-token.ts';

/** The session of a request, if there is one. Reading it takes no round trip. */
export interface RequestSession<Fields extends FieldCodecs = TextFields> {
  /** `undefined` if there is no session. */
  readonly id: SessionId | undefined;
  /** The session's user; `undefined` without a session and for an anonymous one. */
  readonly user: string | undefined;
  /**
   * True if the request's token opens nothing: its session ended before or during this request, or never existed. The
   * cookie is not changed then, because a login in another tab may be setting a new one at this moment.
   */
  readonly lost: boolean;
  /** The session including the changes of this request, as it will be stored. */
  readonly current: Session | undefined;

  /**
   * Returns the field, including changes of this request. Throws a `SessionError` (`invalid_value`) if the stored text
   * cannot be decoded.
   */
  get<Name extends keyof Fields & string>(name: Name): ValueOf<Fields[Name]> | undefined;

  /**
   * Login: always starts a session with a new id and a new secret, so that a token from before the login is useless
   * (session fixation, OWASP ASVS 7.2.4). The session that the browser had before is ended, even if another request has
   * rotated its token meanwhile; with `carry` its data is taken over. Without a user it is an anonymous session, for
   * example for a shopping cart.
   *
   * @throws `SessionError`: `too_many_sessions` if the policy allows no more, and `revoked` if the user's sessions were
   * ended while this one was being started; both become status 409 unless the application handles them. `invalid_user`,
   * `invalid_ttl`, `invalid_value` and so on for invalid arguments. `response_sent` after the response has been sent;
   * nothing has changed then.
   *
   * @example
   * ```ts
   * await session.start(user.id, { theme: 'dark' }, { persistent: form.remember === 'on' });
   * ```
   */
  start(
    user?: string,
    data?: FieldData<Fields>,
    options?: StartOptions,
  ): Promise<ActiveSession<Fields>>;

  /**
   * Logout. When it resolves, the session has ended for every app server, even if another request has rotated its token
   * meanwhile. If the store fails, it throws and the cookie stays. Returns `false` if the session had already ended.
   * Only the cookie of a session that this request's token opened is cleared.
   *
   * @throws `SessionError` (`response_sent`) after the response has been sent; nothing has changed then. To end a
   * session without a response, use `service.end(id)`.
   */
  end(): Promise<boolean>;

  /** Returns the session for writing, anonymous or not. Throws if there is none: status 401. */
  required(): ActiveSession<Fields>;

  /** Returns the session of a logged-in user. Throws if there is none or it is anonymous: status 401. */
  requiredUser(): UserSession<Fields>;
}

/** The session of a user. */
export interface UserSession<Fields extends FieldCodecs = TextFields>
  extends ActiveSession<Fields> {
  readonly user: string;
}

/**
 * An existing session. Plain writes (`set`, `unset`, `flash`) are collected and reach the store, field by field, in one
 * round trip before the response is sent. Those made later, in a stream, are written soon afterwards; if that is not
 * possible, `onWarning` is called. The other methods act at once and must be awaited. A logout by another request wins
 * against all of them: they then return `undefined` or `false`, and `lost` becomes true.
 *
 * Methods of one request may run concurrently. Those that change the token (`start`, `rotate`, `end`) wait for the
 * calls before them, and later calls wait for those.
 */
export interface ActiveSession<Fields extends FieldCodecs = TextFields>
  extends RequestSession<Fields> {
  readonly id: SessionId;
  readonly current: Session;
  /**
   * A token for forms, known only to pages of this session, for applications that want one in addition to the origin
   * check (OWASP: synchronizer token). It changes with every rotation.
   */
  readonly csrfToken: string;

  /**
   * Sets a field when the response is sent. Throws a `SessionError` for a reserved name, and for a value that its codec
   * or the limits refuse.
   */
  set<Name extends keyof Fields & string>(name: Name, value: ValueOf<Fields[Name]>): void;
  /** Removes the field when the response is sent. */
  unset<Name extends keyof Fields & string>(name: Name): void;

  /** Adds to an integer field and returns the sum. Concurrent requests all count. */
  increment(name: IntegerNames<Fields>, by?: number): Promise<number | undefined>;

  /**
   * Compare-and-set of one field; `undefined` stands for a missing field. Returns `false` if the field holds something
   * else.
   */
  replace<Name extends keyof Fields & string>(
    name: Name,
    expected: ValueOf<Fields[Name]> | undefined,
    next: ValueOf<Fields[Name]> | undefined,
  ): Promise<boolean | undefined>;

  /** Reads and removes a field. Of concurrent requests exactly one gets it. */
  take<Name extends keyof Fields & string>(name: Name): Promise<ValueOf<Fields[Name]> | undefined>;

  /** Leaves a message for the next request that takes it. A plain write. */
  flash(kind: string, message: string): void;
  /** Returns the message of that kind, to exactly one request. Takes a round trip only if there is a message. */
  takeFlash(kind: string): Promise<string | undefined>;

  /** Changes the idle timeout, in seconds, at once. */
  setTtl(ttl: number): Promise<boolean>;

  /**
   * Replaces the secret and gives the browser the new token; the id and all data stay. Call it at every change of
   * privilege, with `reauthenticated` after the user has authenticated again. Returns `false` if another request was
   * faster; its response contains the new token.
   *
   * @throws `SessionError` (`response_sent`) after the response has been sent; nothing has changed then.
   */
  rotate(options?: RotateOptions): Promise<boolean | undefined>;

  /**
   * True if the user authenticated within the last `maxAge` seconds. Check it before sensitive changes (OWASP ASVS
   * 7.5.1).
   */
  authenticatedWithin(maxAge: number): boolean;

  /**
   * True for this session's own `csrfToken`, false for anything else, including a missing form field. Takes the same
   * time for every wrong value.
   */
  isCsrfToken(presented: unknown): boolean;

  /**
   * Writes the collected changes now, for streams and sockets, whose response is sent before they are done. Returns
   * `false` if the session has ended; the store is asked even if nothing was collected.
   */
  commit(): Promise<boolean>;

  /**
   * Reads the session again and slides its expiry, for streams and sockets that outlive their request. Returns `false`
   * if the session has ended or another request has rotated its token; close the socket then.
   */
  refresh(): Promise<boolean>;
}

/** Settings of a new session, besides its data. */
export interface StartOptions extends Omit<CreateOptions, 'user' | 'replaces'> {
  /** Take over the data of the session that ends, such as a cart. @default false */
  readonly carry?: boolean;
}

/** Values of declared fields, by name. */
export type FieldData<Fields extends FieldCodecs> = {
  readonly [Name in keyof Fields]?: ValueOf<Fields[Name]>;
};
