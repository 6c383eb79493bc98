import { once } from 'node:events';
import { createServer, type Server as HttpServer, request as send } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { RedisStore } from 'connect-redis';
import express, { type ErrorRequestHandler } from 'express';
import session, { type Store } from 'express-session';
import { createClient } from 'redis';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { fromConnectRedis, SojournStore } from '../../src/express.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { pick } from '../support/pick.ts';
import type { RedisServer } from '../support/redis-server.ts';
import type { Action, Call, Outcome } from './history.ts';
import { beginSteadyLoad } from './steady-load.ts';

/** What a server runs with. `plain` is connect-redis itself. */
type Stage = 'plain' | 'prepare' | 'move' | 'new';

/** How many sessions there are, and under which load they move. */
export interface FromConnectRedisLoad {
  readonly sessions: number;
  readonly requestsPerSecond: number;
  /** Milliseconds that each stage of the rolling restart lasts, at least. */
  readonly stageMs: number;
}

/** What happened. */
export interface Carried {
  readonly calls: readonly Call[];
  readonly moved: number;
  readonly unreadable: number;
  readonly leftInOld: number;
  readonly requests: number;
  /** Requests that a server answered with an error, or not at all. */
  readonly failed: number;
}

interface Server {
  readonly stage: Stage;
  readonly port: number;
  readonly store: Store;
  /** Answers what is under way, and takes no more. */
  drain(): Promise<void>;
  /** Breaks all connections, in the middle of whatever it does. */
  kill(): void;
}

interface Browser {
  readonly name: string;
  readonly cookie: string;
  /** Requests under way. */
  busy: number;
  loggedOut: boolean;
}

type KeptSession = session.Session & Record<string, unknown>;

const SERVERS = 4;
const OLD_PREFIX = 'sess:';
const PREFIX = 'web-session:';
const SEEDING_AT_ONCE = 20;

/** All servers share one busy process: what is late is not to count as a failure of Redis. */
const PATIENT = { commandTimeoutMs: 10_000 };

/**
 * Starts sessions with connect-redis and moves them to SojournStore, while browsers use them by turns through four servers of
 * Express, which are replaced one by one: connect-redis, then preparing, then moving; then the cold sessions are moved; then
 * SojournStore is alone. Servers of connect-redis are stopped as a deployment stops them, all others are killed.
 *
 * While a server of connect-redis runs, no two requests of one session are under way at once: of such, connect-redis itself
 * loses what one of them wrote. What every browser was told is answered.
 */
export async function moveUnderLoad(
  redis: RedisServer,
  { sessions, requestsPerSecond, stageMs }: FromConnectRedisLoad,
  say: (text: string) => void = () => {},
): Promise<Carried> {
  const calls: Call[] = [];
  const browsers: Browser[] = [];
  const servers = await Promise.all(Array.from({ length: SERVERS }, () => begin(redis, 'plain')));
  let [failed, marks] = [0, 0];

  async function logIn(): Promise<void> {
    const begin = performance.now();
    const { status, cookie } = await ask(pick(servers), '/login');
    if (status !== 200 || cookie === undefined) {
      failed += 1;
      return;
    }
    const browser = { name: `browser-${browsers.length}`, cookie, busy: 0, loggedOut: false };
    browsers.push(browser);
    const [action, outcome] = [{ kind: 'create' }, { kind: 'ok' }] as const;
    calls.push({ session: browser.name, action, outcome, begin, end: performance.now() });
  }

  async function call(browser: Browser, action: Action, path: string): Promise<void> {
    browser.busy += 1;
    const begin = performance.now();
    const answer = await ask(pick(servers), path, browser.cookie);
    browser.busy -= 1;
    const outcome = outcomeOf(action, answer);
    if (outcome.kind === 'unknown') failed += 1;
    calls.push({ session: browser.name, action, outcome, begin, end: performance.now() });
  }

  async function request(): Promise<void> {
    if (Math.random() < 0.02) return logIn();
    const isAlone = servers.some(({ stage }) => stage === 'plain');
    // Half of the requests are for few sessions, as some people are busy.
    const among = Math.random() < 0.5 ? Math.ceil(browsers.length / 50) : browsers.length;
    const browser = browsers[Math.floor(Math.random() * among)];
    if (browser === undefined || (isAlone && browser.busy > 0)) return;
    const dice = Math.random();
    if (dice < 0.6) return call(browser, { kind: 'read' }, '/read');
    if (dice < 0.99 || browser.loggedOut) {
      marks += 1;
      const name = `m${marks}`;
      return call(browser, { kind: 'mark', name }, `/mark?name=${name}`);
    }
    browser.loggedOut = true;
    return call(browser, { kind: 'delete' }, '/logout');
  }

  while (browsers.length < sessions) {
    await Promise.all(Array.from({ length: SEEDING_AT_ONCE }, logIn));
  }
  const load = beginSteadyLoad(requestsPerSecond, request);

  const replaceAll = async (stage: Stage) => {
    for (let i = 0; i < SERVERS; i += 1) {
      await wait(stageMs / SERVERS);
      const next = await begin(redis, stage);
      const before = servers[i] as Server;
      if (before.stage === 'plain') {
        await before.drain(); // it stays in the list meanwhile, so that requests of a session go one by one
        servers.splice(i, 1, next);
      } else {
        servers.splice(i, 1, next);
        before.kill();
      }
    }
    await wait(stageMs / SERVERS);
    say(`all servers run with ${stage}, ${load.requests} requests so far`);
  };

  let progress = { moved: 0, unreadable: 0 };
  const looking = await createClient({ url: redis.url }).connect();
  let leftInOld = 0;
  try {
    await replaceAll('prepare');
    await replaceAll('move');
    const mover = await begin(redis, 'move');
    for await (progress of (mover.store as SojournStore).moveSessions());
    mover.kill();
    for await (const keys of looking.scanIterator({ MATCH: `${OLD_PREFIX}*` })) {
      leftInOld += keys.length;
    }
    say(`${progress.moved} cold sessions were moved, ${leftInOld} are left`);
    await replaceAll('new');
  } finally {
    await load.stop();
    looking.destroy();
  }
  for (let i = 0; i < browsers.length; i += SEEDING_AT_ONCE) {
    const some = browsers.slice(i, i + SEEDING_AT_ONCE);
    await Promise.all(some.map((browser) => call(browser, { kind: 'read' }, '/read')));
  }
  for (const server of servers) server.kill();
  const { moved, unreadable } = progress;
  return { calls, moved, unreadable, leftInOld, requests: load.requests, failed };
}

