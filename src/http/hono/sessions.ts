import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { StoreUnavailableError } from '../../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../../domain/field-codecs.ts';
import type { RequestSession } from '../request-session.ts';
import { ServiceSession } from '../service-session.ts';
import {
  isConflict,
  type SessionHandlerOptions,
  type SessionHeaders,
  SessionLifecycle,
  UNAVAILABLE,
} from '../session-lifecycle.ts';

/** What the middleware works with, and how strict it is. */
export interface SessionsOptions<Fields extends FieldCodecs = TextFields>
  extends SessionHandlerOptions<Fields> {
  /** Whether this request slides the expiry or only looks. Default: every request slides. */
  readonly refresh?: (c: Context) => boolean;
  /** The answer while the store is unavailable. Default: 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    c: Context,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
}

/** For `new Hono<SessionsEnv>()`: what the middleware puts into `c.var`. */
export type SessionsEnv<Fields extends FieldCodecs = TextFields> = {
  Variables: { session: RequestSession<Fields> };
};

/**
 * Gives every request its session as `c.var.session`, and the response what its cookie must become. A request without a
 * cookie costs no command. Otherwise the session is loaded in one round trip, and what the handler changed is
 * written before the response leaves, also when the handler threw an `HTTPException`; any other error discards it.
 *
 * While the store is unavailable a request with a cookie is answered 503 and the cookie stays as it is. Requests that a
 * foreign site caused are refused with 403, in words that name the origin. A login that the user's limit or a
 * simultaneous "log out everywhere" refused is answered 409 where the application answers nothing else.
 *
 * Mounted twice on one request, for all routes and for a group of them, it acts once: the outer one does, with its options.
 * Where the inner one has another service under the same cookie name, the request fails.
 *
 * Throws a `SessionError` (`invalid_option`) for a cookie that browsers would refuse, an origin that is none and a
 * deadline that makes no sense.
 */
export function sessions<Fields extends FieldCodecs = TextFields>({
  refresh = () => true,
  onUnavailable = answerUnavailable,
  ...options
}: SessionsOptions<Fields>): MiddlewareHandler<SessionsEnv<Fields>> {
  const lifecycle = new SessionLifecycle({
    ...options,
    unauthenticated: (message) => new HTTPException(401, { message }),
  });

  return async function sessions(c, next) {
    const outer: unknown = c.get('session');
    if (outer instanceof ServiceSession && outer.cookieName === lifecycle.cookie.name) {
      lifecycle.requireOwn(outer);
      return next();
    }
    const refusal = lifecycle.refusal(c.req);
    if (refusal !== undefined) throw new HTTPException(403, { message: refusal });
    let session: ServiceSession;
    try {
      session = await lifecycle.open(c.req, { refresh: refresh(c) });
    } catch (error) {
      if (error instanceof StoreUnavailableError) return onUnavailable(c, error);
      throw error;
    }
    c.set('session', session as unknown as RequestSession<Fields>); // its codecs are the declared ones
    await next();
    const failed = c.error !== undefined && !(c.error instanceof HTTPException);
    const failure = (await lifecycle.close(session, failed)) ?? c.error;
    if (failure instanceof StoreUnavailableError) c.res = await onUnavailable(c, failure);
    else if (isConflict(failure) && c.res.status === 500) c.res = c.json(conflict(failure), 409);
    // Whatever went wrong: what became of the session is a fact, and the browser has to learn of it.
    setHeaders(c, lifecycle.answer(session, c.req));
    if (failure !== c.error && !(failure instanceof StoreUnavailableError)) throw failure;
  };
}

function setHeaders(c: Context, { personal, setCookie }: SessionHeaders): void {
  if (setCookie !== undefined) {
    // These make a new response: the application may use its own for other requests too, which must not get this cookie.
    c.header('Set-Cookie', setCookie, { append: true });
    c.header('Cache-Control', 'no-store');
  } else if (personal && c.res.status !== 101 && !c.res.headers.has('Cache-Control')) {
    // Nobody keeps a handshake, and that of some runtimes can be neither changed nor made anew.
    forbidStoring(c);
  }
}

// `c.header` makes a new response with its body as a stream, which costs more than all else that a session does.
function forbidStoring(c: Context): void {
  try {
    c.res.headers.set('Cache-Control', 'no-store');
  } catch {
    c.header('Cache-Control', 'no-store'); // an answer of `fetch` that the handler passed on: its headers cannot be changed
  }
}

function answerUnavailable(c: Context): Response {
  c.header('Retry-After', '1');
  c.header('Cache-Control', 'no-store');
  return c.json(UNAVAILABLE, 503);
}

function conflict({ code, message }: { readonly code: string; readonly message: string }) {
  return { error: message, code };
}
