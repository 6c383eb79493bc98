import { type Context, Hono } from 'hono';
import { accepts } from 'hono/accepts';
import { HTTPException } from 'hono/http-exception';
import type { Handler, MiddlewareHandler } from 'hono/types';
import { deviceLabel } from '../../domain/device-label.ts';
import { SessionError, StoreUnavailableError } from '../../domain/errors.ts';
import { remainingSeconds, type Session } from '../../domain/session.ts';
import { encodeSession } from '../../domain/session-record.ts';
import type { SessionService } from '../../domain/session-service.ts';
import { answerHeaders } from '../answer-headers.ts';
import { type FormEnv, limitForm, readForm } from '../form.ts';
import { type SessionsEnv, sessions } from '../hono/sessions.ts';
import type { RequestLogVariables } from '../request-log.ts';
import type { RequestSession } from '../request-session.ts';
import { SessionCookie } from '../session-cookie.ts';
import { UNAVAILABLE } from '../session-lifecycle.ts';
import { activityOf } from './activity.ts';
import { type Cost, LastActions } from './last-actions.ts';
import { type Notice, noticeOf, notices } from './notices.ts';
import { renderPage } from './page.tsx';
import type { DeviceView, PageView } from './views.ts';

export interface DemoOptions {
  readonly service: SessionService;
  /** What the page says of the store, and what keys begin with. */
  readonly store: PageView['store'];
  /** Resolves when the store answers, rejects when it does not. */
  readonly ready: () => Promise<void>;
  /** Tells what a request costs, where the store takes commands. */
  readonly trace?: {
    during<T>(work: () => Promise<T>): Promise<{ readonly answer: T; readonly cost: Cost }>;
  };
  /** Whether the service has a journal to show. @default false */
  readonly journal?: boolean;
  /** Milliseconds since 1970, for the time that is left of a lifetime. */
  readonly now: () => number;
  readonly secureCookie: boolean;
  /** As the middleware has them. */
  readonly deadlineMs?: number;
  readonly trustProxy?: boolean;
  readonly trustedOrigins?: readonly string[];
  readonly onWarning?: (message: string, kind?: string) => void;
  /** The page's style sheet and script by path. */
  readonly assets: Readonly<Record<string, Asset>>;
  /** What every request passes first: ids, the log. */
  readonly around?: readonly MiddlewareHandler[];
  /** Hears of errors that nobody expected. */
  readonly onError?: (error: Error) => void;
}

export interface Asset {
  readonly contentType: string;
  readonly body: string;
}

type Env = {
  Variables: SessionsEnv['Variables'] & FormEnv['Variables'] & RequestLogVariables;
};

const MAX_USERNAME_CHARACTERS = 64;
const ROTATION_GRACE_SECONDS = 10;
/** A login that others of the same name overtook. */
const lostRaces: readonly string[] = ['revoked', 'too_many_sessions'];
/** Older ones are counted only. */
const MAX_LISTED_SESSIONS = 20;
const MAX_LISTED_ACTIVITY = 8;
const pages: readonly string[] = ['/', '/index.html'];

