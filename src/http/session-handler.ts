import { SessionError, StoreUnavailableError } from '../domain/errors.ts';
import type { FieldCodecs, TextFields } from '../domain/field-codecs.ts';
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

/** What the handler works with, and how strict it is. */
export interface FetchSessionOptions<Fields extends FieldCodecs = TextFields>
  extends SessionHandlerOptions<Fields> {
  /** Whether this request slides the expiry or only looks. Default: every request slides. */
  readonly refresh?: (request: Request) => boolean;
  /** The answer while the store is unavailable. Default: 503 as JSON, with `Retry-After`. */
  readonly onUnavailable?: (
    request: Request,
    error: StoreUnavailableError,
  ) => Response | Promise<Response>;
}

/**
 * Answers a request that may have a session. `respond` makes the application's own response; what this resolves with is
 * that response with all that belongs to the session, and the only one to send.
 */
export type WithSession<Fields extends FieldCodecs = TextFields> = (
  request: Request,
  respond: (session: RequestSession<Fields>) => Response | Promise<Response>,
) => Promise<Response>;

/** The sessions that requests have at this moment: a request that passes twice has one. */
const open = new WeakMap<Request, readonly ServiceSession[]>();

/**
 * Sessions for whatever speaks `Request` and `Response`: the same that the Hono middleware does, without a framework.
 *
 * A request without a cookie costs no command. Otherwise the session is loaded in one round trip, and what `respond`
 * changed is written before the response is handed on. Requests that a foreign site caused are answered 403, in words that
 * name the origin; while the store is unavailable a request with a cookie is answered 503 and the cookie stays as it is.
 *
 * What `respond` throws: a `Response` is thrown on, with all that belongs to the session, after what was collected was
 * written. `required` and `requiredUser` become 401, a login that the user's limit or a simultaneous "log out everywhere"
 * refused 409, and a store that failed 503. Any other error discards what was collected and is passed on. Where the
 * framework catches what handlers throw and answers 500 itself (SvelteKit, React Router), 401, 409 and 503 take the place
 * of its 500.
 *
 * Throws a `SessionError` (`invalid_option`) for a cookie that browsers would refuse, an origin that is none and a
 * deadline that makes no sense.
 *
 * @example
 * const withSession = sessionHandler({ service });
 * const fetch = (request: Request) =>
 *   withSession(request, async (session) => new Response(`Hello ${session.user ?? 'stranger'}`));
 */
export function sessionHandler<Fields extends FieldCodecs = TextFields>({
  refresh = () => true,
  onUnavailable = answerUnavailable,
  ...options
}: FetchSessionOptions<Fields>): WithSession<Fields> {
  const lifecycle = new SessionLifecycle(options);

  return async function withSession(request, respond) {
    // Its codecs are the declared ones.
    const typed = (session: ServiceSession) => session as unknown as RequestSession<Fields>;
    const outer = open.get(request)?.find(({ cookieName }) => cookieName === lifecycle.cookie.name);
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
    const others = open.get(request) ?? [];
    open.set(request, [...others, session]);
    const outcome = await outcomeOf(async () => respond(typed(session)));
    open.set(request, others);
    const thrown = 'error' in outcome ? outcome.error : swallowed(session, outcome);
    const failed = ('error' in outcome || thrown !== undefined) && !isExpected(thrown);
    const error = (await lifecycle.close(session, failed)) ?? thrown;
    const response = await responseOf(error, outcome);
    if (response === undefined) throw error;
    const answer = withHeaders(response, lifecycle.answer(session, head));
    if ('error' in outcome && outcome.error === response) throw answer;
    return answer;

    async function responseOf(error: unknown, outcome: Outcome): Promise<Response | undefined> {
      if (error === undefined && 'response' in outcome) return outcome.response;
      if (error instanceof Response) return error;
      if (error instanceof StoreUnavailableError) return onUnavailable(request, error);
      if (isConflict(error)) return json({ error: error.message, code: error.code }, 409);
      if (isUnauthenticated(error)) return json({ error: error.message }, 401);
      return undefined;
    }
  };
}

/** What a verb of the session failed with, where the framework has made a 500 of it. */
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
    return { error: new TypeError('respond must answer a Response.') };
  } catch (error) {
    return { error };
  }
}

/** Whether what was thrown is an answer and no accident: what was collected before is written. */
function isExpected(error: unknown): boolean {
  return error instanceof Response || isUnauthenticated(error);
}

/** Whether an error of the session has an answer of its own: 401, 409 or 503. */
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

/** Never changes a response that sets a cookie: the application may use it for other requests too. */
function withHeaders(response: Response, { personal, setCookie }: SessionHeaders): Response {
  if (setCookie === undefined && (!personal || response.headers.has('Cache-Control'))) {
    return response;
  }
  if (setCookie === undefined) {
    try {
      response.headers.set('Cache-Control', 'no-store');
      return response;
    } catch {
      // Its headers cannot be changed: a redirect, or an answer of `fetch` that was passed on.
    }
  }
  if (response.status === 101) return withCookieInPlace(response, setCookie);
  const headers = new Headers(response.headers);
  headers.set('Cache-Control', 'no-store');
  if (setCookie !== undefined) headers.append('Set-Cookie', setCookie);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

/** A response that hands its connection over to a socket cannot be made anew. */
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
