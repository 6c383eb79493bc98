import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { StoreUnavailableError } from '../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../domain/field-codecs.ts';
import type { SessionService } from '../domain/session-service.ts';
import { isCrossSite } from './cross-site.ts';
import { Deadline } from './deadline.ts';
import type { RequestSession } from './request-session.ts';
import { type Opened, ServiceSession } from './service-session.ts';
import { SessionCookie, type SessionCookieOptions } from './session-cookie.ts';

/** What the middleware works with, and how strict it is. */
export interface SessionsOptions<Fields extends FieldCodecs = TextFields> {
  /** The service whose sessions requests get. */
  readonly service: SessionService;
  /** How the application's fields are typed and stored. Without it any field is text. */
  readonly fields?: Fields;
  readonly cookie?: SessionCookieOptions;
  /** Origins, such as `https://shop.example`, whose pages may send unsafe requests here as well. */
  readonly trustedOrigins?: readonly string[];
  /**
   * True where every request comes through a proxy that sets `X-Forwarded-Host` and `X-Forwarded-Proto` itself. Anybody
   * can send these headers, so they are not looked at otherwise. Default false.
   */
  readonly trustProxy?: boolean;
  /** Whether this request slides the expiry or only looks. Default: every request slides. */
  readonly refresh?: (c: Context) => boolean;
  /** Milliseconds that a request waits for the store at each step before it counts as unavailable. Default 1000. */
  readonly deadlineMs?: number;
  /** The answer while the store is unavailable. Default: 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    c: Context,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
  /** Hears, once, that browsers will drop the cookie. Default: `console.warn`. */
  readonly onWarning?: (message: string) => void;
}

/** For `new Hono<SessionsEnv>()`: what the middleware puts into `c.var`. */
export type SessionsEnv<Fields extends FieldCodecs = TextFields> = {
  Variables: { session: RequestSession<Fields> };
};

/** Browsers cut a cookie's life there (RFC 6265bis, 5.5). */
const MAX_COOKIE_AGE_SECONDS = 400 * 24 * 3600;

/**
 * Gives every request its session as `c.var.session`, and the response what its cookie must become. A request without a
 * cookie costs no command. Otherwise the session is loaded in one round trip, and what the handler changed is
 * written before the response leaves, also when the handler threw an `HTTPException`; any other error discards it.
 *
 * While the store is unavailable a request with a cookie is answered 503 and the cookie stays as it is. Requests that a
 * foreign site caused are refused with 403.
 */
export function sessions<Fields extends FieldCodecs = TextFields>({
  service,
  fields,
  cookie: cookieOptions,
  trustedOrigins = [],
  trustProxy = false,
  refresh = () => true,
  deadlineMs = 1000,
  onUnavailable = answerUnavailable,
  onWarning = console.warn,
}: SessionsOptions<Fields>): MiddlewareHandler<SessionsEnv<Fields>> {
  const cookie = new SessionCookie(cookieOptions);
  const deadline = new Deadline(deadlineMs);
  const trusted = new Set(trustedOrigins);
  const persistentAge = Math.min(service.policy.lifetime ?? Infinity, MAX_COOKIE_AGE_SECONDS);
  let warned = false;

  return async function sessions(c, next) {
    if (isCrossSite(c, trusted, () => forwarded(c, 'Host') ?? c.req.header('Host'))) {
      throw new HTTPException(403, { message: 'Cross-site request' });
    }
    let session: ServiceSession;
    try {
      session = new ServiceSession({ service, fields, deadline }, await open(c));
    } catch (error) {
      if (error instanceof StoreUnavailableError) return onUnavailable(c, error);
      throw error;
    }
    c.set('session', session as unknown as RequestSession<Fields>); // its codecs are the declared ones
    await next();
    const failure = session.changed ? await commit(c, session) : c.error;
    if (failure instanceof StoreUnavailableError) {
      c.res = await onUnavailable(c, failure);
    }
    // Whatever went wrong: what became of the session is a fact, and the browser has to learn of it.
    setHeaders(c, session);
    if (failure !== c.error && !(failure instanceof StoreUnavailableError)) throw failure;
  };

  async function open(c: Context): Promise<Opened> {
    const presented = cookie.read(c);
    if (presented === undefined) return { presented: false, token: undefined, session: undefined };
    if (presented === 'ambiguous') return { presented: true, token: undefined, session: undefined };
    const { token } = presented;
    const session = await deadline.within(service.get(token, { refresh: refresh(c) }));
    return { presented: true, token, session };
  }

  function setHeaders(c: Context, session: ServiceSession): void {
    const change = session.cookieChange;
    if (change === 'clear') cookie.clear(c);
    else if (change !== undefined) {
      warnOfPlainHttp(c);
      cookie.set(c, change.token, change.persistent ? persistentAge : undefined);
    }
    const personal = change === undefined && session.id !== undefined;
    if (change !== undefined || (personal && !c.res.headers.has('Cache-Control'))) {
      setHeader(c, 'Cache-Control', 'no-store');
    }
  }

  function warnOfPlainHttp(c: Context): void {
    if (warned || !cookie.secure) return;
    const protocol = forwarded(c, 'Proto') ?? new URL(c.req.url).protocol.slice(0, -1);
    if (protocol === 'https') return;
    warned = true;
    onWarning(
      `Browsers will drop the Secure cookie ${cookie.name}: the site is on http. ` +
        'Say cookie: { secure: false } for development, or trustProxy: true behind a proxy that ends TLS.',
    );
  }

  function forwarded(c: Context, what: 'Host' | 'Proto'): string | undefined {
    return trustProxy ? c.req.header(`X-Forwarded-${what}`) : undefined;
  }
}

/** Writes what the handler collected, unless it failed unexpectedly. Answers the failure, the handler's or the write's. */
async function commit(c: Context, session: ServiceSession): Promise<Error | undefined> {
  if (c.error !== undefined && !(c.error instanceof HTTPException)) return c.error;
  try {
    await session.commit();
    return c.error;
  } catch (error) {
    return error as Error; // the service throws nothing else
  }
}

// `c.header` makes a new response with its body as a stream, which costs more than all else that a session does.
function setHeader(c: Context, name: string, value: string): void {
  try {
    c.res.headers.set(name, value);
  } catch {
    c.header(name, value); // an answer of `fetch` that the handler passed on: its headers cannot be changed
  }
}

function answerUnavailable(c: Context): Response {
  c.header('Retry-After', '1');
  return c.json({ error: 'The session store is unavailable. Try again in a moment.' }, 503);
}
