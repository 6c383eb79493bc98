import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Hono } from 'hono';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { createDemoApp } from '../../src/http/demo/demo-app.ts';
import { type SessionsEnv, sessions } from '../../src/http/hono/sessions.ts';
import { integer, SessionService, type StoreUnavailableError, text } from '../../src/index.ts';
import { Browser, type HttpServer, startHttpServer } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const ROUNDS = 200;

const fields = { color: text(), size: text(), visits: integer() };

describeWithServers('sessions over HTTP, in Redis', () => {
  let redis: RedisServer;
  let connection: RedisConnection;
  let admin: Redis;
  let http: HttpServer;
  const failures: StoreUnavailableError[] = [];

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    connection = await connectRedis({ kind: 'url', url: redis.url });
    admin = new Redis(redis.url);
    const repository = new RedisSessionRepository({ client: connection.client });
    http = await startHttpServer(application(new SessionService({ repository }), failures));
  });
  afterAll(async () => {
    await http.close();
    await connection.close();
    admin.disconnect();
    await redis.stop();
  });
  beforeEach(async () => {
    await admin.flushall(); // a server of our own
  });

  async function login(): Promise<Browser> {
    const browser = new Browser(http.url);
    expect((await browser.post('/login')).status).toBe(200);
    return browser;
  }

  /** Every key that is left, and what is wrong with it. */
  async function zombies(): Promise<string[]> {
    const keys = await admin.keys('*');
    const ttls = await Promise.all(keys.map((key) => admin.pttl(key)));
    return keys.map((key, i) => `${key} ${ttls[i]}`);
  }

  it('lets two requests that change different fields both win', async () => {
    const browser = await login();
    for (let i = 0; i < 50; i += 1) {
      await Promise.all([
        browser.post('/set', { color: `c${i}` }),
        browser.post('/set', { size: `s${i}` }),
      ]);
      const body = await (await browser.request('/')).json();
      expect(body).toMatchObject({ color: `c${i}`, size: `s${i}` });
    }
  });

  it('counts 50 concurrent increments as 50', async () => {
    const browser = await login();
    const answers = await Promise.all(
      Array.from({ length: 50 }, async () => json(await browser.post('/visit'))),
    );
    expect(new Set(answers.map(({ visits }) => visits)).size).toBe(50);
    expect(await (await browser.request('/')).json()).toMatchObject({ visits: 50 });
  });

  it.each([
    ['read', (browser: Browser) => browser.request('/')],
    ['write', (browser: Browser) => browser.post('/set', { color: 'red' })],
    ['counter', (browser: Browser) => browser.post('/visit')],
  ])('lets a logout beat a request in flight: a %s', async (_name, act) => {
    for (let i = 0; i < ROUNDS; i += 1) {
      const browser = await login();
      const others = [browser.clone(), browser.clone(), browser.clone()];
      const [logout, ...answers] = await Promise.all([
        browser.post('/logout'),
        ...others.map(act),
        act(others[0] as Browser),
      ]);
      expect(await logout.json()).toEqual({ ended: true });
      for (const answer of answers) expect([200, 401]).toContain(answer.status);
      expect(await zombies()).toEqual([]);
    }
  });

  it('keeps a reader and a writer with the old token alive through a rotation with grace, and their writes', async () => {
    const browser = await login();
    const old = browser.clone();
    for (let i = 0; i < 20; i += 1) {
      const [rotation, read, write, count] = await Promise.all([
        browser.post('/renew'),
        old.clone().request('/'),
        old.clone().post('/set', { color: `red ${i}` }),
        old.clone().post('/visit'),
      ]);
      expect([rotation.status, read.status, write.status, count.status]).toEqual(
        Array(4).fill(200),
      );
      const body = await (await browser.request('/')).json();
      expect(body).toMatchObject({ user: 'ada', color: `red ${i}`, visits: i + 1 });
      old.cookie = browser.cookie;
    }
  });

  it('gives the new token to one of many concurrent rotations and leaves the others logged in', async () => {
    const browser = await login();
    const before = browser.cookie;
    const tabs = Array.from({ length: 20 }, () => browser.clone());
    const answers = await Promise.all(tabs.map(async (tab) => json(await tab.post('/renew'))));
    expect(answers.filter(({ rotated }) => rotated === true)).toHaveLength(1);
    expect(answers.filter(({ rotated }) => rotated === false)).toHaveLength(19);
    expect(tabs.filter((tab) => tab.cookie !== before)).toHaveLength(1);
    for (const tab of tabs) expect((await tab.request('/')).status).toBe(200);
  });

  it('lets the old token die at once where a rotation has no grace', async () => {
    const browser = await login();
    const old = browser.clone();
    expect(await (await browser.post('/elevate')).json()).toEqual({ rotated: true });
    expect(browser.cookie).not.toBe(old.cookie);
    const refused = await old.request('/');
    expect(await refused.json()).toMatchObject({ user: null });
    expect(refused.headers.has('Set-Cookie')).toBe(false);
    expect(await (await browser.request('/')).json()).toMatchObject({ user: 'ada' });
  });

  it('runs no command and leaves no key for a hundred anonymous hits', async () => {
    const commands = await commandsDuring(admin, async () => {
      for (let i = 0; i < 100; i += 1) {
        const response = await fetch(`${http.url}/`);
        expect(response.status).toBe(200);
        expect(response.headers.has('Set-Cookie')).toBe(false);
      }
    });
    expect(commands).toEqual([]);
    expect(await admin.dbsize()).toBe(0);
  });

  it('runs one command for an authenticated read, and sets no cookie', async () => {
    const browser = await login();
    await browser.request('/'); // the script is known from here on
    let response = new Response();
    const commands = await commandsDuring(admin, async () => {
      response = await browser.request('/');
    });
    expect(commands).toEqual(['evalsha']);
    expect(response.headers.has('Set-Cookie')).toBe(false);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  it('gives a flash message to exactly one of many requests', async () => {
    const browser = await login();
    await browser.post('/flash');
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => json(await browser.post('/flashed'))),
    );
    expect(answers.filter(({ message }) => message === 'Saved.')).toHaveLength(1);
    expect(answers.filter(({ message }) => message === null)).toHaveLength(19);
  });

  it('logs nobody out while the store is down, says when a logout failed, and recovers by itself', async () => {
    const browser = await login();
    await browser.request('/');
    redis.pause();
    try {
      for (const path of ['/logout', '/set', '/visit']) {
        const response = await browser.post(path, { color: 'red' });
        expect(response.status).toBe(503);
        expect(response.headers.get('Retry-After')).toBe('1');
        expect(response.headers.has('Set-Cookie')).toBe(false);
      }
      expect((await fetch(`${http.url}/`)).status).toBe(200);
    } finally {
      redis.resume();
    }
    await expect.poll(async () => (await browser.request('/')).status).toBe(200);
    expect(await (await browser.request('/')).json()).toMatchObject({ user: 'ada' });
  });

  it('keeps tokens and secrets out of Redis, its dump, bodies, URLs, logs and errors', async () => {
    const logged: string[] = [];
    const repository = new RedisSessionRepository({ client: connection.client });
    const demo = await startHttpServer(
      createDemoApp({
        service: new SessionService({ repository }),
        store: { kind: 'redis', label: 'Redis', prefix: 'session:' },
        ready: connection.ping,
        now: Date.now,
        secureCookie: false,
        assets: {},
        onError: (error) => logged.push(inspect(error, { depth: Infinity })),
      }),
    );
    const monitor = await admin.monitor();
    const commands: string[] = [];
    monitor.on('monitor', (_time: string, args: string[]) => commands.push(args.join(' ')));
    try {
      const secrets = new Set<string>();
      const seen: string[] = [];
      const browser = new Browser(demo.url);
      const visit = async (response: Response) => {
        seen.push(response.url, await response.text());
        for (const [name, value] of response.headers) {
          if (name !== 'set-cookie') seen.push(value);
        }
        if (browser.cookie !== undefined) secrets.add(browser.token.split('.')[1] ?? '');
      };
      await visit(await browser.post('/login', { username: 'ada', ttl: '60' }));
      await visit(await browser.post('/login', { username: 'grace', ttl: '60' }));
      for (const path of [
        '/',
        '/index.html',
        '/session',
        '/session?refresh=false',
        '/healthz',
        '/readyz',
        '/nothing',
      ]) {
        await visit(await browser.request(path));
      }
      await visit(await browser.post('/increment'));
      await visit(await browser.post('/ttl', { ttl: '120' }));
      await visit(await browser.post('/ttl', { ttl: 'abc' }));
      const keys = await admin.keys('*');
      seen.push(...keys, ...(await Promise.all(keys.map(async (key) => await dump(admin, key)))));
      await admin.save();
      seen.push(await readFile(join(redis.directory, 'dump.rdb'), 'latin1'));
      await visit(await browser.post('/logout'));

      redis.pause();
      const stale = new Browser(demo.url);
      stale.cookie = `sid=${'A'.repeat(22)}.${[...secrets][0]}`;
      await visit(await stale.request('/session'));
      redis.resume();

      expect(secrets.size).toBe(2);
      expect(commands.length).toBeGreaterThan(10);
      const haystack = [
        ...seen,
        ...commands,
        ...logged,
        ...failures.map((error) => inspect(error, { depth: Infinity })),
      ];
      for (const secret of secrets) {
        expect(haystack.filter((text) => text.includes(secret))).toEqual([]);
      }
    } finally {
      monitor.disconnect();
      await demo.close();
    }
  });
});

