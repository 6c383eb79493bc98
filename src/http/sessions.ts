import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { StoreUnavailableError } from '../domain/errors.ts';
import type { SessionService } from '../domain/session-service.ts';
import { isCrossSite } from './cross-site.ts';
import { type RequestSession, ServiceSession } from './request-session.ts';
import { SessionCookie, type SessionCookieOptions } from './session-cookie.ts';

export interface SessionsOptions {
  readonly service: SessionService;
  readonly cookie?: SessionCookieOptions;
  /** Origins, such as `https://shop.example`, whose pages may send unsafe requests here as well. */
  readonly trustedOrigins?: readonly string[];
  /** Whether this request slides the expiry or only looks. Default: every request slides. */
  readonly refresh?: (c: Context) => boolean;
  /** The answer while the store is unavailable. Default: 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    c: Context,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
}

export type SessionsEnv = { Variables: { session: RequestSession } };

/**
 * Gives every request its session as `c.var.session`, and the response what its cookie must become. A request without a
 * cookie costs no command. Otherwise the session is loaded in one round trip, and what the handler changed is
 * written before the response leaves, also when the handler threw an `HTTPException`; any other error discards it.
 *
 * While the store is unavailable a request with a cookie is answered 503 and the cookie stays as it is. Requests that a
 * foreign site caused are refused with 403.
 */
export function sessions({
  service,
  cookie: cookieOptions,
  trustedOrigins = [],
  refresh = () => true,
  onUnavailable = answerUnavailable,
}: SessionsOptions): MiddlewareHandler<SessionsEnv> {
  const cookie = new SessionCookie(cookieOptions);
  const trusted = new Set(trustedOrigins);

  return async function sessions(c, next) {
    if (isCrossSite(c, trusted)) throw new HTTPException(403, { message: 'Cross-site request' });
    let session: ServiceSession;
    try {
      session = await load(c);
    } catch (error) {
      if (error instanceof StoreUnavailableError) return onUnavailable(c, error);
      throw error;
    }
    c.set('session', session);
    await next();
    const failure = await commit(c, session);
    if (failure instanceof StoreUnavailableError) {
      c.res = undefined;
      c.res = await onUnavailable(c, failure);
    }
    // Whatever went wrong: what became of the session is a fact, and the browser has to learn of it.
    setHeaders(c, session);
    if (failure !== c.error && !(failure instanceof StoreUnavailableError)) throw failure;
  };

  async function load(c: Context): Promise<ServiceSession> {
    const presented = cookie.read(c);
    if (presented === undefined) return new ServiceSession(service, false, undefined, undefined);
    const token = presented === 'ambiguous' ? undefined : presented.token;
    const session =
      token === undefined ? undefined : await service.get(token, { refresh: refresh(c) });
    return new ServiceSession(service, true, token, session);
  }

  function setHeaders(c: Context, session: ServiceSession): void {
    const change = session.cookieChange;
    if (change === 'clear') cookie.clear(c);
    else if (change !== undefined) cookie.set(c, change.token);
    const personal = change === undefined && session.id !== undefined;
    if (change !== undefined || (personal && !c.res.headers.has('Cache-Control'))) {
      c.header('Cache-Control', 'no-store');
    }
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

function answerUnavailable(c: Context): Response {
  c.header('Retry-After', '1');
  return c.json({ error: 'The session store is unavailable. Try again in a moment.' }, 503);
}
