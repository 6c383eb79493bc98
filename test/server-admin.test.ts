import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Browser } from './support/http-server.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { startRedisServer } from './support/redis-server.ts';
import { say } from './support/say.ts';
import { runSojourn } from './support/sojourn-command.ts';
import { SojournProcess } from './support/sojourn-process.ts';
import { until } from './support/until.ts';

const running: SojournProcess[] = [];

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const server = new SojournProcess(['--port', '0', '--store', 'memory', ...args], env);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
});

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sojourn-admin-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function tokenIn(text: string): Promise<string> {
  const path = join(folder, `token-${Math.random()}`);
  await writeFile(path, text);
  return path;
}

describe('the second listener', () => {
  it('is there only where it was asked for', async () => {
    const server = start([]);
    const url = await server.url();
    expect(server.stdout).not.toContain('Admin:');
    expect((await fetch(`${url}/metrics`)).status).toBe(404);
  });

  it('serves metrics, health and readiness, and no session', async () => {
    const url = await start([], { ADMIN_PORT: '0' }).adminUrl();
    expect(url).toMatch(/^http:\/\/localhost:\d+$/);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain(
      'sojourn_sessions_created_total',
    );
    expect(await (await fetch(`${url}/healthz`)).json()).toEqual({ status: 'ok' });
    expect(await (await fetch(`${url}/readyz`)).json()).toEqual({ status: 'ready' });
    for (const path of ['/login', '/assets/demo.css', '/no']) {
      expect((await fetch(url + path)).status).toBe(404);
    }
    const refused = await fetch(`${url}/metrics`, { method: 'POST' });
    expect([refused.status, refused.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
  });

  it.each([[[]], [['--allowed-hosts', '*']], [['--allowed-hosts', 'evil.example']]])(
    'answers to no name but this machine’s where it asks for no token: %j',
    async (args) => {
      const url = await start(['--admin-port', '0', ...args]).adminUrl();
      for (const path of ['/', '/metrics', '/readyz', '/no']) {
        const answer = await say(
          url,
          `GET ${path} HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n`,
        );
        expect(answer).toMatch(/^HTTP\/1\.1 403 /);
        expect(answer).toContain('only localhost');
      }
    },
  );

  it('is open under every name and address to whoever has the token, whatever names the site has', async () => {
    const token = 'correct-horse-battery-staple';
    const args = [
      '--admin-port',
      '0',
      '--admin-host',
      '0.0.0.0',
      '--allowed-hosts',
      'shop.example',
    ];
    const server = start(args, { ADMIN_TOKEN: token });
    const url = await server.adminUrl();
    const ask = async (path: string, Host: string, headers: Record<string, string> = {}) => {
      const request = get(`http://127.0.0.1:${new URL(url).port}${path}`, {
        headers: { ...headers, Host },
      });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    const bearer = { Authorization: `Bearer ${token}` };
    for (const host of ['10.0.0.5:9464', '[2001:db8::5]:9464', 'sojourn-1:9464', 'evil.example']) {
      expect([host, await ask('/healthz', host)]).toEqual([host, 200]);
      expect([host, await ask('/readyz', host)]).toEqual([host, 200]);
      expect([host, await ask('/metrics', host, bearer)]).toEqual([host, 200]);
      expect([host, await ask('/', host, bearer)]).toEqual([host, 200]);
      expect([host, await ask('/metrics', host)]).toEqual([host, 401]);
      expect([host, await ask('/', host)]).toEqual([host, 401]);
    }
    expect((await server.stop()).stderr).toBe('');
  });

  it('warns in the log of a host that is refused, once for many, and so does the first listener', async () => {
    const server = start(['--admin-port', '0']);
    for (const url of [await server.adminUrl(), await server.url()]) {
      for (let i = 0; i < 20; i++) {
        const head = 'Host: sojourn-1\r\nConnection: close';
        expect(await say(url, `GET /healthz HTTP/1.1\r\n${head}\r\n\r\n`)).toMatch(/^\S+ 403 /);
      }
    }
    const lines = (await server.stop()).stderr.trimEnd().split('\n');
    const refused = 'refused a request for the host sojourn-1; ';
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      {
        level: 'warn',
        msg: `${refused}--admin-port: without an admin token only localhost is allowed`,
      },
      { level: 'warn', msg: `${refused}--allowed-hosts (ALLOWED_HOSTS) names the allowed ones` },
    ]);
  });

  it('asks for the token where there is one: of a file, without the end of its line', async () => {
    const token = 'correct-horse-battery-staple';
    const args = ['--admin-port', '0', '--admin-host', '0.0.0.0'];
    const file = await tokenIn(`${token}\n`);
    const url = await start([...args, '--admin-token-file', file]).adminUrl();
    const ask = (path: string, authorization?: string) =>
      fetch(`http://127.0.0.1:${new URL(url).port}${path}`, {
        headers: authorization === undefined ? {} : { Authorization: authorization },
      });
    for (const wrong of [
      undefined,
      'Bearer',
      'Bearer x',
      `Bearer ${token}x`,
      `Basic ${token}`,
      token,
    ]) {
      const response = await ask('/metrics', wrong);
      expect([response.status, response.headers.get('WWW-Authenticate')]).toEqual([
        401,
        'Bearer realm="Sojourn"',
      ]);
    }
    expect((await ask('/metrics', `Bearer ${token}`)).status).toBe(200);
    expect((await ask('/metrics', `bearer  ${token}`)).status).toBe(200);
    expect((await ask('/healthz')).status).toBe(200); // a probe has no token
    expect((await ask('/readyz')).status).toBe(200);
  });

  it.each(['0.0.0.0', '::', '192.0.2.7', 'intranet.example'])(
    'refuses to be reached at %s without a token',
    async (host) => {
      const { code, stdout, stderr } = await start(['--admin-port', '0', '--admin-host', host])
        .exited;
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(
        /^sojourn: --admin-host \S+ is not a loopback address, [^\n]*ADMIN_TOKEN\n$/,
      );
    },
  );

  it.each([
    [['--admin-port', '8080', '--port', '8080'], {}, '--admin-port and --port are both 8080'],
    [['--admin-port', '8080', '--port', '8081'], { ADMIN_HOST: '10.0.0.1' }, 'ADMIN_HOST'],
    [['--admin-port', 'x'], {}, '--admin-port'],
    [['--admin-port', '65536'], {}, '--admin-port'],
    [['--admin-host', '127.0.0.1'], {}, '--admin-host needs --admin-port'],
    [['--admin-token-file', '/no/such/file'], {}, '--admin-token-file needs --admin-port'],
    [['--admin-port', '0', '--admin-token-file', '/no/such'], {}, 'cannot be read'],
    [['--admin-port', '0', '--admin-token', 'hidden-word'], {}, 'ADMIN_TOKEN'],
    [['--admin-port', '0'], { ADMIN_TOKEN: 'hidden word' }, 'without spaces'],
    [
      ['--admin-port', '0'],
      { ADMIN_TOKEN: 'hidden', ADMIN_TOKEN_FILE: 'x' },
      'set only one of them',
    ],
  ])('is refused with exit 2 and one line: %j %j', async (args, env, named) => {
    const server = new SojournProcess(args, env as Record<string, string>);
    const { code, stdout, stderr } = await server.exited;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^sojourn: [^\n]+\n$/);
    expect(stderr).toContain(named);
    expect(stderr).not.toContain('hidden');
  });

  it.each([
    ['short', 1],
    ['correct-horse-battery-staple', 0],
  ])('warns of a token that can be guessed: %s', async (token, warnings) => {
    const server = start(['--admin-port', '0'], { ADMIN_TOKEN: token });
    await server.url();
    expect(server.stdout.match(/^Warning: the admin token is short/gm) ?? []).toHaveLength(
      warnings,
    );
    expect(server.stdout).not.toContain(token === 'short' ? 'token: short' : token);
  });

  it('says so where its port is taken, and nobody is served', async () => {
    const { port } = new URL(await start([]).url());
    const { code, stdout, stderr } = await start(['--admin-port', port]).exited;
    expect([code, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(
      /^sojourn: cannot listen on 127\.0\.0\.1:\d+: [^\n]+; the address is set by [^\n]+\n$/,
    );
    expect(stderr).toContain('; the address is set by --admin-host (ADMIN_HOST) and --admin-port');
  });

  it('finishes what is in flight at a stop, like the first one', async () => {
    const server = start(['--admin-port', '0']);
    const url = await server.adminUrl();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    socket.write('POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n');
    await once(socket, 'connect');
    const idle = await fetch(`${url}/healthz`); // a connection that is kept alive
    await idle.text();
    server.signal('SIGTERM');
    await expect
      .poll(() =>
        fetch(`${url}/healthz`).then(
          (r) => r.text(),
          () => 'closed',
        ),
      )
      .toBe('closed');
    socket.end('\r\na=b');
    await once(socket, 'close');
    expect(answer).toMatch(/^HTTP\/1\.1 405 /);
    expect((await server.exited).code).toBe(0);
  });
});

describeWithServers('readiness on the second listener', () => {
  it('comes with its reason, for whoever may read it', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    try {
      const token = 'correct-horse-battery-staple';
      const server = new SojournProcess(
        ['--port', '0', '--admin-port', '0', '--redis-url', redis.url],
        { ADMIN_TOKEN: token },
      );
      running.push(server);
      const url = await server.adminUrl();
      await redis.kill();
      const ask = async (headers: Record<string, string>) => {
        const response = await fetch(`${url}/readyz`, { headers });
        return { code: response.status, ...((await response.json()) as object) };
      };
      const told = { code: 503, status: 'unavailable', failure: 'connection' };
      await expect.poll(() => ask({})).toEqual(told);
      expect(await ask({ Authorization: `Bearer ${token}` })).toEqual({
        ...told,
        reason: expect.stringMatching(/\w/),
      });
      // The log says why once, not at every probe.
      await until('it does', async () => server.stderr.includes('"store fails"'));
      expect(server.stderr).not.toContain('"request"');
      const { port } = new URL(await server.url());
      const open = await fetch(`http://localhost:${port}/readyz`);
      expect(await open.json()).toEqual({ status: 'unavailable', failure: 'connection' });
    } finally {
      await redis.stop();
    }
  });
});

describeWithServers('the console on Redis', () => {
  it('shows who ended a session, whichever way, as the journal has it', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    try {
      const token = 'correct-horse-battery-staple';
      const where = ['--port', '0', '--admin-port', '0', '--redis-url', redis.url];
      const server = new SojournProcess(where, { ADMIN_TOKEN: token });
      running.push(server);
      const admin = new Browser(await server.adminUrl());
      await admin.post('/sign-in', { name: 'grace', token });
      const logIn = async () => {
        const browser = new Browser(await server.url());
        const login = await browser.post('/login', { username: 'ada' });
        return { browser, ...((await login.json()) as { session_id: string }) };
      };
      await (await logIn()).browser.post('/logout');
      await admin.post('/end', { id: (await logIn()).session_id });
      await logIn();
      await admin.post('/end-user', { user: 'ada' });
      await logIn();
      await admin.post('/end-all', { confirmation: 'session:demo:' });
      const page = async () => (await admin.request('/user?name=ada')).text();
      const ends = async () => (await page()).match(/Revoked|Logged out/g);
      await expect.poll(ends).toHaveLength(4);
      expect((await page()).match(/console grace/g)).toHaveLength(3);
      const env = { REDIS_URL: redis.url, SESSION_PREFIX: 'session:demo:' };
      const { stdout } = await runSojourn(['journal', '--user', 'ada', '--json'], env);
      const entries = stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(entries.filter(({ event }) => event === 'ended')).toMatchObject([
        { why: 'revoked', by: 'console grace' }, // all
        { why: 'revoked', by: 'console grace', everywhere: true },
        { why: 'revoked', by: 'console grace' },
        { why: 'logout', by: 'user' },
      ]);
    } finally {
      await redis.stop();
    }
  });

  it('ends all sessions under its prefix and no others, and the log says who did, whatever its level', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    try {
      const token = 'correct-horse-battery-staple';
      const where = ['--port', '0', '--redis-url', redis.url];
      const servers = [
        new SojournProcess([...where, '--admin-port', '0', '--log-level', 'error'], {
          ADMIN_TOKEN: token,
        }),
        new SojournProcess([...where, '--prefix', 'session:demo:other:']),
      ] as const;
      running.push(...servers);
      const [server, other] = servers;
      const admin = new Browser(await server.adminUrl());
      const [here, there] = [new Browser(await server.url()), new Browser(await other.url())];
      for (const browser of [here, there]) await browser.post('/login', { username: 'ada' });
      for (let i = 0; i < 20; i++)
        await new Browser(here.url).post('/login', { username: `u${i}` });

      expect((await admin.post('/sign-in', { name: 'grace\u001b[2J', token })).status).toBe(303);
      expect((await admin.post('/end-all', { confirmation: 'session:demo:' })).status).toBe(303);
      await expect
        .poll(async () => (await admin.request('/')).text())
        .toContain('All sessions were ended: 21 sessions');
      const alive = async (browser: Browser) =>
        ((await (await browser.request('/session')).json()) as { authenticated: boolean })
          .authenticated;
      expect([await alive(here), await alive(there)]).toEqual([false, true]);
      const page = await (await admin.request('/')).text();
      expect(page).toContain('Redis memory');
      expect(page).toContain('revoked: 21 in all.');

      await server.stop();
      const lines = server.stderr.trimEnd().split('\n');
      const by = 'console grace\u001b[2J';
      expect(lines.map((line) => JSON.parse(line))).toMatchObject([
        { level: 'info', msg: 'operator', by, did: 'sign in', outcome: 'done' },
        { by, did: 'end all', outcome: 'begun', requestId: expect.any(String) },
        { by, did: 'end all', outcome: 'done', ended: 21 },
      ]);
      expect(server.stderr).not.toContain('\u001b');
      expect(server.stderr + server.stdout).not.toContain(token);
    } finally {
      await redis.stop();
    }
  });
});
