import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { SessionService } from '../src/index.ts';
import { RedisSessionRepository } from '../src/redis.ts';
import { Browser } from './support/http-server.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { say } from './support/say.ts';
import { SojournProcess } from './support/sojourn-process.ts';

const running: SojournProcess[] = [];

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): SojournProcess {
  const server = new SojournProcess(['--port', '0', ...args], env);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

/** A port on which nobody listens. */
async function closedPort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return String(typeof address === 'object' && address?.port);
}

describe('the server as a process', () => {
  it('prints its address, its store and its ttl, and serves', async () => {
    const server = start(['--store', 'memory', '--ttl', '90']);
    const url = await server.url();
    expect(server.stdout).toMatch(
      /^Sojourn: http:\/\/localhost:\d+\nStore: {3}embedded in-memory store; .*\nTTL: {5}90 s\n$/,
    );
    const page = await fetch(url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('embedded in-memory store');
    for (const asset of ['/assets/demo.css', '/assets/live.js']) {
      expect((await fetch(url + asset)).status).toBe(200);
    }
    const browser = new Browser(url);
    expect(await (await browser.post('/login')).json()).toMatchObject({
      configured_ttl: 90,
      ttl: 90,
    });
  });

  it('takes settings from the environment, and a flag beats it', async () => {
    const server = start(['--ttl', '7'], {
      SESSION_STORE: 'memory',
      SESSION_TTL: '5',
      SESSION_LIFETIME: '6',
    });
    const browser = new Browser(await server.url());
    expect(await (await browser.post('/login')).json()).toMatchObject({
      configured_ttl: 7,
      ttl: 6,
    });
  });

  it.each([
    [['--nonsense'], '--nonsense'],
    [['extra'], 'extra'],
    [['--ttl', '0'], 'ttl'],
    [['--ttl', '1e3'], '--ttl'],
    [['--ttl', '99999999999'], 'ttl'],
    [['--port', '65536'], '--port'],
    [['--store', 'disk'], '--store'],
    [['--redis-url', 'http://user:se-cret@x'], '--redis-url'],
    [['--redis-url', 'redis://:se-cret%zz@x'], '--redis-url'],
    [['--redis-url', 'redis://:se-cret@x/main'], '--redis-url'],
    [['--redis-cluster', 'a,b'], '--redis-cluster'],
    [['--redis-master', 'm'], '--redis-master'],
    [['--allowed-hosts', ''], '--allowed-hosts'],
    [['--allowed-hosts', 'https://shop.example'], '--allowed-hosts'],
    [['--allowed-hosts', 'shop.example:8080'], '--allowed-hosts'],
    [['--allowed-hosts', 'shop.example/'], '--allowed-hosts'],
    [['--allowed-hosts', 'shop.example,,b.example'], '--allowed-hosts'],
    [['--allowed-hosts', 'a*.example'], '--allowed-hosts'],
    [['--allowed-hosts', '*.*.example'], '--allowed-hosts'],
    [['--allowed-hosts', 'shop..example'], '--allowed-hosts'],
    [['--allowed-hosts', '.shop.example'], '--allowed-hosts'],
    [['--allowed-hosts', '1.2.3.999'], '--allowed-hosts'],
    [['--trusted-origins', ''], '--trusted-origins'],
    [['--trusted-origins', '*'], '--trusted-origins'],
    [['--trusted-origins', 'null'], '--trusted-origins'],
    [['--trusted-origins', 'shop.example'], '--trusted-origins'],
    [['--trusted-origins', 'ftp://shop.example'], '--trusted-origins'],
    [['--trusted-origins', 'https://shop.example/cart'], '--trusted-origins'],
    [['--trusted-origins', 'https://ada@shop.example'], '--trusted-origins'],
    [['--trusted-origins', 'https://shop.example:99999'], '--trusted-origins'],
    [['--trusted-origins', 'https://*'], '--trusted-origins'],
    [['--trusted-origins', 'https://a.example;https://b.example'], '--trusted-origins'],
  ])('exits 2 at %j with one line that names it', async (args, named) => {
    const { code, stdout, stderr } = await new SojournProcess(args).exited;
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('se-cret');
  });

  it.each([
    [
      { SESSION_TTL: 'abc' },
      'SESSION_TTL must be a whole number of seconds from 1 to 3162240000, not "abc"',
    ],
    [{ TRUST_PROXY: '127.0.0.1' }, 'TRUST_PROXY must be true or false, not "127.0.0.1"'],
    [
      { ALLOWED_HOSTS: 'a b' },
      'ALLOWED_HOSTS must be host names such as shop.example, *.shop.example or *, without scheme and port, not "a b"',
    ],
    [
      { TRUSTED_ORIGINS: 'https://a.example https://b.example' },
      'TRUSTED_ORIGINS must be origins such as https://shop.example or https://*.shop.example, not "https://a.example https://b.example"',
    ],
  ])('exits 2 at a bad variable and names it: %j', async (env, line) => {
    const { code, stderr } = await new SojournProcess([], env as Record<string, string>).exited;
    expect(code).toBe(2);
    expect(stderr).toBe(`sojourn: ${line}\n`);
  });

  it.each([
    [['--host', '0.0.0.0'], {}],
    [['--host', '::'], {}],
    [[], { NODE_ENV: 'production' }],
  ])('says that it has no password where others may reach it: %j %j', async (args, env) => {
    const server = start(['--store', 'memory', ...args], env as Record<string, string>);
    await server.url();
    const warnings = server.stdout.split('\n').filter((line) => line.startsWith('Warning: '));
    expect(warnings).toEqual([expect.stringContaining('no passwords')]);
  });

  it('prints every setting with --help', async () => {
    const { code, stdout } = await new SojournProcess(['--help']).exited;
    expect(code).toBe(0);
    for (const flag of [
      '--host',
      '--port',
      '--store',
      '--redis-url',
      '--redis-cluster',
      '--prefix',
      '--ttl',
      '--max-ttl',
      '--lifetime',
      '--secure-cookie',
      '--trust-proxy',
      '--allowed-hosts',
      '--trusted-origins',
      'TRUST_PROXY',
      'ALLOWED_HOSTS',
      'TRUSTED_ORIGINS',
      '(session:demo:)',
      'SESSION_TTL',
      'REDIS_URL',
    ]) {
      expect(stdout).toContain(flag);
    }
  });

  it.each([
    ['--store redis', ['--store', 'redis'], {}],
    ['a Redis that was configured', [], {}],
    ['NODE_ENV=production', [], { NODE_ENV: 'production' }],
  ])('exits 1 with one clear line where %s cannot be reached', async (_name, args, env) => {
    const port = await closedPort();
    const server = new SojournProcess([...args, '--redis-port', port], env);
    const { code, stdout, stderr } = await server.exited;
    expect(code).toBe(1);
    expect(stdout).toBe('');
    expect(stderr).toMatch(
      new RegExp(`^sojourn: cannot use Redis at localhost:${port}: .*ECONNREFUSED.*\\n$`),
    );
  });

  it.each([
    [['--port', '0'], { HOST: 'nowhere.invalid' }, 'HOST'],
    [['--port', '0', '--host', 'nowhere.invalid'], {}, '--host'],
    [[], { PORT: '0', HOST: '192.0.2.1' }, 'HOST and PORT'],
  ])('says what names the address that it cannot listen on: %j %j', async (args, env, named) => {
    const server = new SojournProcess(
      ['--store', 'memory', ...args],
      env as Record<string, string>,
    );
    const { code, stdout, stderr } = await server.exited;
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
    expect(stderr).toMatch(
      /^sojourn: cannot listen on \S+:0: [^\n]+; the address is set by [^\n]+\n$/,
    );
    expect(stderr).toContain(`; the address is set by ${named}`);
  });

  it('passes over what others set under the names of settings, and logs it', async () => {
    const env = { HOST: 'x86_64-conda-linux-gnu', REDIS_PORT: 'tcp://10.3.240.10:6379' };
    const server = start(['--store', 'memory'], env);
    expect((await fetch(await server.url())).status).toBe(200);
    for (const name of ['HOST', 'REDIS_PORT']) {
      expect(server.stderr).toMatch(new RegExp(`^{.*"msg":"${name} is ignored: .*}$`, 'm'));
    }
  });

  it('exits 1 where the address is taken', async () => {
    const url = await start(['--store', 'memory']).url();
    const port = new URL(url).port;
    const { code, stderr } = await new SojournProcess(['--store', 'memory', '--port', port]).exited;
    expect(code).toBe(1);
    expect(stderr).toContain(port);
  });

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes what is in flight at %s and exits 0',
    async (signal) => {
      const server = start(['--store', 'memory']);
      const url = await server.url();
      const browser = new Browser(url);
      await browser.post('/login');
      // A request whose body is not complete yet is in flight.
      const socket = connect(Number(new URL(url).port), '127.0.0.1');
      const head = `POST /increment HTTP/1.1\r\nHost: localhost\r\nCookie: ${browser.cookie}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 3\r\n\r\n`;
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.write(head);
      await fetch(`${url}/healthz`); // by now the server has read the head
      server.signal(signal);
      await expect
        .poll(() =>
          fetch(`${url}/healthz`).then(
            () => 'open',
            () => 'closed',
          ),
        )
        .toBe('closed');
      socket.write('a=b');
      await once(socket, 'close');
      expect(answer).toMatch(/^HTTP\/1\.1 200 OK/);
      expect(answer).toContain('"page_views":2');
      expect((await server.exited).code).toBe(0);
    },
  );

  it('survives bad bytes and answers the next request', async () => {
    const url = await start(['--store', 'memory']).url();
    const host = new URL(url).host;
    const get = (head: string) => say(url, `${head}\r\nConnection: close\r\n\r\n`);
    expect(await get(`GET /session HTTP/1.1\r\nHost: ${host}\r\nCookie: sid=%; x=%`)).toMatch(
      /^HTTP\/1\.1 200/,
    );
    expect(await get(`GET // HTTP/1.1\r\nHost: ${host}`)).toMatch(/^HTTP\/1\.1 [234]\d\d/);
    expect(await get(`GET /%ff%00 HTTP/1.1\r\nHost: ${host}`)).toMatch(/^HTTP\/1\.1 4\d\d/);
    for (const bad of ['a b', '///', '[', 'x:99999', '@', '%']) {
      expect(await get(`GET /session HTTP/1.1\r\nHost: ${bad}`)).toMatch(/^HTTP\/1\.1 [24]\d\d/);
    }
    expect(await get('GET /session HTTP/1.1')).toMatch(/^HTTP\/1\.1 400/);
    for (const length of ['-1', 'x', '99999999999999999999']) {
      expect(
        await get(`POST /login HTTP/1.1\r\nHost: ${host}\r\nContent-Length: ${length}`),
      ).toMatch(/^HTTP\/1\.1 4\d\d/);
    }
    expect(await get(`GET / HTTP/1.1\r\nHost: ${host}\r\nX: ${'x'.repeat(100_000)}`)).toMatch(
      /^HTTP\/1\.1 431/,
    );
    await say(url, new Uint8Array([0, 255, 13, 10, 13, 10]));
    const chunk = `${(20_000).toString(16)}\r\n${'x'.repeat(20_000)}\r\n0\r\n\r\n`;
    const chunked = `POST /login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n${chunk}`;
    expect(await say(url, chunked)).toMatch(/^HTTP\/1\.1 413/);
    expect((await fetch(`${url}/healthz`)).status).toBe(200);
  });
});

