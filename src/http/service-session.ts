import { decodeField, encodeField } from '../domain/declared-fields.ts';
import { SessionError } from '../domain/errors.ts';
import type { FieldCodecs } from '../domain/field-codecs.ts';
import type { Session } from '../domain/session.ts';
import { checkField, checkValue, type FieldValues } from '../domain/session-fields.ts';
import type { SessionService } from '../domain/session-service.ts';
import type { RotateOptions } from '../domain/session-service-options.ts';
import type { SessionId, SessionToken } from '../domain/session-token.ts';
import { notText } from '../domain/wrong-value.ts';
import type { Deadline } from './deadline.ts';
import type { ActiveSession, StartOptions, UserSession } from './request-session.ts';
import { VerbOrder } from './verb-order.ts';

/** What the response must do with the cookie. */
export type CookieChange =
  | { readonly token: SessionToken; readonly maxAge: number | undefined }
  | 'clear'
  | undefined;

export interface ServiceSessionOptions {
  readonly service: SessionService;
  readonly fields: FieldCodecs | undefined;
  readonly deadline: Deadline;
  /** The name of the cookie that contained the token. */
  readonly cookieName: string;
  /** Creates the error of `required` and `requiredUser`. */
  readonly unauthenticated: (message: string) => Error;
  /** Called with a message if collected changes could not be written. */
  readonly onLostChanges: (why: string) => void;
}

/** The request's token and the session that it opened. */
export interface Opened {
  readonly presented: boolean;
  readonly token: string | undefined;
  readonly session: Session | undefined;
}

/**
 * The session of one request, on top of the service. The handler creates it, and asks it in the end what to do with the
 * cookie.
 */
export class ServiceSession {
  /** True if the response may contain data of the session that the request opened, even if it has ended meanwhile. */
  readonly personal: boolean;
  readonly #options: ServiceSessionOptions;
  readonly #changes = new Map<string, string | undefined>();
  /** Created on demand, because most requests call no asynchronous method. */
  #verbs: VerbOrder | undefined;
  #writing: Promise<boolean> | undefined;
  /** How many calls wait for the current write before their own. */
  #waitingToWrite = 0;
  #lateWrite: ReturnType<typeof setTimeout> | undefined;
  #sealed = false;
  /**
   * The session that this request opened or started. The request may end it, even if another one has rotated its token
   * meanwhile.
   */
  #ownId: SessionId | undefined;
  readonly #openedId: SessionId | undefined;
  #lost: boolean;
  #failure: Error | undefined;
  #token: string | undefined;
  #session: Session | undefined;
  #cookieChange: CookieChange;

  constructor(options: ServiceSessionOptions, { presented, token, session }: Opened) {
    this.#options = options;
    this.#token = session && token;
    this.#session = session;
    this.#ownId = session?.id;
    this.#openedId = session?.id;
    this.personal = session !== undefined;
    this.#lost = presented && session === undefined;
  }

  get cookieName(): string {
    return this.#options.cookieName;
  }

  isOf(service: SessionService): boolean {
    return this.#service === service;
  }

  /** True if this is a token of the session that the request's token opened, maybe a later one. */
  hasOpened(token: SessionToken): boolean {
    return this.#openedId !== undefined && token.startsWith(`${this.#openedId}.`);
  }

  get lost(): boolean {
    return this.#lost;
  }

