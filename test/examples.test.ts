import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { Browser, listen } from './support/http-server.ts';
import { describeLive, redisUrl, useTestPrefix } from './support/live-redis.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

describeLive('the examples', () => {
  const prefix = useTestPrefix();
  const started: ChildProcess[] = [];

  beforeAll(async () => {
    const tsc = [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', 'examples'];
    await run(process.execPath, tsc, { cwd: root }).catch(({ stdout }) => expect(stdout).toBe(''));
  });
  afterEach(async () => {
    for (const child of started.splice(0)) {
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      expect(await exited).toEqual([0, null]);
    }
  });

  const environment = () => ({ ...process.env, REDIS_URL: redisUrl(), PREFIX: prefix, PORT: '0' });

  async function output(name: string, more: Record<string, string> = {}): Promise<string> {
    const env = { ...environment(), ...more };
    const { stdout } = await run(process.execPath, [`examples/dist/${name}.js`], {
      cwd: root,
      env,
    });
    return stdout;
  }

  /** The application as a process of its own; a browser at its address. */
  async function start(name: string, more: Record<string, string> = {}): Promise<Browser> {
    const child = spawn(process.execPath, [`examples/dist/${name}.js`], {
      cwd: root,
      env: { ...environment(), ...more },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    started.push(child);
    const [line] = await once(child.stdout, 'data');
    return new Browser(String(line).trim());
  }

  const text = async (response: Promise<Response>) => (await response).text();

  it('hono-app: a shop', async () => {
    const browser = await start('hono-app');
    expect(await text(browser.request('/'))).toBe('Hello stranger.');
    await browser.post('/login', { user: 'ada' });
    expect(await text(browser.request('/'))).toBe('Hello ada, page 1 here.');
    await browser.post('/cart', { item: 'tea' });
    expect(await text(browser.post('/cart', { item: 'cake' }))).toBe('["tea","cake"]');
    expect(await (await browser.request('/devices')).json()).toHaveLength(1);
    expect(await text(browser.post('/logout-everywhere'))).toBe('Ended 1 sessions.');
    expect((await browser.request('/devices')).status).toBe(401);
  });

  it('express-app: express-session, stored by Sojourn', async () => {
    const browser = await start('express-app');
    await browser.post('/login', { user: 'ada' });
    await Promise.all([
      browser.clone().post('/cart', { item: 'tea' }),
      browser.clone().post('/theme', { theme: 'dark' }),
    ]);
    expect(await (await browser.request('/')).json()).toEqual({
      ...{ user: 'ada', cart: ['tea'], theme: 'dark' },
    });
    const key = await text(browser.request('/key'));
    const redis = new Redis(redisUrl());
    expect(await redis.hmget(key, 'user', 'cart', 'session_ttl')).toEqual([
      '"ada"',
      '["tea"]',
      '1800',
    ]);
    await browser.post('/logout');
    expect(await redis.exists(key)).toBe(0);
    const phone = browser.clone();
    for (const device of [browser, phone]) await device.post('/login', { user: 'ada' });
    expect(await text(phone.post('/logout-everywhere'))).toBe('Ended 2 sessions.');
    expect(await (await browser.request('/')).json()).toEqual({});
    await redis.quit();
  });

  it('embedded: sessions without HTTP', async () => {
    expect(await output('embedded')).toBe(`
Ada logs in on a phone and on a laptop.
  her devices: phone, laptop

Messages are let in by their token.
  the phone plays e4: ada, move 1: e4
  somebody guesses a token: log in first

Three moves that arrive together all count.
  moves: 4

Two sessions are allowed: a tablet takes the place of the oldest.
  her devices: laptop, tablet
  the phone plays Qh5: log in first

A reward is paid once, however often it is claimed.
  three claims get: gold, nothing, nothing

Her password was changed: she is logged out everywhere.
  sessions ended: 2
  the laptop plays Rd1: log in first

What the observer heard:
  created, created, ended (evicted), created, refused, ended (revoked), ended (revoked), refused
`);
  });

  it('sharded-repository: an adapter proven by the contract, under node:test', async () => {
    const args = ['--test', '--test-reporter=tap', 'examples/dist/sharded-repository.test.js'];
    const { stdout } = await run(process.execPath, args, { cwd: root });
    expect(stdout).toMatch(/^# pass [1-9]\d+$/m);
    expect(stdout).toMatch(/^# fail 0$/m);
  });

  it('many-processes: servers behind one Redis', async () => {
    expect(await output('many-processes')).toBe(`
Starting three servers that share one Redis.

Ada logs in at one server, and the next one knows her.
  server 1, POST /login: Welcome.
  server 2, GET /: Hello ada, page 1 here.

Thirty pages at once, ten from each server: every one counts.
  server 3, GET /: Hello ada, page 32 here.

What one server writes, the next one reads.
  server 1, POST /cart: ["tea"]
  server 2, POST /cart: ["tea","milk"]
  server 3, POST /cart: ["tea","milk","cake"]

She logs in on a second device, and logs out on the first: at one server, and so at all.
  server 1, POST /login: Welcome.
  server 2, POST /logout: Goodbye.
  server 3, GET /: Hello stranger.
  server 1, GET /: Hello stranger.
  server 2, GET /: Hello stranger.

The second device is still logged in, until she logs out everywhere.
  server 3, GET /: Hello ada, page 1 here.
  server 1, POST /logout-everywhere: Ended 1 sessions.
  server 2, GET /: Hello stranger.

Stopping the servers.
`);
  });

  it('carry-over-from-connect-redis: who was logged in stays so', async () => {
    const secret = 'the same before and after';
    const OLD_PREFIX = `${prefix}old:`;
    const client = createClient({ url: redisUrl() });
    await client.connect();
    const before = express();
    const store = new RedisStore({ client, prefix: OLD_PREFIX });
    before.use(
      session({
        store,
        secret,
        resave: false,
        saveUninitialized: false,
        cookie: { maxAge: 60_000 },
      }),
    );
    before.post('/login', (req, res) => {
      Object.assign(req.session, { user: 'ada', cart: ['tea'] });
      res.end();
    });
    const http = await listen(createServer(before));
    const old = new Browser(http.url);
    await old.post('/login');
    await http.close();
    await client.quit();

    for (const moved of [1, 0]) {
      expect(await output('carry-over-from-connect-redis', { OLD_PREFIX })).toBe(
        `Moved ${moved} sessions; 0 could not be read.\n`,
      );
    }
    const browser = await start('express-app', { SECRET: secret });
    browser.cookie = old.cookie;
    expect(await (await browser.request('/')).json()).toEqual({ user: 'ada', cart: ['tea'] });
    expect(await text(browser.post('/logout-everywhere'))).toBe('Ended 1 sessions.');
  });
});
