import { HTTPException } from 'hono/http-exception';
import type { Session } from '../domain/session.ts';
import { checkField, checkValue, type FieldValues } from '../domain/session-fields.ts';
import type { CreateOptions, SessionService } from '../domain/session-service.ts';
import type { SessionId, SessionToken } from '../domain/session-token.ts';

/** The session of one request, or that there is none yet. */
export interface RequestSession {
  /** `undefined` while nobody has a session here. */
  readonly id: SessionId | undefined;
  readonly user: string | undefined;
  /** True if the request brought a cookie that opened nothing: its session has ended, or it never was one. */
  readonly lost: boolean;
  /** The session with what this request changed so far. */
  readonly current: Session | undefined;

  /** The field as this request sees it: as loaded, with its own changes. No round trip. */
  get(name: string): string | undefined;

  /**
   * Login: a new id and a new secret always, so that whoever knew the old token knows nothing (session fixation, OWASP
   * ASVS 7.2.4). The session that the browser had before is ended; with `carry` its data moves over.
   */
  start(data?: FieldValues, options?: StartOptions): Promise<ActiveSession>;

  /** Logout. When it returns the session is gone for every app server; when the store fails it throws and the cookie stays. */
  end(): Promise<boolean>;

  /** The session to write to; throws a 401 `HTTPException` where there is none. */
  required(): ActiveSession;
}

/** A session that there is. Plain writes are collected and reach the store in one round trip before the response leaves. */
export interface ActiveSession extends RequestSession {
  readonly id: SessionId;
  readonly current: Session;

  /** Throws a `SessionError` for a reserved name, and for a name or a value that is too long. */
  set(name: string, value: string): void;
  unset(name: string): void;

  /** Adds to an integer field at once; concurrent requests all count. `undefined` if the session ended meanwhile. */
  increment(name: string, by?: number): Promise<number | undefined>;

  /** Compare-and-set of one field, at once. `undefined` if the session ended meanwhile. */
  replace(
    name: string,
    expected: string | undefined,
    next: string | undefined,
  ): Promise<boolean | undefined>;

  /** Reads and removes a field, at once; of concurrent requests exactly one gets it. */
  take(name: string): Promise<string | undefined>;

  /** Another idle timeout in seconds, at once. `false` if the session ended meanwhile. */
  setTtl(ttl: number): Promise<boolean>;

  /** Writes what was collected so far. For streams, whose response leaves before they are done. */
  commit(): Promise<boolean>;
}

export interface StartOptions extends CreateOptions {
  /** Take over the data of the session that ends. Default false. */
  readonly carry?: boolean;
}

/** What the response must do to the cookie. */
export type CookieChange = { readonly token: SessionToken } | 'clear' | undefined;

/** One request's view of its session; the middleware makes it, and asks it at the end what the cookie must become. */
export class ServiceSession implements RequestSession {
  readonly #service: SessionService;
  readonly #changes = new Map<string, string | undefined>();
  #token: string | undefined;
  #session: Session | undefined;
  #cookieChange: CookieChange;
  readonly lost: boolean;

  /** `presented`: the request brought a cookie. `session`: what its token opened. */
  constructor(
    service: SessionService,
    presented: boolean,
    token: string | undefined,
    session: Session | undefined,
  ) {
    this.#service = service;
    this.lost = presented && session === undefined;
    this.#token = session && token;
    this.#session = session;
    this.#cookieChange = this.lost ? 'clear' : undefined;
  }

  get id(): SessionId | undefined {
    return this.#session?.id;
  }

  get user(): string | undefined {
    return this.#session?.user;
  }