  /**
   * The last error of a method, for frameworks that turn every error into a 500: the response alone does not show that
   * nobody is logged in or that the store is unavailable.
   */
  get failure(): Error | undefined {
    return this.#failure;
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

  /** True if there are collected changes that have not been written. */
  get changed(): boolean {
    return this.#changes.size > 0;
  }

  get cookieChange(): CookieChange {
    return this.#cookieChange;
  }

  /** True while a call that may change the cookie is running. */
  get settling(): boolean {
    return this.#verbs?.unsettled === true;
  }

  /** Resolves when no such call is running, whether they succeeded or not: an application may not have awaited it. */
  async settled(): Promise<void> {
    await this.#verbs?.settled();
  }

  /**
   * From now on nothing can change the cookie. Collected changes are dropped with `discard`; later ones are written in
   * the background.
   */
  seal({ discard }: { readonly discard: boolean }): void {
    this.#sealed = true;
    if (discard) this.#changes.clear();
    if (this.changed) this.#writeLate();
  }

  /** Ends a session that this request started, if the browser will not get its token. Never rejects. */
  async withdraw(): Promise<void> {
    if (this.#ownId === undefined || this.#ownId === this.#openedId) return;
    await this.#endOwn().catch(() => false); // nobody has the token, so the session runs out
    this.#gone();
    this.#cookieChange = undefined;
  }

  get csrfToken(): string {
    return this.#service.csrfToken(this.#open());
  }

  isCsrfToken(presented: unknown): boolean {
    return this.#service.isCsrfToken(this.#open(), presented);
  }

  get(name: string): unknown {
    return this.#decode(name, this.#stored(name));
  }

  set(name: string, value: unknown): void {
    this.#put(name, this.#encode(name, value));
  }

  unset(name: string): void {
    this.#collect(name, undefined);
  }

  flash(kind: string, message: string): void {
    this.#put(flashField(kind), message);
  }

  takeFlash(kind: string): Promise<string | undefined> {
    const field = flashField(kind);
    return this.#withToken(async () =>
      this.#stored(field) === undefined ? undefined : this.#take(field),
    );
  }

  required(): ActiveSession {
    this.#open();
    return this as unknown as ActiveSession; // it is open, and the middleware guarantees the types of its fields
  }

  requiredUser(): UserSession {
    if (this.user === undefined) throw this.#refuse('Not logged in');
    return this.required() as UserSession; // it has a user
  }

  start(
    user?: string,
    data?: Readonly<Record<string, unknown>>,
    options?: StartOptions,
  ): Promise<ActiveSession> {
    const before = new Map(this.#changes);
    return this.#changingCookie(() => this.#start(before, user, data, options));
  }

  end(): Promise<boolean> {
    return this.#changingCookie(() => this.#end());
  }

  rotate(options?: RotateOptions): Promise<boolean | undefined> {
    return this.#changingCookie(() => this.#rotate(options));
  }

  async #start(
    before: ReadonlyMap<string, string | undefined>,
    user?: string,
    data: Readonly<Record<string, unknown>> = {},
    { carry = false, ...options }: StartOptions = {},
  ): Promise<ActiveSession> {
    const fields: Record<string, string> = Object.create(null);
    if (carry) Object.assign(fields, this.current?.fields);
    for (const [name, value] of Object.entries(data)) fields[name] = this.#encode(name, value);
    const created = { ...options, ...(user !== undefined && { user }), replaces: this.#ownId };
    const { token, session } = await this.#within(this.#service.create(fields, created));
    // The new session comes first: if the old one cannot be ended, the new token is not used and the old cookie stays.
    await this.#endOwn();
    this.#uncollect(before); // later changes belong to the new session
    this.#token = token;
    this.#session = session;
    this.#ownId = session.id;
    this.#lost = false;
    this.#giveCookie(token);
    return this.required();
  }

  async #end(): Promise<boolean> {
    if (this.#ownId === undefined) return false;
    const ended = await this.#endOwn();
    this.#changes.clear();
    this.#gone();
    this.#lost = false;
    this.#ownId = undefined;
    this.#cookieChange = 'clear';
    return ended;
  }

  /** Ends the session that this request opened or started. Returns `false` if it has ended already. */
  async #endOwn(): Promise<boolean> {
    if (this.#ownId === undefined) return false;
    if (this.#token !== undefined && (await this.#within(this.#service.delete(this.#token)))) {
      return true;
    }
    // A faster rotation by another request does not take away the right to end the session.
    return this.#within(this.#service.end(this.#ownId));
  }

  increment(name: string, by = 1): Promise<number | undefined> {
    return this.#withToken(async () => {
      const token = await this.#committed();
      const sum = await this.#within(this.#service.increment(token, name, by));
      return this.#wrote(sum, name, String(sum));
    });
  }

