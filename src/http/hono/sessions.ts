import type { Context, MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { StoreUnavailableError } from '../../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../../domain/field-codecs.ts';
import { openSession, whileOpen } from '../open-sessions.ts';
import type { RequestSession } from '../request-session.ts';
import { ServiceSession } from '../service-session.ts';
import {
  isConflict,
  type SessionHandlerOptions,
  type SessionHeaders,
  SessionLifecycle,
  UNAVAILABLE,
} from '../session-lifecycle.ts';

/** Options of the middleware `sessions`. */
export interface SessionsOptions<Fields extends FieldCodecs = TextFields>
  extends SessionHandlerOptions<Fields> {
  /**
   * Whether this request slides the expiry, or only reads. Return false for polling, which should not keep a
   * session alive. By default every request slides.
   *
   * @default () => true
   *
   * @example
   * ```ts
   * refresh: (c) => c.req.path !== '/notifications'
   * ```
   */
  readonly refresh?: (c: Context) => boolean;
  /** The response while the store is unavailable. By default 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    c: Context,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
}

/** The variables that the middleware adds to `c.var`: `new Hono<SessionsEnv>()`. */
export type SessionsEnv<Fields extends FieldCodecs = TextFields> = {
  Variables: { session: RequestSession<Fields> };
};

/**
 * Middleware that provides the request's session as `c.var.session` and sets the cookie. A request without a cookie
 * sends no command to the store. Otherwise the session is loaded in one round trip, and the handler's changes are
 * written before the response is sent, even if the handler threw an `HTTPException`. Any other error discards them.
 *
 * While the store is unavailable, a request with a cookie gets status 503 and the cookie stays. Cross-site requests get
 * 403, with a message that names the origin. A login that was refused because of the user's limit or a concurrent "log
 * out everywhere" gets 409, unless the application responds otherwise.
 *
 * Responses of the application's `onError` get the cookie too. If it throws, these 503 and 409 and the response of an
 * `HTTPException` are sent all the same. Any other error is thrown on, and if nothing responds to it, the browser does
 * not learn of the cookie: a session that the request started is ended then, and a rotation is reported to `onWarning`.
 *
 * If it is mounted twice on one request, for all routes and for a group of them, it acts once: the outer one, with its
 * options; so does `sessionHandler` for the same `Request`. If the inner one has another service under the same cookie
 * name, the request fails. `app.mount` creates another `Request`, which has a session of its own: the cookie of its
 * login or logout is the one that is sent.
 *
 * @throws `SessionError` (`invalid_option`) for a cookie that browsers would reject, a malformed origin, or a deadline
 * out of range.
 *
 * @example
 * ```ts
 * const app = new Hono<SessionsEnv>();
 * app.use(sessions({ service }));
 * app.get('/', (c) => c.text(`Hello ${c.var.session.user ?? 'stranger'}`));
 * ```
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
    // Its codecs are the declared ones.
    const typed = (session: ServiceSession) => session as unknown as RequestSession<Fields>;
    const { name } = lifecycle.cookie;
    const outer = sessionOf(c, name) ?? openSession(c.req.raw, name);
    if (outer !== undefined) {
      lifecycle.requireOwn(outer);
      c.set('session', typed(outer));
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
    c.set('session', typed(session));
    const thrown = await thrownBy(() => whileOpen(c.req.raw, session, next));
    const error = thrown === undefined ? c.error : thrown.error;
    const failed = (thrown ?? error) !== undefined && !isHTTPException(error);
    const failure = (await lifecycle.close(session, failed)) ?? error;
    const isAnswered = thrown === undefined && failure === c.error;
    const response = failure === undefined ? undefined : await responseTo(c, failure, isAnswered);
    if (response !== undefined) c.res = response;
    const isThrownOn = response === undefined && !isAnswered;
    if (isThrownOn && thrown !== undefined) await lifecycle.abandon(session);
    // Even after an error, the browser must learn what happened to the session.
    setHeaders(c, lifecycle.answer(session, c.req, c.res.headers));
    if (isThrownOn) throw failure;
  };

  async function responseTo(c: Context, failure: unknown, isAnswered: boolean) {
    if (failure instanceof StoreUnavailableError) return onUnavailable(c, failure);
    if (isConflict(failure) && !(isAnswered && c.res.status !== 500)) {
      return c.json(conflict(failure), 409);
    }
    if (isHTTPException(failure) && !isAnswered) return failure.getResponse();
    return undefined;
  }
}

/** The session that this middleware has given to the request already, in this application or one that it is part of. */
function sessionOf(c: Context, cookieName: string): ServiceSession | undefined {
  const session: unknown = c.get('session');
  const isIt = session instanceof ServiceSession && session.cookieName === cookieName;
  return isIt ? session : undefined;
}

/** What the application's `onError` threw instead of responding, or what Hono does not pass to it: no `Error`. */
async function thrownBy(work: () => Promise<void>): Promise<{ error: unknown } | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return { error };
  }
}

/** As Hono tells them apart: an application may have loaded another copy of the class. */
function isHTTPException(error: unknown): error is HTTPException {
  return error instanceof Error && 'getResponse' in error;
}

function setHeaders(c: Context, { personal, setCookie }: SessionHeaders): void {
  if (setCookie !== undefined) {
    // These create a new response. The application may use its own for other requests, which must not get this cookie.
    c.header('Set-Cookie', setCookie, { append: true });
    c.header('Cache-Control', 'no-store');
  } else if (personal && c.res.status !== 101 && !c.res.headers.has('Cache-Control')) {
    // A handshake is never cached, and in some runtimes it can be neither changed nor recreated.
    forbidStoring(c);
  }
}

// `c.header` recreates the response with its body as a stream, which costs more than everything else that a session
// does.
function forbidStoring(c: Context): void {
  try {
    c.res.headers.set('Cache-Control', 'no-store');
  } catch {
    c.header('Cache-Control', 'no-store'); // the headers of a response of `fetch` that was passed on are immutable
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