/** The standalone server's routes: the page, its JSON, health and readiness. */
export function createDemoApp(options: DemoOptions): Hono<Env> {
  const { service, store, ready, trace, now, assets, onError = () => {} } = options;
  const actions = new LastActions();
  const cookie = new SessionCookie({ secure: options.secureCookie });
  const app = new Hono<Env>();

  for (const middleware of options.around ?? []) app.use(middleware);
  app.use(...answerHeaders({ https: options.secureCookie }));

  const withSession = sessions({
    service,
    cookie: { secure: options.secureCookie },
    refresh: slides,
    onUnavailable: unavailable,
    ...(options.deadlineMs !== undefined && { deadlineMs: options.deadlineMs }),
    trustProxy: options.trustProxy ?? false,
    trustedOrigins: options.trustedOrigins ?? [],
    ...(options.onWarning && { onWarning: options.onWarning }),
  });

  for (const path of pages) {
    route(path, {
      GET: [
        withSession,
        async (c: Context<Env>) => {
          const view = pageView(c.var.session, noticeOf(c.req.query('notice')));
          const { session } = c.var;
          const [own, recent] = await Promise.all([devices(session), activity(session)]);
          return page(c, { ...view, ...own, activity: recent });
        },
      ],
    });
  }

  route('/session', {
    GET: [traced, withSession, (c: Context<Env>) => c.json(sessionBody(c.var.session))],
  });

  route('/login', {
    POST: form(async (c) => {
      const username = c.var.form.get('username')?.trim() || 'Guest';
      if ([...username].length > MAX_USERNAME_CHARACTERS) return refuse(c, 400, 'username');
      const ttl = readTtl(c.var.form.get('ttl') ?? String(service.policy.ttl));
      if (ttl === undefined) return refuse(c, 400, 'ttl');
      if (ttl > service.policy.maxTtl) return refuse(c, 400, 'max-ttl');
      const device = { label: deviceLabel(c.req.header('User-Agent')) };
      await c.var.session.start(username, { username, page_views: '1' }, { ttl, device });
      return done(c, sessionBody(c.var.session));
    }),
  });

  route('/increment', {
    POST: form(async (c) => {
      const { session } = c.var;
      if (session.id === undefined) return noSession(c);
      const pageViews = await session.required().increment('page_views');
      if (pageViews === undefined) return refuse(c, 401, 'expired');
      return done(c, { ...sessionBody(session), page_views: pageViews });
    }),
  });

  route('/ttl', {
    POST: form(async (c) => {
      const ttl = readTtl(c.var.form.get('ttl') ?? '');
      if (ttl === undefined) return refuse(c, 400, 'ttl');
      if (ttl > service.policy.maxTtl) return refuse(c, 400, 'max-ttl');
      const { session } = c.var;
      if (session.id === undefined) return noSession(c);
      if (!(await session.required().setTtl(ttl))) return refuse(c, 401, 'expired');
      return done(c, sessionBody(session));
    }),
  });

  route('/rotate', {
    POST: form(async (c) => {
      const { session } = c.var;
      if (session.id === undefined) return noSession(c);
      // Another tab may be under way with the old secret: it is let in for a little while.
      const rotated = await session.required().rotate({ grace: ROTATION_GRACE_SECONDS });
      if (rotated === undefined) return refuse(c, 401, 'expired');
      return done(c, sessionBody(session));
    }),
  });

  route('/logout', {
    POST: form(async (c) => {
      await c.var.session.end();
      return done(c, { authenticated: false });
    }),
  });

  route('/sessions/end', {
    POST: form(async (c) => {
      const { id, user } = c.var.session;
      if (id === undefined || user === undefined) return noSession(c);
      const other = c.var.form.get('id') ?? '';
      // Ids are no secrets, so one ends only one's own.
      if (!(await service.end(other, { user }))) return refuse(c, 404, 'no-such-session');
      return done(c, sessionBody(c.var.session));
    }),
  });

  route('/logout-everywhere', {
    POST: form(async (c) => {
      const { id, user } = c.var.session;
      if (id === undefined || user === undefined) return noSession(c);
      const ended = await service.deleteAll(user, { by: 'user' });
      await c.var.session.end();
      return done(c, { authenticated: false, ended });
    }),
  });

  route('/healthz', { GET: [(c: Context<Env>) => c.json({ status: 'ok' })] });

  route('/readyz', {
    GET: [
      async (c: Context<Env>) => {
        try {
          await ready();
          return c.json({ status: 'ready' });
        } catch (error) {
          c.set('failure', error as Error);
          // Which kind of failure, but no message: it may name hosts that are nobody's business.
          const failure = error instanceof StoreUnavailableError ? error.failure : 'other';
          return c.json({ status: 'unavailable', failure }, 503);
        }
      },
    ],
  });

  for (const [path, { contentType, body }] of Object.entries(assets)) {
    const headers = { 'Content-Type': contentType, 'Cache-Control': 'no-cache' };
    route(path, { GET: [(c: Context<Env>) => c.body(body, 200, headers)] });
  }

  app.notFound((c) => c.json({ error: 'Not found' }, 404));

  app.onError((error, c) => {
    if (error instanceof StoreUnavailableError) return unavailable(c, error);
    if (error instanceof HTTPException) return c.json({ error: error.message }, error.status);
    if (error instanceof SessionError) {
      const status = lostRaces.includes(error.code) ? 409 : 400;
      return c.json({ error: error.message, code: error.code }, status);
    }
    onError(error);
    return c.json({ error: 'Internal server error' }, 500);
  });

  return app;

  /** One path and the methods that it knows; any other is answered 405. */
  function route(path: string, methods: { GET: Handler[] } | { POST: Handler[] }): void {
    for (const [method, handlers] of Object.entries(methods)) app.on(method, [path], ...handlers);
    const allow = 'GET' in methods ? 'GET, HEAD' : 'POST';
    app.all(path, (c) => c.json({ error: 'Method not allowed' }, 405, { Allow: allow }));
  }

  function form(handler: (c: Context<Env>) => Promise<Response>): Handler[] {
    return [limitForm, readForm, traced, withSession, handler];
  }

  /** Remembers what the request cost, for the page of its session. */
  async function traced(c: Context<Env>, next: () => Promise<void>): Promise<void> {
    if (trace === undefined || !slides(c)) return next();
    const { cost } = await trace.during(next);
    const { id } = c.var.session ?? {};
    if (id !== undefined) actions.set(id, { request: `${c.req.method} ${c.req.path}`, cost });
  }

  /** A plain form goes back to the page, everybody else gets the JSON. */
  function done(c: Context, body: object): Response {
    return prefersHtml(c) ? c.redirect('/', 303) : c.json(body);
  }

  function refuse(c: Context, status: 400 | 401 | 404, notice: Notice): Response {
    if (prefersHtml(c)) return c.redirect(`/?notice=${notice}`, 303);
    return c.json({ error: notices(service.policy)[notice] }, status);
  }

  function noSession(c: Context<Env>): Response {
    return refuse(c, 401, c.var.session.lost ? 'expired' : 'no-session');
  }

  function unavailable(c: Context, error: StoreUnavailableError): Response | Promise<Response> {
    c.set('failure', error);
    c.header('Retry-After', '1');
    c.header('Cache-Control', 'no-store');
    if (prefersHtml(c))
      return page(c, { ...pageView(undefined, undefined), state: 'unavailable' }, 503);
    return c.json(UNAVAILABLE, 503);
  }

  async function page(c: Context, view: PageView, status: 200 | 503 = 200): Promise<Response> {
    return c.html(await renderPage(view), status);
  }

  function pageView(session: RequestSession | undefined, notice: Notice | undefined): PageView {
    const { ttl, maxTtl } = service.policy;
    const current = session?.current;
    const over = session?.lost || notice === 'expired' ? 'expired' : 'anonymous';
    const text = notice === 'expired' ? undefined : notices(service.policy)[notice ?? 'none'];
    return {
      state: current === undefined ? over : 'active',
      store,
      policy: { ttl, maxTtl, lifetime: service.policy.lifetime },
      cookie: { name: cookie.name, secure: cookie.secure },
      session: current && {
        id: current.id,
        key: store.prefix + current.id,
        record: encodeSession(current),
        configuredTtl: current.ttl,
        remainingMs: current.remainingMs,
        endsAt: current.endsAt,
        ...lifetime(current),
        fingerprint: session.required().csrfToken.slice(0, 6),
      },
      action: current && actions.get(current.id),
      devices: [],
      olderDevices: 0,
      activity: undefined,
      notice: text,
    };
  }

  function lifetime({ createdAt, endsAt }: Session) {
    if (endsAt === undefined) return { lifetimeLeftMs: undefined, lifetimeMs: undefined };
    const lifetimeLeftMs = Math.max(0, endsAt - now());
    return { lifetimeLeftMs, lifetimeMs: endsAt - Date.parse(createdAt) };
  }

  async function devices({ id, user }: RequestSession) {
    const all = user === undefined ? [] : await service.list(user);
    const newest = new Set(all.slice(-MAX_LISTED_SESSIONS));
    const shown = all.filter((session) => newest.has(session) || session.id === id);
    const views: DeviceView[] = shown.map((session) => ({
      id: session.id,
      label: session.device.label ?? 'Unknown device',
      createdAt: session.createdAt,
      lastAccessedAt: session.lastAccessedAt,
      current: session.id === id,
    }));
    return { devices: views, olderDevices: all.length - shown.length };
  }

  async function activity({ user }: RequestSession): Promise<PageView['activity']> {
    if (!options.journal || user === undefined) return undefined;
    try {
      return activityOf(await service.journal(user, { limit: MAX_LISTED_ACTIVITY }));
    } catch (error) {
      if (error instanceof StoreUnavailableError) return 'unreadable'; // the rest of the page does not need it
      throw error;
    }
  }

  function sessionBody({ current, lost }: RequestSession) {
    if (current === undefined) {
      return { authenticated: false, session: null, ...(lost && { lost: true }) };
    }
    return {
      authenticated: true,
      session_id: current.id,
      session: encodeSession(current),
      configured_ttl: current.ttl,
      ttl: remainingSeconds(current),
      remaining_ms: current.remainingMs,
      ends_at: current.endsAt ?? null,
      key: store.prefix + current.id,
    };
  }
}

/** Whoever only looks at the page, or asks not to, must be able to watch the session expire. */
function slides(c: Context): boolean {
  return !pages.includes(c.req.path) && c.req.query('refresh') !== 'false';
}

function prefersHtml(c: Context): boolean {
  const supports = ['application/json', 'text/html'];
  return accepts(c, { header: 'Accept', supports, default: 'application/json' }) === 'text/html';
}

/** Plain decimal digits, nothing else; `undefined` for anything that is no whole number above 0. */
function readTtl(text: string): number | undefined {
  return /^[0-9]+$/.test(text) && Number(text) > 0 ? Number(text) : undefined;
}