  replace(name: string, expected: unknown, next: unknown): Promise<boolean | undefined> {
    return this.#withToken(async () => {
      const token = await this.#committed();
      const written = next === undefined ? undefined : this.#encode(name, next);
      const found = expected === undefined ? undefined : this.#encode(name, expected);
      const replaced = await this.#within(this.#service.replace(token, name, found, written));
      return replaced === false ? false : this.#wrote(replaced, name, written);
    });
  }

  take(name: string): Promise<unknown> {
    return this.#withToken(async () => this.#decode(name, await this.#take(name)));
  }

  setTtl(ttl: number): Promise<boolean> {
    return this.#withToken(async () => {
      const token = await this.#committed();
      if (!(await this.#within(this.#service.setTtl(token, ttl)))) return this.#gone();
      // Only the store knows how far the end of the lifetime limits the new ttl.
      const session = await this.#within(this.#service.peek(token));
      if (session === undefined) return this.#gone();
      this.#session = session;
      return true;
    });
  }

  async #rotate(options?: RotateOptions): Promise<boolean | undefined> {
    const token = await this.#committed();
    const next = await this.#within(this.#service.rotate(token, options));
    if (next === undefined) this.#gone();
    if (next === undefined || next === false) return next;
    this.#token = next;
    this.#giveCookie(next); // before the next call to the store: from now on only this token opens the session
    if (!options?.reauthenticated) return true;
    const session = await this.#within(this.#service.peek(next));
    if (session === undefined) {
      this.#gone();
      return undefined;
    }
    this.#session = session;
    this.#giveCookie(next);
    return true;
  }

  authenticatedWithin(maxAge: number): boolean {
    return this.#session !== undefined && this.#service.authenticatedWithin(this.#session, maxAge);
  }

  commit(): Promise<boolean> {
    return this.#withToken(async () => {
      if (this.#token === undefined) return false;
      if (this.changed || this.#writing !== undefined) return this.#write();
      const session = await this.#within(this.#service.peek(this.#token));
      return session !== undefined || this.#gone();
    });
  }

  refresh(): Promise<boolean> {
    return this.#withToken(async () => {
      if (this.#token === undefined) return false;
      const session = await this.#within(this.#service.get(this.#token));
      if (session === undefined) return this.#gone();
      this.#session = session;
      return true;
    });
  }

  /** Writes the collected changes. Returns `false` if the session has ended. */
  write(): Promise<boolean> {
    return this.#withToken(() => this.#write());
  }

  /** One write at a time: waits for the write of another call, which reports its own failure. */
  async #write(): Promise<boolean> {
    while (this.#writing !== undefined) {
      this.#waitingToWrite += 1;
      await this.#writing.catch(() => false);
      this.#waitingToWrite -= 1;
    }
    if (this.#token === undefined) return false;
    if (!this.changed) return true;
    this.#writing = this.#update(this.#token);
    try {
      return await this.#writing;
    } finally {
      this.#writing = undefined;
    }
  }

  async #update(token: string): Promise<boolean> {
    const changes = new Map(this.#changes);
    const set: Record<string, string> = Object.create(null);
    const unset: string[] = [];
    for (const [name, value] of changes) {
      if (value === undefined) unset.push(name);
      else set[name] = value;
    }
    if (!(await this.#within(this.#service.update(token, { set, unset })))) return this.#gone();
    for (const [name, value] of changes) this.#keep(name, value);
    this.#uncollect(changes);
    return true;
  }

  /** Removes these changes from the collected ones, except those that were made again meanwhile. */
  #uncollect(changes: ReadonlyMap<string, string | undefined>): void {
    for (const [name, value] of changes) {
      if (this.#changes.get(name) === value) this.#changes.delete(name);
    }
  }

  /**
   * Writes changes that are collected after the response was sent, once the application had the chance to do so itself.
   */
  #writeLate(): void {
    this.#lateWrite ??= setTimeout(async () => {
      this.#lateWrite = undefined;
      try {
        await this.write();
      } catch (error) {
        // Another call that waited for this write now writes the changes and reports the failure.
        if (this.#waitingToWrite > 0 || this.#writing !== undefined) return;
        this.#loseChanges((error as Error).message); // the service throws nothing else
      }
    }, 0);
  }

  #changingCookie<T>(act: () => Promise<T>): Promise<T> {
    if (this.#sealed) {
      const message =
        'The response headers have been sent, so the cookie cannot be changed. Nothing was changed.';
      return Promise.reject(new SessionError('response_sent', message));
    }
    return this.#order.changing(act);
  }

  #withToken<T>(act: () => Promise<T>): Promise<T> {
    return this.#order.using(act);
  }

  get #order(): VerbOrder {
    this.#verbs ??= new VerbOrder();
    return this.#verbs;
  }

  get #service(): SessionService {
    return this.#options.service;
  }

  #open(): string {
    if (this.#token === undefined) throw this.#refuse('No active session');
    return this.#token;
  }

  #refuse(message: string): Error {
    this.#failure = this.#options.unauthenticated(message);
    return this.#failure;
  }

  // A method that acts at once must not overtake an earlier plain write.
  async #committed(): Promise<string> {
    const token = this.#open();
    await this.#write();
    return token;
  }

  async #take(name: string): Promise<string | undefined> {
    const token = await this.#committed();
    const value = await this.#within(this.#service.take(token, name));
    // Either the field is missing or the session.
    const ended =
      value === undefined && (await this.#within(this.#service.peek(token))) === undefined;
    if (ended) this.#gone();
    else this.#keep(name, undefined);
    return value;
  }

  #giveCookie(token: SessionToken): void {
    const maxAge = this.#session && this.#service.cookieMaxAge(this.#session);
    this.#cookieChange = { token, maxAge };
  }

  #put(name: string, value: string): void {
    if (value === undefined) throw notText(value, name); // only `unset` removes a field
    this.#collect(name, value);
  }

  #collect(name: string, value: string | undefined): void {
    this.#open();
    const { limits } = this.#service.policy;
    checkField(name, limits);
    this.#changes.set(name, value === undefined ? value : checkValue(name, value, limits));
    if (this.#sealed) this.#writeLate();
  }

  #stored(name: string): string | undefined {
    if (this.#session === undefined) return undefined;
    return this.#changes.has(name) ? this.#changes.get(name) : this.#session.fields[name];
  }

  #encode(name: string, value: unknown): string {
    return encodeField(this.#options.fields, name, value);
  }

  #decode(name: string, stored: string | undefined): unknown {
    return decodeField(this.#options.fields, name, stored);
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
    if (this.changed) this.#loseChanges('the session has ended');
    this.#token = undefined;
    this.#session = undefined;
    this.#lost = true;
    return false;
  }

  #loseChanges(why: string): void {
    const names = [...this.#changes.keys()].map((name) => JSON.stringify(name)).join(', ');
    this.#changes.clear();
    this.#options.onLostChanges(`Changes of a session could not be written (${names}): ${why}`);
  }

  async #within<T>(answer: Promise<T>): Promise<T> {
    try {
      return await this.#options.deadline.within(answer);
    } catch (error) {
      this.#failure = error as Error; // the service throws nothing else
      throw error;
    }
  }
}

function flashField(kind: string): string {
  return `flash:${kind}`;
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
