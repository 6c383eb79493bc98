import type { MiddlewareHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { type RequestIdVariables, requestId } from 'hono/request-id';
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
    /** Why it was refused, if it was. */
    readonly reason: string | undefined;
  }): void;
}

type Env = { Variables: RequestIdVariables & { session?: RequestSession } };

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
        log.answered({
          ...{ method: c.req.method, path: c.req.path, status: c.res.status },
          durationMs: performance.now() - beganAt,
          sessionId: session?.id,
          reason: c.error instanceof HTTPException ? c.error.message : undefined,
        });
      });
    } satisfies MiddlewareHandler<Env>,
  ];
}
