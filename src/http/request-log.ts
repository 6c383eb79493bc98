import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type RequestIdVariables, requestId } from 'hono/request-id';
import { reasonOf, SessionError, StoreUnavailableError } from '../domain/errors.ts';
import type { RequestSession } from './request-session.ts';

/** Where requests are logged. */
export interface RequestLog {
  /** Does the work of one request, to which whatever is logged meanwhile belongs. */
  during<T>(requestId: string, work: () => Promise<T>): Promise<T>;
  answered(request: {
    readonly method: string;
    /** Without the query. */
    readonly path: string;
    readonly status: number;
    readonly durationMs: number;
    readonly sessionId: string | undefined;
    /** Why it was refused or failed, if it was. */
    readonly reason: string | undefined;
    /** Whether it failed because the store did. */
    readonly storeFailed: boolean;
  }): void;
}

/** What a handler leaves for the log where it answered an error by itself. */
export interface RequestLogVariables {
  failure?: Error;
}

type Env = { Variables: RequestIdVariables & RequestLogVariables & { session?: RequestSession } };

/** What other servers use for ids fits; a session's secret, at 43 characters, does not. */
const MAX_ID_CHARACTERS = 42;

/**
 * Gives every request an id, the one in its `X-Request-Id` if that is short and harmless, answers it in the response, and
 * logs the request once it is answered. Comes before everything else.
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

/** In words that carry no value. Of an error that nobody foresaw the log has a line of its own. */
function reasonFor(failure: Error | undefined): string | undefined {
  if (failure instanceof StoreUnavailableError)
    return `store (${failure.failure}): ${reasonOf(failure)}`;
  const isRefusal = failure instanceof HTTPException || failure instanceof SessionError;
  return isRefusal ? failure.message : undefined;
}
