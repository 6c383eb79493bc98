import { SessionError } from '../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../domain/field-codecs.ts';
import type { SessionService } from '../domain/session-service.ts';
import { type CrossSiteOptions, crossSiteCheck } from './cross-site.ts';
import { Deadline } from './deadline.ts';
import { type RequestHead, requestTarget } from './request-origin.ts';
import { ServiceSession, type ServiceSessionOptions } from './service-session.ts';
import { SessionCookie, type SessionCookieOptions } from './session-cookie.ts';
import type { TrustedOrigins } from './trusted-origins.ts';

/** Options of sessions over HTTP, for every framework. */
export interface SessionHandlerOptions<Fields extends FieldCodecs = TextFields> {
  /** The service whose sessions requests get. */
  readonly service: SessionService;
  /**
   * How the application's fields are typed and stored. By default any field is text.
   *
   * @example
   * ```ts
   * fields: { theme: text('light', 'dark'), visits: integer() }
   * ```
   */
  readonly fields?: Fields;
  /** Attributes of the cookie. The defaults are for HTTPS; for plain HTTP in development use `{ secure: false }`. */
  readonly cookie?: SessionCookieOptions;
  /**
   * Origins whose pages may also send unsafe requests: a list or a function. By default only the request's own origin.
   *
   * @example
   * ```ts
   * trustedOrigins: ['https://app.example', 'https://*.preview.example']
   * ```
   */
  readonly trustedOrigins?: TrustedOrigins;
  /**
   * Set it if every request comes through a proxy that sets `X-Forwarded-Host` and `X-Forwarded-Proto`, or `Forwarded`,
   * itself. Any client can send these headers, so they are ignored otherwise.
   *
   * @default false
   */
  readonly trustProxy?: boolean;
  /**
   * Milliseconds that a request waits for the store at each step before the store counts as unavailable; 1 to 600,000.
   * Keep it above the command timeout of the Redis client.
   *
   * @default 1000
   */
  readonly deadlineMs?: number;
  /**
   * Receives warnings that the application should know about. `kind` is stable, the message is for people. @default
   * console.warn
   */
  readonly onWarning?: (message: string, kind: SessionWarning) => void;
}

/**
 * The kinds of warnings.
 *
 * - `insecure_site`: browsers will drop the cookie, because it is `Secure` and the site uses plain HTTP; reported once
 * - `cross_site_cookie`: a page on another site started a session, and browsers will not send the cookie back from
 *   there; reported once
 * - `lost_changes`: fields that a request changed could not be written after its response had been sent, or because its
 *   session had ended meanwhile; reported each time
 * - `lost_cookie`: a request rotated the token and then failed with an error that nothing answered, so that the browser
 *   keeps the old token and the user may have to log in again; reported each time
 */
export type SessionWarning = 'insecure_site' | 'cross_site_cookie' | 'lost_changes' | 'lost_cookie';

type LifecycleOptions = Omit<SessionHandlerOptions, 'fields'> & {
  readonly fields?: FieldCodecs;
  /** Creates the error of `required` and `requiredUser`. By default a `SessionError` with `status` 401. */
  readonly unauthenticated?: (message: string) => Error;
};

/**
 * The steps of a request that may have a session, for any framework: `refusal`, then `open`, then the application's own
 * work, then `close` and the headers of `answer`.
 */
export class SessionLifecycle {
  readonly cookie: SessionCookie;
  /** Returns the reason if the request must be refused with 403. */
  readonly refusal: (request: RequestHead) => string | undefined;
  readonly #session: ServiceSessionOptions;
  readonly #trustProxy: boolean;
  readonly #onWarning: (message: string, kind: SessionWarning) => void;
  readonly #told = new Set<SessionWarning>();