async function begin(redis: RedisServer, stage: Stage): Promise<Server> {
  const { store, disconnect } = await openStore(redis, stage);
  const app = express();
  app.use(
    session({
      ...{ store, secret: 'a secret of a test', resave: false, saveUninitialized: false },
      cookie: { maxAge: 3_600_000 },
    }),
  );
  app.use((request, response) => {
    const kept = request.session as KeptSession;
    const answer = (error?: unknown) => {
      if (error) response.status(500).end();
      else response.json({ marks: Object.keys(kept).filter((name) => name.startsWith('m')) });
    };
    if (request.path === '/login') {
      kept.user = 'ada';
      kept.save(answer);
    } else if (kept.user === undefined) response.status(401).end();
    else if (request.path === '/mark') {
      kept[String(request.query.name)] = 1;
      kept.save(answer);
    } else if (request.path === '/logout') kept.destroy(answer);
    else answer();
  });
  app.use(answerError);
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    ...{ stage, store, port: (server.address() as AddressInfo).port },
    async drain() {
      await closed(server);
      disconnect();
    },
    kill() {
      disconnect();
      server.close();
      server.closeAllConnections();
    },
  };
}

// Express prints what reaches its own handler.
const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  if (response.headersSent) response.destroy();
  else response.status(error.status ?? 500).end();
};

async function closed(server: HttpServer): Promise<void> {
  server.close();
  server.closeIdleConnections();
  await once(server, 'close');
}

async function openStore(
  { host, port, url }: RedisServer,
  stage: Stage,
): Promise<{ readonly store: Store; disconnect(): void }> {
  if (stage === 'plain') {
    const client = await createClient({ url })
      .on('error', () => {})
      .connect();
    return {
      store: new RedisStore({ client, prefix: OLD_PREFIX }),
      disconnect: () => client.destroy(),
    };
  }
  const { client } = await connectRedis({ kind: 'server', host, port }, PATIENT);
  const store = new SojournStore({
    repository: new RedisSessionRepository({ client, prefix: PREFIX }),
    userOf: (session) => (session as unknown as KeptSession).user as string | undefined,
    policy: { limits: { maxFields: 1000 } },
    ...(stage !== 'new' && {
      carryOver: fromConnectRedis({ client, prefix: OLD_PREFIX, phase: stage }),
    }),
  });
  return { store, disconnect: () => client.disconnect() };
}

interface Answer {
  /** `undefined` where there was none. */
  readonly status?: number | undefined;
  readonly body?: string;
  readonly cookie?: string | undefined;
}

function ask({ port }: Server, path: string, cookie?: string): Promise<Answer> {
  return new Promise((resolve) => {
    const headers = cookie === undefined ? {} : { cookie };
    const options = { host: '127.0.0.1', port, path, headers, agent: false, timeout: 10_000 };
    const sent = send(options, async (response) => {
      try {
        let body = '';
        for await (const chunk of response) body += chunk;
        const [set] = response.headers['set-cookie'] ?? [];
        resolve({ status: response.statusCode, body, cookie: set?.split(';')[0] });
      } catch {
        resolve({});
      }
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve({}));
    sent.end();
  });
}

function outcomeOf({ kind }: Action, { status, body = '' }: Answer): Outcome {
  if (status === 401) return { kind: 'absent' };
  if (status !== 200) return { kind: 'unknown' };
  if (kind !== 'read') return { kind: 'ok' };
  return { kind: 'ok', marks: new Set<string>(JSON.parse(body).marks) };
}
