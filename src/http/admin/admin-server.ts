import { type Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { MiddlewareHandler } from 'hono/types';
import { reasonOf, StoreUnavailableError } from '../../domain/errors.ts';
import { answerHeaders } from '../answer-headers.ts';
import type { RequestLogVariables } from '../request-log.ts';
import { actorOf } from './acts.ts';
import { operatorConsole } from './operator-console.tsx';
import type { OperatorConsoleOptions } from './options.ts';
import { route } from './route.ts';
import { askForToken, signInRoutes } from './sign-in.tsx';
import { tokenAccess } from './token-access.ts';

/** Options of the second listener. */
export interface AdminServerOptions {
  readonly metrics: Exposition;
  /** Resolves if the store answers, and rejects otherwise. */
  readonly ready: () => Promise<void>;
  /** The token that is required; `undefined` lets everybody in who can reach the listener. */
  readonly token: string | undefined;
  /** Options of the console, except for access control. */
  readonly console: Omit<OperatorConsoleOptions, 'operator' | 'onStranger' | 'onError'>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Middleware that every request passes first: ids and the log. */
  readonly around?: readonly MiddlewareHandler[];
  /** Receives unexpected errors. */
  readonly onError?: (error: unknown) => void;
}

/** Metrics as text, and their content type. */
export interface Exposition {
  readonly contentType: string;
  metrics(): Promise<string>;
}

/** The operator's name without a token: someone on this machine. */
const LOCAL = 'on loopback';

/** The second listener: metrics, health, readiness with its reason, and the console. */
export function createAdminServer(options: AdminServerOptions): Hono {
  const { metrics, ready, token, now, onError = () => {} } = options;
  const { audit, trustProxy = false } = options.console;
  const access = token === undefined ? undefined : tokenAccess({ token, now, refused });
  const app = new Hono<{ Variables: RequestLogVariables }>();

  for (const middleware of options.around ?? []) app.use(middleware);
  app.use(...answerHeaders({ https: false }));

  route(app, '/healthz', { GET: [(c) => c.json({ status: 'ok' })] });

  route(app, '/readyz', {
    GET: [
      async (c) => {
        try {
          await ready();
          return c.json({ status: 'ready' });
        } catch (error) {
          c.set('failure', error as Error);
          return c.json({ status: 'unavailable', ...(await whyUnready(c, error)) }, 503);
        }
      },
    ],
  });

  route(app, '/metrics', {
    GET: [
      forOperators,
      async (c) => c.body(await metrics.metrics(), 200, { 'Content-Type': metrics.contentType }),
    ],
  });

  if (access !== undefined) {
    app.route('/', signInRoutes({ access, audit, trustProxy }));
  }

  app.route(
    '/',
    operatorConsole({
      ...options.console,
      operator: (c) => (access === undefined ? LOCAL : access.operator(c)),
      canSignOut: access !== undefined,
      onStranger: (c) => askForToken(c),
      onError,
    }),
  );

  app.onError((error, c) => {
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    onError(error);
    return c.json({ error: 'Internal server error' }, 500);
  });

  return app as unknown as Hono; // its context variables are private

  function refused(times: number): void {
    const reason = times === 1 ? 'wrong bearer token' : `wrong bearer token, ${times} times`;
    audit({ by: actorOf('token'), did: 'sign in', outcome: 'refused', reason });
  }

  /**
   * Everybody gets the kind of failure, such as a probe without a token. Messages of Redis or the network may contain
   * host names and are for operators only.
   */
  async function whyUnready(c: Context, error: unknown): Promise<object> {
    if (!(error instanceof StoreUnavailableError)) {
      onError(error);
      return { failure: 'other' };
    }
    const { failure } = error;
    return (await isOperator(c)) ? { failure, reason: reasonOf(error) } : { failure };
  }

  async function isOperator(c: Context): Promise<boolean> {
    return access === undefined || (await access.operator(c)) !== undefined;
  }

  async function forOperators(c: Context, next: () => Promise<void>) {
    if (await isOperator(c)) return next();
    return askForToken(c);
  }
}
