import { HTTPException } from 'hono/http-exception';
import type { FieldCodecs } from '../domain/field-codecs.ts';
import type { Session } from '../domain/session.ts';
import { checkField, checkValue, type FieldValues } from '../domain/session-fields.ts';
import type { RotateOptions, SessionService } from '../domain/session-service.ts';
import type { SessionId, SessionToken } from '../domain/session-token.ts';
import type { Deadline } from './deadline.ts';
import type { ActiveSession, StartOptions } from './request-session.ts';

/** What the response must do to the cookie. */
export type CookieChange =
  | { readonly token: SessionToken; readonly persistent: boolean }
  | 'clear'
  | undefined;

export interface ServiceSessionOptions {
  readonly service: SessionService;
  readonly fields: FieldCodecs | undefined;
  readonly deadline: Deadline;
}

/** What the request brought, and what it opened. */
export interface Opened {
  readonly presented: boolean;
  readonly token: string | undefined;
  readonly session: Session | undefined;
}

/** One request's session on the service. The middleware makes it, and asks it at the end what the cookie must become. */
export class ServiceSession {
  readonly lost: boolean;
  readonly #service: SessionService;
  readonly #fields: FieldCodecs | undefined;
  readonly #deadline: Deadline;
  readonly #changes = new Map<string, string | undefined>();
  #token: string | undefined;
  #session: Session | undefined;
  #cookieChange: CookieChange;

  constructor(
    { service, fields, deadline }: ServiceSessionOptions,
    { presented, token, session }: Opened,
  ) {
    this.#service = service;
    this.#fields = fields;
    this.#deadline = deadline;
    this.#token = session && token;
    this.#session = session;
    this.lost = presented && session === undefined;
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

  /** Whether something was collected that is not written yet. */
  get changed(): boolean {
    return this.#changes.size > 0;
  }

  get cookieChange(): CookieChange {
    return this.#cookieChange;
  }

  get csrfToken(): string {
    return this.#service.csrfToken(this.#open());
  }

  isCsrfToken(presented: string): boolean {
    return this.#service.isCsrfToken(this.#open(), presented);
  }

  get(name: string): unknown {
    return this.#decode(name, this.#stored(name));
  }

  set(name: string, value: unknown): void {
    this.#write(name, this.#encode(name, value));
  }

  unset(name: string): void {
    this.#write(name, undefined);
  }

  flash(kind: string, message: string): void {
    this.#write(flashField(kind), message);
  }

  async takeFlash(kind: string): Promise<string | undefined> {
    const field = flashField(kind);
    return this.#stored(field) === undefined ? undefined : this.#take(field);
  }

  required(): ActiveSession {
    this.#open();
    return this as unknown as ActiveSession; // it is open; the types of its fields are the middleware's to promise
  }

  async start(
    user?: string,
    data: Readonly<Record<string, unknown>> = {},
    { carry = false, ...options }: StartOptions = {},
  ): Promise<ActiveSession> {
    const previous = this.#token;
    const fields: Record<string, string> = Object.create(null);
    if (carry) Object.assign(fields, this.current?.fields);
    for (const [name, value] of Object.entries(data)) fields[name] = this.#encode(name, value);
    const { token, session } = await this.#within(
      this.#service.create(fields, user === undefined ? options : { ...options, user }),
    );
    // The new session comes first: if the old one cannot be ended, nobody learns the new token and the old cookie stays.
    if (previous !== undefined) await this.#within(this.#service.delete(previous));
    this.#changes.clear();
    this.#token = token;
    this.#session = session;
    this.#cookieChange = { token, persistent: session.persistent };
    return this.required();
  }

  async end(): Promise<boolean> {
    if (this.#token === undefined) return false;
    const ended = await this.#within(this.#service.delete(this.#token));
    this.#gone();
    return ended;
  }

  async increment(name: string, by = 1): Promise<number | undefined> {
    const token = await this.#committed();
    const sum = await this.#within(this.#service.increment(token, name, by));
    return this.#wrote(sum, name, String(sum));
  }

  async replace(name: string, expected: unknown, next: unknown): Promise<boolean | undefined> {
    const token = await this.#committed();
    const written = next === undefined ? undefined : this.#encode(name, next);
    const found = expected === undefined ? undefined : this.#encode(name, expected);
    const replaced = await this.#within(this.#service.replace(token, name, found, written));
    return replaced === false ? false : this.#wrote(replaced, name, written);
  }

  async take(name: string): Promise<unknown> {
    return this.#decode(name, await this.#take(name));
  }

  async setTtl(ttl: number): Promise<boolean> {
    const token = await this.#committed();
    if (!(await this.#within(this.#service.setTtl(token, ttl)))) return this.#gone();
    // Only the store knows what the end of the lifetime leaves of the new ttl.
    this.#session = await this.#within(this.#service.peek(token));
    return this.#session !== undefined || this.#gone();
  }

  async rotate(options?: RotateOptions): Promise<boolean | undefined> {
    const token = await this.#committed();
    const next = await this.#within(this.#service.rotate(token, options));
    if (next === undefined) this.#gone();
    if (next === undefined || next === false) return next;
    this.#token = next;
    this.#cookieChange = { token: next, persistent: this.#session?.persistent ?? false };
    return true;
  }

  authenticatedWithin(maxAge: number): boolean {
    return this.#session !== undefined && this.#service.authenticatedWithin(this.#session, maxAge);
  }

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
    if (!(await this.#within(this.#service.update(this.#token, { set, unset }))))
      return this.#gone();
    for (const [name, value] of changes) {
      this.#keep(name, value);
      if (this.#changes.get(name) === value) this.#changes.delete(name);
    }
    return true;
  }

  #open(): string {
    if (this.#token === undefined) throw new HTTPException(401, { message: 'No active session' });
    return this.#token;
  }

  // A verb that acts at once must not overtake a plain write that came before it.
  async #committed(): Promise<string> {
    const token = this.#open();
    await this.commit();
    return token;
  }

  async #take(name: string): Promise<string | undefined> {
    const token = await this.#committed();
    const value = await this.#within(this.#service.take(token, name));
    this.#keep(name, undefined);
    return value;
  }

  #write(name: string, value: string | undefined): void {
    this.#open();
    const { limits } = this.#service.policy;
    checkField(name, limits);
    this.#changes.set(name, value === undefined ? value : checkValue(name, value, limits));
  }

  #stored(name: string): string | undefined {
    if (this.#session === undefined) return undefined;
    return this.#changes.has(name) ? this.#changes.get(name) : this.#session.fields[name];
  }

  #encode(name: string, value: unknown): string {
    const codec = this.#fields?.[name];
    return codec === undefined ? (value as string) : codec.encode(value); // undeclared fields are text; the service checks
  }

  #decode(name: string, stored: string | undefined): unknown {
    const codec = this.#fields?.[name];
    return stored === undefined || codec === undefined ? stored : codec.decode(stored);
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

  #within<T>(answer: Promise<T>): Promise<T> {
    return this.#deadline.within(answer);
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