/** What an application on the middleware looks like. */
function application(
  service: SessionService,
  failures: StoreUnavailableError[],
): Hono<SessionsEnv<typeof fields>> {
  const app = new Hono<SessionsEnv<typeof fields>>();
  app.use(
    sessions({
      service,
      fields,
      cookie: { secure: false },
      onUnavailable(c, error) {
        failures.push(error);
        c.header('Retry-After', '1');
        return c.json({ error: 'unavailable' }, 503);
      },
    }),
  );
  app.get('/', (c) => {
    const { session } = c.var;
    return c.json({
      user: session.user ?? null,
      color: session.get('color'),
      size: session.get('size'),
      visits: session.get('visits'),
    });
  });
  app.post('/login', async (c) => {
    await c.var.session.start('ada', { visits: 0 });
    return c.json({});
  });
  app.post('/set', async (c) => {
    const session = c.var.session.required();
    const { color, size } = await c.req.parseBody<{ color?: string; size?: string }>();
    if (color !== undefined) session.set('color', color);
    if (size !== undefined) session.set('size', size);
    return c.json({});
  });
  app.post('/visit', async (c) => {
    return c.json({ visits: (await c.var.session.required().increment('visits')) ?? null });
  });
  app.post('/renew', async (c) => {
    return c.json({ rotated: (await c.var.session.required().rotate({ grace: 30 })) ?? null });
  });
  app.post('/elevate', async (c) => {
    return c.json({ rotated: (await c.var.session.required().rotate()) ?? null });
  });
  app.post('/flash', (c) => {
    c.var.session.required().flash('info', 'Saved.');
    return c.json({});
  });
  app.post('/flashed', async (c) => {
    return c.json({ message: (await c.var.session.required().takeFlash('info')) ?? null });
  });
  app.post('/logout', async (c) => c.json({ ended: await c.var.session.end() }));
  return app;
}

/** The commands that clients send while `act` runs; not those that a script runs on the server. */
async function commandsDuring(admin: Redis, act: () => Promise<void>): Promise<string[]> {
  const monitor = await admin.monitor();
  const commands: string[] = [];
  const done = new Promise<void>((resolve) => {
    monitor.on('monitor', (_time: string, [name = '', argument]: string[], source: string) => {
      if (argument === 'the end') resolve();
      else if (source !== 'lua') commands.push(name);
    });
  });
  await act();
  await admin.echo('the end');
  await done;
  monitor.disconnect();
  return commands;
}

/** All that a key holds, hash or sorted set. */
async function dump(admin: Redis, key: string): Promise<string> {
  const hash = (await admin.type(key)) === 'hash';
  return inspect(hash ? await admin.hgetall(key) : await admin.zrange(key, 0, -1));
}

async function json(response: Response): Promise<Record<string, unknown>> {
  return (await response.json()) as Record<string, unknown>;
}