describeWithServers('the server with Redis', () => {
  let redis: RedisServer;
  afterEach(() => redis.stop());

  it('keeps sessions there as the documentation says, shared by all servers', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const [one, two] = [start(['--redis-url', redis.url]), start([], { REDIS_URL: redis.url })];
    const browser = new Browser(await one.url());
    const login = (await (await browser.post('/login', { username: 'ada', ttl: '60' })).json()) as {
      key: string;
    };
    const elsewhere = new Browser(await two.url());
    elsewhere.cookie = browser.cookie;
    expect(await (await elsewhere.post('/increment')).json()).toMatchObject({ page_views: 2 });
    const admin = new Redis(redis.url);
    expect(await admin.hgetall(login.key)).toMatchObject({
      username: 'ada',
      page_views: '2',
      session_ttl: '60',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/),
      last_accessed_at: expect.stringMatching(/\+00:00$/),
      session_secret: expect.stringMatching(/^[\w-]{43}$/),
    });
    expect(await admin.ttl(login.key)).toBeGreaterThan(55);
    admin.disconnect();
  });

  it("opens no session of an application's with its cookies, and lists none", async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const url = await start(['--redis-url', redis.url]).url();
    const admin = new Redis(redis.url);
    const application = new SessionService({
      repository: new RedisSessionRepository({ client: admin }),
    });
    const ada = await application.create({}, { user: 'ada' });
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });
    expect(await application.get(browser.token)).toBeUndefined();
    expect(await (await browser.request('/')).text()).not.toContain(ada.session.id);
    await browser.post('/logout-everywhere');
    browser.cookie = `sid=${ada.token}`;
    expect(await (await browser.request('/session')).json()).toMatchObject({
      authenticated: false,
    });
    expect(await application.get(ada.token)).toBeDefined();
    admin.disconnect();
  });

  it('waits for Redis for as long as it is told', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const url = await start(['--redis-url', redis.url, '--redis-timeout', '2500']).url();
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });
    redis.pause();
    const beganAt = performance.now();
    expect((await browser.request('/session')).status).toBe(503);
    expect(performance.now() - beganAt).toBeGreaterThan(2400);
  });

  it('says that it is not ready while Redis is away, keeps the cookie, and recovers by itself', async () => {
    redis = await startRedisServer({
      binary: redisBinary(),
      args: ['--appendonly', 'yes', '--appendfsync', 'always'],
    });
    const url = await start(['--redis-url', redis.url]).url();
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });
    const { cookie } = browser;
    await redis.kill();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(503);
    for (const response of [
      await browser.request('/session'),
      await browser.post('/increment'),
      await browser.post('/logout'),
    ]) {
      expect(response.status).toBe(503);
      expect(response.headers.get('Retry-After')).toBe('1');
    }
    expect((await fetch(`${url}/session`)).status).toBe(200); // without a cookie
    expect(browser.cookie).toBe(cookie);
    await redis.restart();
    await expect.poll(async () => (await fetch(`${url}/readyz`)).status).toBe(200);
    expect(await (await browser.request('/session')).json()).toMatchObject({
      authenticated: true,
      session: { username: 'ada', page_views: '1' },
    });
  });
});