  /** Throws a `SessionError` (`invalid_option`) for an invalid option. */
  constructor({
    service,
    fields,
    cookie,
    trustProxy = false,
    deadlineMs = 1000,
    onWarning: warn = console.warn,
    unauthenticated = unauthenticatedError,
    ...crossSite
  }: LifecycleOptions & CrossSiteOptions) {
    const onWarning = neverThrowing(warn);
    this.cookie = new SessionCookie(cookie);
    this.refusal = crossSiteCheck({ ...crossSite, trustProxy });
    this.#session = {
      service,
      fields,
      deadline: new Deadline(deadlineMs),
      cookieName: this.cookie.name,
      unauthenticated,
      onLostChanges: (why) => onWarning(why, 'lost_changes'),
    };
    this.#trustProxy = trustProxy;
    this.#onWarning = onWarning;
  }

  /**
   * Opens the session of the request's cookie in one round trip, or in none without a cookie. Rejects with
   * `StoreUnavailableError`.
   */
  async open(
    request: RequestHead,
    { refresh }: { readonly refresh: boolean },
  ): Promise<ServiceSession> {
    const presented = this.cookie.presented(request.header('Cookie'));
    const token = presented === 'ambiguous' ? undefined : presented;
    const { service, deadline } = this.#session;
    const session =
      token === undefined ? undefined : await deadline.within(service.get(token, { refresh }));
    return new ServiceSession(this.#session, {
      presented: presented !== undefined,
      token,
      session,
    });
  }

  /** Throws a `SessionError` (`invalid_option`) for a session of another service, whose users are different ones. */
  requireOwn(session: ServiceSession): void {
    if (session.isOf(this.#session.service)) return;
    throw new SessionError(
      'invalid_option',
      `Two services use the cookie ${this.cookie.name} on one request. Give one of them another name: cookie: { name: 'admin' }.`,
    );
  }

  /**
   * Call it when the application is done, before its response is sent. Writes the collected changes, unless `discard`
   * says that the application failed. Nothing can change the cookie afterwards. Returns the error if writing failed,
   * and synchronously `undefined` if there is nothing to wait for.
   */
  close(session: ServiceSession, discard: boolean): Promise<Error | undefined> | undefined {
    if (session.settling || session.changed) return this.#settle(session, discard);
    session.seal({ discard });
    return undefined;
  }

  async #settle(session: ServiceSession, discard: boolean): Promise<Error | undefined> {
    if (session.settling) await session.settled();
    const failure = discard || !session.changed ? undefined : await written(session);
    while (session.settling) await session.settled(); // a stream may have started a rotation meanwhile
    session.seal({ discard: discard || failure !== undefined });
    return failure;
  }

  /**
   * Call it after `close` if an error is thrown on instead of a response. Ends a session that the request started,
   * because nobody would know its token. A rotation cannot be undone.
   */
  async abandon(session: ServiceSession): Promise<void> {
    await session.withdraw();
    if (session.cookieChange === undefined || session.cookieChange === 'clear') return;
    this.#onWarning(
      `A request rotated the token of its session and then failed, so the browser may not get the cookie ` +
        `${this.cookie.name} and the user may have to log in again. Answer the error with a response: see onError.`,
      'lost_cookie',
    );
  }

  /** The headers that a response with this session needs, beside those that it has already. */
  answer(session: ServiceSession, request: RequestHead, existing: Headers): SessionHeaders {
    const change = session.cookieChange;
    if (change === undefined) return { personal: session.personal, setCookie: undefined };
    if (this.#isOverruled(session, existing)) return { personal: true, setCookie: undefined };
    if (change === 'clear') return { personal: true, setCookie: this.cookie.clear() };
    this.#warnOfInsecureSite(request);
    this.#warnOfCrossSiteCookie(request);
    return { personal: true, setCookie: this.cookie.set(change.token, change.maxAge) };
  }

  /**
   * True if the response already has the cookie of a login or logout, by an application with sessions that was mounted
   * inside. That one wins: it acted after this one rotated the token. If the inner one only rotated, this one wins.
   */
  #isOverruled(session: ServiceSession, headers: Headers): boolean {
    return headers.getSetCookie().some((line) => {
      const [pair] = line.split(';', 1);
      const token = this.cookie.read(pair);
      return token === undefined ? line === this.cookie.clear() : !session.hasOpened(token);
    });
  }

  #warnOfInsecureSite(request: RequestHead): void {
    if (!this.cookie.secure || this.#told.has('insecure_site')) return;
    if (requestTarget(request, this.#trustProxy).scheme === 'https') return;
    this.#warn(
      'insecure_site',
      `Browsers will drop the Secure cookie ${this.cookie.name}, because the site uses HTTP. ` +
        'Use cookie: { secure: false } for development, or trustProxy: true behind a proxy that terminates TLS.',
    );
  }

  #warnOfCrossSiteCookie(request: RequestHead): void {
    if (this.cookie.sameSite === 'None' || this.#told.has('cross_site_cookie')) return;
    if (request.header('Sec-Fetch-Site') !== 'cross-site') return;
    if (request.header('Sec-Fetch-Dest') === 'document') return; // a navigation to this site, so the browser keeps its cookie
    this.#warn(
      'cross_site_cookie',
      `A page on another site (${request.header('Origin') ?? 'unknown'}) started a session, and browsers will not send ` +
        `the cookie ${this.cookie.name} from there, because it is SameSite=${this.cookie.sameSite}. ` +
        "Use cookie: { sameSite: 'None', partitioned: true }, on HTTPS.",
    );
  }

  #warn(kind: SessionWarning, message: string): void {
    this.#told.add(kind);
    this.#onWarning(message, kind);
  }
}

/** A warning that cannot be reported costs nobody a session. */
function neverThrowing(
  warn: (message: string, kind: SessionWarning) => unknown,
): (message: string, kind: SessionWarning) => void {
  return async (message, kind) => {
    try {
      await warn(message, kind);
    } catch (error) {
      console.error(error);
    }
  };
}

export interface SessionHeaders {
  /** True if the response shows or sets a session and must not be cached. */
  readonly personal: boolean;
  readonly setCookie: string | undefined;
}

async function written(session: ServiceSession): Promise<Error | undefined> {
  try {
    await session.write();
    return undefined;
  } catch (error) {
    return error as Error; // the service throws nothing else
  }
}

/** Frameworks that read `status` respond with 401. */
function unauthenticatedError(message: string): Error {
  return Object.assign(new SessionError('unauthenticated', message), {
    status: 401,
    statusCode: 401,
  });
}

/** The body of the response while the store is unavailable. */
export const UNAVAILABLE = {
  error: 'The session store is unavailable. Try again in a moment.',
} as const;

/** True if a login was refused because it came too late or exceeded the limit (409), rather than being invalid. */
export function isConflict(error: unknown): error is SessionError {
  return (
    error instanceof SessionError &&
    (error.code === 'revoked' || error.code === 'too_many_sessions')
  );
}
