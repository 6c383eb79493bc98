import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import { reasonOf, SessionError, StoreUnavailableError } from '../domain/errors.ts';
import type { RequestSession } from './request-session.ts';

/** Where requests are logged. */
export interface RequestLog {
  /** Runs the work of one request. Log lines written meanwhile belong to it. */
  during<T>(requestId: string, work: () => Promise<T>): Promise<T>;
  answered(request: {
    readonly method: string;
    /** Without the query. */
    readonly path: string;
    readonly status: number;
    readonly durationMs: number;
    readonly sessionId: string | undefined;
    /** Why the request was refused or failed, if it was. */
    readonly reason: string | undefined;
    /** True if the request failed because the store did. */
    readonly storeFailed: boolean;
  }): void;
}

/** What a handler passes to the log if it answered an error itself. */
export interface RequestLogVariables {
  failure?: Error;
}

type Env = { Variables: RequestIdVariables & RequestLogVariables & { session?: RequestSession } };

/** Long enough for the ids of other servers, too short for a session's secret of 43 characters. */
const MAX_ID_CHARACTERS = 42;

/**
 * Gives every request an id, returns it in the response, and logs the request once it is answered. The id in
 * `X-Request-Id` is used if it is short and harmless. Must come before all other middleware.
 */
export function requestLog(log: RequestLog): MiddlewareHandler[] {
  return [
    requestId({ limitLength: MAX_ID_CHARACTERS }),
    function requestLog(c, next) {
      return log.during(c.get('requestId'), async () => {
        const beganAt = performance.now();
        await next();
        const session: RequestSession | undefined = c.get('session');
        const failure: Error | undefined = c.get('failure') ?? c.error;
        log.answered({
          ...{ method: c.req.method, path: c.req.path, status: c.res.status },
          durationMs: performance.now() - beganAt,
          sessionId: session?.id,
          reason: reasonFor(failure),
          storeFailed: failure instanceof StoreUnavailableError,
        });
      });
    } satisfies MiddlewareHandler<Env>,
  ];
}

/** The reason, without values. Unexpected errors have a log line of their own. */
function reasonFor(failure: Error | undefined): string | undefined {
  if (failure instanceof StoreUnavailableError)
    return `store (${failure.failure}): ${reasonOf(failure)}`;
  const isRefusal = failure instanceof HTTPException || failure instanceof SessionError;
  return isRefusal ? failure.message : undefined;
}