  get current(): Session | undefined {
    const session = this.#session;
    if (session === undefined || this.#changes.size === 0) return session;
    return { ...session, fields: changed(session.fields, this.#changes) };
  }

  get cookieChange(): CookieChange {
    return this.#cookieChange;
  }

  get(name: string): string | undefined {
    if (this.#session === undefined) return undefined;
    return this.#changes.has(name) ? this.#changes.get(name) : this.#session.fields[name];
  }

  set(name: string, value: string): void {
    this.required();
    const { limits } = this.#service.policy;
    this.#changes.set(checkField(name, limits), checkValue(name, value, limits));
  }

  unset(name: string): void {
    this.required();
    this.#changes.set(checkField(name, this.#service.policy.limits), undefined);
  }

  required(): ActiveSession {
    if (this.#session === undefined) throw new HTTPException(401, { message: 'No active session' });
    return this as ActiveSession; // there is a session, so its id and its fields are there
  }

  async start(
    data: FieldValues = {},
    { carry = false, ...options }: StartOptions = {},
  ): Promise<ActiveSession> {
    const previous = this.#token;
    const carried = carry ? this.current?.fields : {};
    const { token, session } = await this.#service.create({ ...carried, ...data }, options);
    // The new session comes first: if the old one cannot be ended, nobody learns the new token and the old cookie stays.
    if (previous !== undefined) await this.#service.delete(previous);
    this.#changes.clear();
    this.#token = token;
    this.#session = session;
    this.#cookieChange = { token };
    return this.required();
  }

  async end(): Promise<boolean> {
    if (this.#token === undefined) return false;
    const ended = await this.#service.delete(this.#token);
    this.#gone();
    return ended;
  }

  async increment(name: string, by = 1): Promise<number | undefined> {
    const token = await this.#committed();
    const sum = await this.#service.increment(token, name, by);
    return this.#wrote(sum, name, String(sum));
  }

  async replace(
    name: string,
    expected: string | undefined,
    next: string | undefined,
  ): Promise<boolean | undefined> {
    const token = await this.#committed();
    const replaced = await this.#service.replace(token, name, expected, next);
    return replaced === false ? false : this.#wrote(replaced, name, next);
  }

  async take(name: string): Promise<string | undefined> {
    const token = await this.#committed();
    const value = await this.#service.take(token, name);
    if (this.#session !== undefined) this.#keep(name, undefined);
    return value;
  }

  async setTtl(ttl: number): Promise<boolean> {
    const token = await this.#committed();
    if (!(await this.#service.setTtl(token, ttl))) return this.#gone();
    // Only the store knows what the end of the lifetime leaves of the new ttl.
    this.#session = await this.#service.peek(token);
    return this.#session !== undefined || this.#gone();
  }

  /** Writes what was collected. `false` if the session ended meanwhile: then a logout has won, and nothing is written. */
  async commit(): Promise<boolean> {
    if (this.#token === undefined) return false;
    if (this.#changes.size === 0) return true;
    const changes = new Map(this.#changes);
    const set: Record<string, string> = Object.create(null);
    const unset: string[] = [];
    for (const [name, value] of changes) {
      if (value === undefined) unset.push(name);
      else set[name] = value;
    }
    if (!(await this.#service.update(this.#token, { set, unset }))) return this.#gone();
    for (const [name, value] of changes) {
      this.#keep(name, value);
      if (this.#changes.get(name) === value) this.#changes.delete(name);
    }
    return true;
  }

  // A verb that acts at once must not overtake a plain write that came before it.
  async #committed(): Promise<string> {
    this.required();
    await this.commit();
    return this.#token ?? '';
  }

  #wrote<T>(answer: T | undefined, name: string, value: string | undefined): T | undefined {
    if (answer === undefined) this.#gone();
    else this.#keep(name, value);
    return answer;
  }

  #keep(name: string, value: string | undefined): void {
    const session = this.#session;
    if (session === undefined) return;
    this.#session = { ...session, fields: changed(session.fields, [[name, value]]) };
  }

  #gone(): false {
    this.#token = undefined;
    this.#session = undefined;
    this.#changes.clear();
    this.#cookieChange = 'clear';
    return false;
  }
}

function changed(
  fields: FieldValues,
  changes: Iterable<readonly [name: string, value: string | undefined]>,
): FieldValues {
  const result: Record<string, string> = Object.assign(Object.create(null), fields);
  for (const [name, value] of changes) {
    if (value === undefined) delete result[name];
    else result[name] = value;
  }
  return result;
}
