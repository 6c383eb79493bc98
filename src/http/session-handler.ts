import { SessionError, StoreUnavailableError } from '../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../domain/field-codecs.ts';
import { openSession, whileOpen } from './open-sessions.ts';
import type { RequestHead } from './request-origin.ts';
import type { RequestSession } from './request-session.ts';
import type { ServiceSession } from './service-session.ts';
import {
  isConflict,
  type SessionHandlerOptions,
  type SessionHeaders,
  SessionLifecycle,
  UNAVAILABLE,
} from './session-lifecycle.ts';

/** Options of `sessionHandler`. */
export interface FetchSessionOptions<Fields extends FieldCodecs = TextFields>
  extends SessionHandlerOptions<Fields> {
  /**
   * Whether this request slides the expiry, or only reads. Return false for polling, which should not keep a
   * session alive. By default every request slides.
   *
   * @default () => true
   *
   * @example
   * ```ts
   * refresh: (request) => !request.url.endsWith('/notifications')
   * ```
   */
  readonly refresh?: (request: Request) => boolean;
  /** The response while the store is unavailable. By default 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    request: Request,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
  /**
   * The response to an error of the application, which gets the session's cookie like any other. Return `undefined` for
   * an error that the framework should handle. By default all of them are thrown again, and the browser does not learn
   * of a token that the request rotated: the user may have to log in again.
   *
   * @default () => undefined
   *
   * @example
   * ```ts
   * onError: (_request, error) => {
   *   console.error(error);
   *   return new Response('Something went wrong.', { status: 500 });
   * }
   * ```
   */
  readonly onError?: (
    request: Request,
    error: unknown,
  ) => Response | undefined | Promise<Response | undefined>;
}

/**
 * Handles a request that may have a session. `respond` creates the application's response. The result is that response
 * with everything that belongs to the session; send only this one.
 */
export type WithSession<Fields extends FieldCodecs = TextFields> = (
  request: Request,
  respond: (session: RequestSession<Fields>) => Response | Promise<Response>,
) => Promise<Response>;

/**
 * Creates sessions for any program that uses `Request` and `Response`. It does the same as the Hono middleware, without
 * a framework.
 *
 * A request without a cookie sends no command to the store. Otherwise the session is loaded in one round trip, and
 * changes are written before the response is returned. Cross-site requests get status 403, with a message that names
 * the origin. While the store is unavailable, a request with a cookie gets 503 and the cookie stays.
 *
 * If `respond` throws a `Response`, the collected changes are written, and the response is thrown again with everything
 * that belongs to the session. Errors of `required` and `requiredUser` become 401, a login that was refused because of
 * the user's limit or a concurrent "log out everywhere" becomes 409, and a failure of the store becomes 503. If the
 * framework catches errors and responds with 500 itself (SvelteKit, React Router), 401, 409 and 503 replace its 500.
 *
 * Any other error discards the collected changes. `onError` may respond to it; otherwise it is thrown again, and
 * whatever the framework responds has no cookie. Then a session that the request started is ended, because nobody would
 * know its token, and a rotation is reported to `onWarning`.
 *
 * @throws `SessionError` (`invalid_option`) for a cookie that browsers would reject, a malformed origin, or a deadline
 * out of range.
 *
 * @example
 * ```ts
 * const withSession = sessionHandler({ service });
 * const fetch = (request: Request) =>
 *   withSession(request, async (session) => new Response(`Hello ${session.user ?? 'stranger'}`));
 * ```
 */
