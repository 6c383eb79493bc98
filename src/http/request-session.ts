import type { FieldCodecs, IntegerNames, TextFields, ValueOf } from '../domain/field-codecs.ts';
import type { Session } from '../domain/session.ts';
import type { CreateOptions, RotateOptions } from '../domain/session-service-options.ts';
import type { SessionId } from '../domain/session-token.ts';

/** The session of one request, or that there is none yet. Reads cost no round trip. */
export interface RequestSession<Fields extends FieldCodecs = TextFields> {
  /** `undefined` while nobody has a session here. */
  readonly id: SessionId | undefined;
  readonly user: string | undefined;
  /**
   * True if the request's token opens nothing: its session has ended, before this request or during it, or it never was
   * one. The cookie stays as it is, since a login in another tab may be setting a new one at this moment.
   */
  readonly lost: boolean;
  /** The session with what this request changed so far, as stored. */
  readonly current: Session | undefined;

  /** The field as this request sees it. Throws a `SessionError` (`invalid_value`) where the stored text does not decode. */
  get<Name extends keyof Fields & string>(name: Name): ValueOf<Fields[Name]> | undefined;

  /**
   * Login: a new id and a new secret always, so that whoever knew the old token knows nothing (session fixation, OWASP
   * ASVS 7.2.4). The session that the browser had before is ended, also if another request has rotated its token
   * meanwhile; with `carry` its data moves over. Without a user it is an anonymous session, such as a shopping cart.
   *
   * Throws a `SessionError`: `too_many_sessions` where the policy refuses one more, `revoked` where the user's sessions
   * were ended while this one was being started (both are answered 409 unless the application answers them), and
   * whatever breaks a rule (`invalid_user`, `invalid_ttl`, `invalid_value`, ...). After the response has left it throws
   * `response_sent` and changes nothing.
   */
  start(
    user?: string,
    data?: FieldData<Fields>,
    options?: StartOptions,
  ): Promise<ActiveSession<Fields>>;

  /**
   * Logout. When it returns the session is gone for every app server, also if another request has rotated its token
   * meanwhile; when the store fails it throws and the cookie stays. `false` if the session had ended already. It clears the
   * cookie of a session that this request's token opened, and no other. After the response has left it throws
   * `response_sent` and changes nothing; `service.end(id)` ends a session without a response.
   */
  end(): Promise<boolean>;

  /** The session to write to, anonymous or not; throws where there is none: 401. */
  required(): ActiveSession<Fields>;

  /** The session of somebody who is logged in; throws where there is none, or an anonymous one: 401. */
  requiredUser(): UserSession<Fields>;
}

/** The session of a user. */
export interface UserSession<Fields extends FieldCodecs = TextFields>
  extends ActiveSession<Fields> {
  readonly user: string;
}

/**
 * A session that there is. Plain writes are collected and reach the store, field by field, in one round trip before the
 * response leaves; what is collected later, in a stream, is written soon by itself, and `onWarning` hears where it cannot
 * be. The other verbs act at once and are awaited. All of them lose against a logout: then they answer `undefined` or
 * `false`, and `lost` is true.
 *
 * Verbs of one request may be under way at the same time: those that change the token (`start`, `rotate`, `end`) wait for
 * the ones that began before them, and later ones wait for those.
 */
export interface ActiveSession<Fields extends FieldCodecs = TextFields>
  extends RequestSession<Fields> {
  readonly id: SessionId;
  readonly current: Session;
  /**
   * A secret that only pages of this session know, for forms of applications that want one beside the check of the
   * request's origin (OWASP: synchronizer token). It changes with every rotation.
   */
  readonly csrfToken: string;

  /** Throws a `SessionError` for a reserved name, and for a value that its codec or the limits refuse. */
  set<Name extends keyof Fields & string>(name: Name, value: ValueOf<Fields[Name]>): void;
  /** Removes the field, when the response leaves. */
  unset<Name extends keyof Fields & string>(name: Name): void;

  /** Adds to an integer field; concurrent requests all count. */
  increment(name: IntegerNames<Fields>, by?: number): Promise<number | undefined>;

  /** Compare-and-set of one field; `undefined` stands for a missing one. `false` if it held something else. */
  replace<Name extends keyof Fields & string>(
    name: Name,
    expected: ValueOf<Fields[Name]> | undefined,
    next: ValueOf<Fields[Name]> | undefined,
  ): Promise<boolean | undefined>;

  /** Reads and removes a field; of concurrent requests exactly one gets it. */
  take<Name extends keyof Fields & string>(name: Name): Promise<ValueOf<Fields[Name]> | undefined>;

  /** Leaves a message for the next request that asks for it. A plain write. */
  flash(kind: string, message: string): void;
  /** The message of that kind, for exactly one request. Costs a round trip only where there is one. */
  takeFlash(kind: string): Promise<string | undefined>;

  /** Another idle timeout in seconds. */
  setTtl(ttl: number): Promise<boolean>;

  /**
   * Replaces the secret and gives the browser the new token; the id and all data stay. Call it at every change of
   * privilege, with `reauthenticated` after the user has proven again who they are. `false`: another request was faster,
   * and its response carries the new token. After the response has left it throws a `SessionError` (`response_sent`) and
   * changes nothing.
   */
  rotate(options?: RotateOptions): Promise<boolean | undefined>;

  /** True if the user proved who they are within the last `maxAge` seconds: to ask before sensitive changes (ASVS 7.5.1). */
  authenticatedWithin(maxAge: number): boolean;

  /** True for this session's own `csrfToken`, false for anything else, a missing form field included. Takes the same time for every wrong one. */
  isCsrfToken(presented: unknown): boolean;

  /**
   * Writes what was collected so far, for streams and sockets, whose response leaves before they are done. `false`: the
   * session has ended. It asks the store even where nothing was collected.
   */
  commit(): Promise<boolean>;

  /**
   * Reads the session again and slides its expiry, for streams and sockets that outlive their request. `false`: the
   * session has ended, or another request has rotated its token; end the socket then.
   */
  refresh(): Promise<boolean>;
}

/** What `start` gives the new session besides its data. */
export interface StartOptions extends Omit<CreateOptions, 'user'> {
  /** Take over the data of the session that ends. Default false. */
  readonly carry?: boolean;
}

/** Values of declared fields by name. */
export type FieldData<Fields extends FieldCodecs> = {
  readonly [Name in keyof Fields]?: ValueOf<Fields[Name]>;
};
