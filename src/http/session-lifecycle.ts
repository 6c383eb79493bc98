import { SessionError } from '../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../domain/field-codecs.ts';
import type { SessionService } from '../domain/session-service.ts';
import { type CrossSiteOptions, crossSiteCheck } from './cross-site.ts';
import { Deadline } from './deadline.ts';
import { type RequestHead, requestTarget } from './request-origin.ts';
import { ServiceSession, type ServiceSessionOptions } from './service-session.ts';
import { SessionCookie, type SessionCookieOptions } from './session-cookie.ts';
import type { TrustedOrigins } from './trusted-origins.ts';

/** What sessions over HTTP work with, and how strict they are. */
export interface SessionHandlerOptions<Fields extends FieldCodecs = TextFields> {
  /** The service whose sessions requests get. */
  readonly service: SessionService;
  /** How the application's fields are typed and stored. Without it any field is text. */
  readonly fields?: Fields;
  readonly cookie?: SessionCookieOptions;
  /**
   * Origins whose pages may send unsafe requests here as well: a list such as
   * `['https://app.example', 'https://*.preview.example']`, or a function.
   *
   * @default none but the request's own
   */
  readonly trustedOrigins?: TrustedOrigins;
  /**
   * True where every request comes through a proxy that sets `X-Forwarded-Host` and `X-Forwarded-Proto`, or `Forwarded`,
   * itself. Anybody can send these headers, so they are not looked at otherwise.
   *
   * @default false
   */
  readonly trustProxy?: boolean;
  /**
   * Milliseconds that a request waits for the store at each step before it counts as unavailable; 1 to 600,000.
   *
   * @default 1000
   */
  readonly deadlineMs?: number;
  /** Hears what the application should know. `kind` is stable, the message is for people. Default: `console.warn`. */
  readonly onWarning?: (message: string, kind: SessionWarning) => void;
}

/**
 * - `insecure_site`: browsers will drop the cookie, because it is `Secure` and the site is on plain HTTP; told once
 * - `cross_site_cookie`: a page on another site started a session, and browsers will not send the cookie back from there; told once
 * - `lost_changes`: fields that a request changed could not be written after its response had left, or because its session
 *   had ended meanwhile; told each time
 */
export type SessionWarning = 'insecure_site' | 'cross_site_cookie' | 'lost_changes';

type LifecycleOptions = Omit<SessionHandlerOptions, 'fields'> & {
  readonly fields?: FieldCodecs;
  /** Makes what `required` and `requiredUser` throw. Default: a `SessionError` with `status` 401. */
  readonly unauthenticated?: (message: string) => Error;
};

/**
 * What happens to a request that may have a session, whatever framework it came through: `refusal`, then `open`, then the
 * application's own work, then `close` and the headers of `answer`.
 */
export class SessionLifecycle {
  readonly cookie: SessionCookie;
  /** Why a request is refused with 403, if it is. */
  readonly refusal: (request: RequestHead) => string | undefined;
  readonly #session: ServiceSessionOptions;
  readonly #trustProxy: boolean;
  readonly #onWarning: (message: string, kind: SessionWarning) => void;
  readonly #told = new Set<SessionWarning>();

  /** Throws a `SessionError` (`invalid_option`) for an option that makes no sense. */
  constructor({
    service,
    fields,
    cookie,
    trustProxy = false,
    deadlineMs = 1000,
    onWarning = console.warn,
    unauthenticated = unauthenticatedError,
    ...crossSite
  }: LifecycleOptions & CrossSiteOptions) {
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
   * The session that the request's cookie opens, in one round trip; in none where it has no cookie. Rejects with
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

  /** Throws a `SessionError` (`invalid_option`) for a session of another service: its users are not ours. */
  requireOwn(session: ServiceSession): void {
    if (session.isOf(this.#session.service)) return;
    throw new SessionError(
      'invalid_option',
      `Two services use the cookie ${this.cookie.name} on one request. Give one of them another name: cookie: { name: 'admin' }.`,
    );
  }

  /**
   * To be called when the application is done and before its response leaves: writes what it collected, unless `discard`
   * says that it failed, and lets nothing change the cookie from then on. Answers what kept it from writing, at once where
   * there is nothing to wait for.
   */
  close(session: ServiceSession, discard: boolean): Promise<Error | undefined> | undefined {
    if (session.settling || session.changed) return this.#settle(session, discard);
    session.seal({ discard });
    return undefined;
  }

  async #settle(session: ServiceSession, discard: boolean): Promise<Error | undefined> {
    if (session.settling) await session.settled();
    const failure = discard || !session.changed ? undefined : await written(session);
    while (session.settling) await session.settled(); // a stream may have begun to rotate meanwhile
    session.seal({ discard: discard || failure !== undefined });
    return failure;
  }

  /** The headers that a response with this session must have. */
  answer(session: ServiceSession, request: RequestHead): SessionHeaders {
    const change = session.cookieChange;
    if (change === undefined) return { personal: session.personal, setCookie: undefined };
    if (change === 'clear') return { personal: true, setCookie: this.cookie.clear() };
    this.#warnOfInsecureSite(request);
    this.#warnOfCrossSiteCookie(request);
    return { personal: true, setCookie: this.cookie.set(change.token, change.maxAge) };
  }

  #warnOfInsecureSite(request: RequestHead): void {
    if (!this.cookie.secure || this.#told.has('insecure_site')) return;
    if (requestTarget(request, this.#trustProxy).scheme === 'https') return;
    this.#warn(
      'insecure_site',
      `Browsers will drop the Secure cookie ${this.cookie.name}: the site is on http. ` +
        'Say cookie: { secure: false } for development, or trustProxy: true behind a proxy that ends TLS.',
    );
  }

  #warnOfCrossSiteCookie(request: RequestHead): void {
    if (this.cookie.sameSite === 'None' || this.#told.has('cross_site_cookie')) return;
    if (request.header('Sec-Fetch-Site') !== 'cross-site') return;
    if (request.header('Sec-Fetch-Dest') === 'document') return; // the browser goes to this site: its cookie is kept
    this.#warn(
      'cross_site_cookie',
      `A page on another site (${request.header('Origin') ?? 'unknown'}) started a session, and browsers will not send ` +
        `the cookie ${this.cookie.name} from there, because it is SameSite=${this.cookie.sameSite}. ` +
        "Say cookie: { sameSite: 'None', partitioned: true }, on HTTPS.",
    );
  }

  #warn(kind: SessionWarning, message: string): void {
    this.#told.add(kind);
    this.#onWarning(message, kind);
  }
}

export interface SessionHeaders {
  /** Whether the response shows or sets a session, so that no cache may keep it. */
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

/** Frameworks that look for a `status` answer 401. */
function unauthenticatedError(message: string): Error {
  return Object.assign(new SessionError('unauthenticated', message), {
    status: 401,
    statusCode: 401,
  });
}

/** What clients read while the store is unavailable. */
export const UNAVAILABLE = {
  error: 'The session store is unavailable. Try again in a moment.',
} as const;

/** Whether a login came too late or was one too many (409), rather than wrong. */
export function isConflict(error: unknown): error is SessionError {
  return (
    error instanceof SessionError &&
    (error.code === 'revoked' || error.code === 'too_many_sessions')
  );
}