export function sessionHandler<Fields extends FieldCodecs = TextFields>({
  refresh = () => true,
  onUnavailable = answerUnavailable,
  onError,
  ...options
}: FetchSessionOptions<Fields>): WithSession<Fields> {
  const lifecycle = new SessionLifecycle(options);

  return async function withSession(request, respond) {
    // Its codecs are the declared ones.
    const typed = (session: ServiceSession) => session as unknown as RequestSession<Fields>;
    const outer = openSession(request, lifecycle.cookie.name);
    if (outer !== undefined) {
      lifecycle.requireOwn(outer);
      return respond(typed(outer));
    }
    const head = headOf(request);
    const refusal = lifecycle.refusal(head);
    if (refusal !== undefined) return json({ error: refusal }, 403);
    let session: ServiceSession;
    try {
      session = await lifecycle.open(head, { refresh: refresh(request) });
    } catch (error) {
      if (error instanceof StoreUnavailableError) return onUnavailable(request, error);
      throw error;
    }
    const outcome = await whileOpen(request, session, () =>
      outcomeOf(async () => respond(typed(session))),
    );
    const thrown = 'error' in outcome ? outcome.error : swallowed(session, outcome);
    const failed = ('error' in outcome || thrown !== undefined) && !isExpected(thrown);
    const error = (await lifecycle.close(session, failed)) ?? thrown;
    const answer = await outcomeOf(async () => {
      const response = await responseTo(error, outcome);
      return withHeaders(response, lifecycle.answer(session, head, response.headers));
    });
    if ('error' in answer) {
      await lifecycle.abandon(session);
      throw answer.error;
    }
    if (error instanceof Response) throw answer.response; // as the application did
    return answer.response;

    async function responseTo(error: unknown, outcome: Outcome): Promise<Response> {
      if (error === undefined && 'response' in outcome) return outcome.response;
      if (error instanceof Response) return error;
      if (error instanceof StoreUnavailableError) return onUnavailable(request, error);
      if (isConflict(error)) return json({ error: error.message, code: error.code }, 409);
      if (isUnauthenticated(error)) return json({ error: error.message }, 401);
      const response = await onError?.(request, error);
      if (response === undefined) throw error;
      return response;
    }
  };
}

/** The last error of the session's methods, if the framework turned it into a 500. */
function swallowed({ failure }: ServiceSession, { response }: Responded): Error | undefined {
  if (response.status !== 500) return undefined;
  return isAnswered(failure) ? failure : undefined;
}

type Responded = { readonly response: Response };
type Outcome = Responded | { readonly error: unknown };

async function outcomeOf(respond: () => Promise<Response>): Promise<Outcome> {
  try {
    const response = await respond();
    if (response instanceof Response) return { response };
    return { error: new TypeError('respond, onUnavailable and onError must return a Response.') };
  } catch (error) {
    return { error };
  }
}

/** True if what was thrown is a response rather than an accident; collected changes are written then. */
function isExpected(error: unknown): boolean {
  return error instanceof Response || isUnauthenticated(error);
}

/** True if this error of the session has a status of its own: 401, 409 or 503. */
function isAnswered(error: unknown): boolean {
  return isUnauthenticated(error) || isConflict(error) || error instanceof StoreUnavailableError;
}

function isUnauthenticated(error: unknown): error is SessionError {
  return error instanceof SessionError && error.code === 'unauthenticated';
}

function headOf(request: Request): RequestHead {
  return {
    method: request.method,
    url: request.url,
    header: (name) => request.headers.get(name) ?? undefined,
  };
}

/** Never modifies a response that sets a cookie, because the application may use the same one for other requests. */
function withHeaders(response: Response, { personal, setCookie }: SessionHeaders): Response {
  if (setCookie === undefined && (!personal || response.headers.has('Cache-Control'))) {
    return response;
  }
  if (setCookie === undefined) {
    try {
      response.headers.set('Cache-Control', 'no-store');
      return response;
    } catch {
      // The headers are immutable: a redirect, or a response of `fetch` that was passed on.
    }
  }
  if (response.status === 101) return withCookieInPlace(response, setCookie);
  const headers = new Headers(response.headers);
  headers.set('Cache-Control', 'no-store');
  if (setCookie !== undefined) headers.append('Set-Cookie', setCookie);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A response that hands its connection over to a socket cannot be recreated. */
function withCookieInPlace(response: Response, setCookie: string | undefined): Response {
  if (setCookie !== undefined) response.headers.append('Set-Cookie', setCookie);
  return response;
}

function answerUnavailable(): Response {
  return json(UNAVAILABLE, 503, { 'Retry-After': '1' });
}

function json(body: object, status: number, headers: Record<string, string> = {}): Response {
  return Response.json(body, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}
