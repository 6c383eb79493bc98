import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from './support/http-server.ts';
import { say } from './support/say.ts';
import { SojournProcess } from './support/sojourn-process.ts';
import { until } from './support/until.ts';

const running: SojournProcess[] = [];
const sockets: Socket[] = [];

/** A server whose log tells of every request. */
function start(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const all = ['--port', '0', '--store', 'memory', '--log-level', 'info', ...args];
  const server = new SojournProcess(all, env);
  running.push(server);
  return server;
}

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of running.splice(0)) await server.stop();
});

/** What was logged since it started. */
function linesOf({ stderr }: SojournProcess): Record<string, unknown>[] {
  return stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg !== 'started');
}

async function open(url: string): Promise<Socket> {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  socket.on('error', () => {}); // the server may close it
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

const get = (url: string, path: string, headers = 'Host: localhost') =>
  say(url, `GET ${path} HTTP/1.1\r\n${headers}\r\nConnection: close\r\n\r\n`);

describe('the host that a request names', () => {
  const foreign = ['Host: evil.example', 'Host: evil.example:8080\r\nX-Forwarded-Host: localhost'];

  it.each([[[]], [['--trust-proxy']]])(
    'is one of this machine where the server listens on a loopback address: %j',
    async (args) => {
      const server = start(args);
      const url = await server.url();
      const paths = ['/', '/session', '/healthz', '/readyz', '/assets/demo.css', '/no'];
      for (const path of paths) {
        for (const headers of foreign) {
          const answer = await get(url, path, headers);
          expect(answer).toMatch(/^HTTP\/1\.1 403 /);
          expect(answer).toContain('The host evil.example is not allowed here; --allowed-hosts');
        }
        expect(await get(url, path, 'Host: LocalHost.:1')).toMatch(/^HTTP\/1\.1 (200|404) /);
      }
      await until('all are logged', async () => linesOf(server).length >= paths.length * 2);
      expect(linesOf(server)).toContainEqual(
        expect.objectContaining({
          ...{ msg: 'request', method: 'GET', path: '/session', status: 403 },
          requestId: expect.stringMatching(/^[\da-f-]{36}$/),
          reason: expect.stringContaining('evil.example is not allowed here; --allowed-hosts'),
        }),
      );
    },
  );

  it('starts and ends no session for a page of another name', async () => {
    const url = await start().url();
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });
    const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 0';
    const rebound =
      'Host: evil.example\r\nOrigin: http://evil.example\r\nSec-Fetch-Site: same-origin';
    for (const path of ['/login', '/logout-everywhere']) {
      const head = `POST ${path} HTTP/1.1\r\n${rebound}\r\nCookie: ${browser.cookie}\r\n${form}`;
      const answer = await say(url, `${head}\r\nConnection: close\r\n\r\n`);
      expect(answer).toMatch(/^HTTP\/1\.1 403 /);
      expect(answer).not.toMatch(/set-cookie/i);
    }
    expect(await (await browser.request('/session')).json()).toMatchObject({ authenticated: true });
  });

  it('may be any that --allowed-hosts names', async () => {
    const url = await start(['--trust-proxy'], {
      ALLOWED_HOSTS: 'Shop.example., *.preview.example',
    }).url();
    for (const host of ['shop.example', 'SHOP.example:443', 'a.preview.example', 'localhost']) {
      expect(await get(url, '/session', `Host: ${host}`)).toMatch(/^HTTP\/1\.1 200 /);
    }
    for (const host of ['preview.example', 'a.shop.example', 'evil.example']) {
      expect(await get(url, '/session', `Host: ${host}`)).toMatch(/^HTTP\/1\.1 403 /);
    }
  });

  it('may be any where the server listens for everybody', async () => {
    const url = await start(['--host', '0.0.0.0']).url();
    expect(await get(url, '/session', 'Host: shop.example')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('may be left out by a plain health check, and stands there once', async () => {
    const url = await start().url();
    expect(await say(url, 'GET /healthz HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 200 /);
    expect(await say(url, 'GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 /,
    );
    for (const second of ['localhost', 'evil.example']) {
      for (const hosts of [
        `Host: localhost\r\nHost: ${second}`,
        `Host: ${second}\r\nhost: localhost`,
      ]) {
        expect(await get(url, '/session', hosts)).toMatch(/^HTTP\/1\.1 400 /);
      }
    }
  });
});

it.each([
  '/%68ealthz',
  '/x/../healthz',
  '/%2e/healthz',
  '/./healthz',
  '//healthz',
  '/healthz/',
  '/HEALTHZ',
  '/healthz%3f',
  '/healthz#',
  '/healthz;x',
  '/\\healthz',
  'http://localhost/x/../healthz',
])('what a proxy refuses as /healthz is not to be had as %s', async (path) => {
  const url = await start().url();
  expect(await get(url, path)).toMatch(/^HTTP\/1\.1 404 /);
  expect(await get(url, '/healthz?x=%68')).toMatch(/^HTTP\/1\.1 200 /);
});

describe('a client that goes away', () => {
  const form = 'Content-Type: application/x-www-form-urlencoded';
  const half = 'username=a';

  it.each([
    ['half-way through its upload', `Content-Length: 4000\r\n\r\n${half}`, 'Host: localhost'],
    ['before its upload', 'Content-Length: 4000\r\n\r\n', 'Host: localhost'],
    ['in a chunk', `Transfer-Encoding: chunked\r\n\r\nff\r\n${half}`, 'Host: localhost'],
    ['between chunks', `Transfer-Encoding: chunked\r\n\r\na\r\n${half}\r\n`, 'Host: localhost'],
    ['after a broken chunk', `Transfer-Encoding: chunked\r\n\r\nzz\r\n${half}`, 'Host: localhost'],
  ])('%s is no unexpected error', async (_when, body, host) => {
    const server = start();
    const url = await server.url();
    const head = `POST /login HTTP/1.1\r\n${host}\r\n${form}\r\n`;
    for (let i = 0; i < 20; i += 1) {
      const socket = await open(url);
      socket.write(head + body);
      if (i % 2 === 0) await get(url, '/healthz'); // by now the server reads the body
      if (i % 4 < 2) socket.resetAndDestroy();
      else socket.end();
    }
    const requests = () => linesOf(server).filter(({ path }) => path === '/login');
    await until('the server has noticed', async () => requests().length >= 10);
    expect(requests()).toContainEqual(
      expect.objectContaining({ status: 400, reason: 'The body of the request ended early' }),
    );
    expect(linesOf(server).filter(({ level }) => level !== 'info')).toEqual([]);
    expect(server.stderr).not.toContain('stack');
    expect(await get(url, '/healthz')).toMatch(/^HTTP\/1\.1 200 /);
  });

  it('before the answer is none either', async () => {
    const server = start();
    const url = await server.url();
    for (let i = 0; i < 20; i += 1) {
      const socket = await open(url);
      socket.write(
        `POST /login HTTP/1.1\r\nHost: localhost\r\n${form}\r\nContent-Length: 10\r\n\r\n${half}`,
      );
      socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      socket.resetAndDestroy();
    }
    expect(await get(url, '/healthz')).toMatch(/^HTTP\/1\.1 200 /);
    const { stdout, stderr } = await server.stop();
    expect(stderr).not.toContain('stack');
    expect(stderr).not.toMatch(/"level":"(warn|error)"/);
    expect(stdout).not.toMatch(/abort|error/i);
  });
});

describe('every answer', () => {
  const LONG = 'more than 16 KiB';
  const form = 'Host: localhost\r\nContent-Type: application/x-www-form-urlencoded';

  it.each([
    ['GET / HTTP/1.1\r\nHost: localhost', 200],
    ['GET /session HTTP/1.1\r\nHost: localhost', 200],
    ['GET /session HTTP/1.1\r\nHost: localhost\r\nCookie: sid=x', 200],
    ['GET /healthz HTTP/1.0', 200],
    ['GET /readyz HTTP/1.1\r\nHost: localhost', 200],
    ['GET /metrics HTTP/1.1\r\nHost: localhost', 404],
    ['GET /no HTTP/1.1\r\nHost: localhost', 404],
    ['GET /%6e HTTP/1.1\r\nHost: localhost', 404],
    ['PUT / HTTP/1.1\r\nHost: localhost', 405],
    ['TRACE / HTTP/1.1\r\nHost: localhost', 405],
    ['OPTIONS * HTTP/1.1\r\nHost: localhost', 400],
    ['GET / HTTP/1.1\r\nHost: evil.example', 403],
    [`POST /login HTTP/1.1\r\n${form}\r\nOrigin: null`, 403],
    [`POST /ttl HTTP/1.1\r\n${form}`, 400],
    [`POST /increment HTTP/1.1\r\n${form}`, 401],
    [`POST /login HTTP/1.1\r\n${form}\r\nContent-Length: 99999`, 413],
    ['POST /login HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain', 415],
    ['GET / HTTP/1.1\r\nHost: localhost\r\nExpect: the-impossible', 417],
    ['GET / HTTP/1.1', 400],
    ['GET / HTTP/1.1\r\nHost: a b', 400],
    ['GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost', 400],
    ['GET / HTTP/1.1\r\nHost: localhost\r\n bad', 400],
    ['GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1', 400],
    ['GET / HTTP/9.9\r\nHost: localhost', 400],
    ['nonsense', 400],
    ['\u0016\u0003\u0001', 400],
    [`GET / HTTP/1.1\r\nHost: localhost\r\nX: ${LONG}`, 431],
  ])('to %j is %d and carries the security headers', async (head, status) => {
    const url = await start(['--secure-cookie']).url();
    const answer = await say(
      url,
      `${head.replace(LONG, 'x'.repeat(20_000))}\r\nConnection: close\r\n\r\n`,
    );
    const [, code, headers = '', body = ''] =
      /^HTTP\/1\.1 (\d+) .*?\r\n(.*?)\r\n\r\n(.*)$/s.exec(answer) ?? [];
    expect(code).toBe(String(status));
    const fields = Object.fromEntries(
      headers.split('\r\n').map((line) => {
        const [name = '', ...value] = line.split(': ');
        return [name.toLowerCase(), value.join(': ')];
      }),
    );
    expect(fields).toMatchObject({
      'content-security-policy':
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
      'strict-transport-security': 'max-age=31536000',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'same-origin',
      'x-frame-options': 'DENY',
      'cross-origin-opener-policy': 'same-origin',
      'cross-origin-resource-policy': 'same-origin',
      'cache-control': 'no-store',
    });
    for (const name of Object.keys(fields)) expect(name).not.toMatch(/^access-control-/);
    if (status >= 400 && !head.startsWith('TRACE')) {
      expect(JSON.parse(body)).toEqual({ error: expect.stringMatching(/\w{3}/) });
    }
  });
});

it('2,000 connections that ask for nothing keep no visitor out, nor one whose request is under way', async () => {
  const url = await start().url();
  const form = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 1\r\n\r\n';
  const underWay = await open(url);
  let answer = '';
  underWay.on('data', (chunk) => {
    answer += chunk;
  });
  underWay.write(`POST /login HTTP/1.1\r\nHost: localhost\r\n${form}`);
  await get(url, '/healthz'); // by now the server has read the head
  for (let i = 0; i < 20; i += 1) {
    const idle = await Promise.all(Array.from({ length: 100 }, () => open(url)));
    if (i % 2 === 0) for (const socket of idle) socket.write('GET / HTTP/1.1\r\nHost: local');
  }
  expect(await get(url, '/session')).toMatch(/^HTTP\/1\.1 200 /);
  underWay.end('a');
  await once(underWay, 'close');
  expect(answer).toMatch(/^HTTP\/1\.1 200 /);
});

it('keeps as many sessions of one name as a page can list, however many log in', async () => {
  const server = start();
  const url = await server.url();
  const logins = async () => {
    for (let i = 0; i < 40; i += 1) await (await new Browser(url).post('/login')).text();
  };
  await Promise.all(Array.from({ length: 10 }, logins));
  const browser = new Browser(url);
  await browser.post('/login');
  const page = await (await browser.request('/')).text();
  expect(page.match(/action="\.\/sessions\/end"/g)).toHaveLength(19);
  expect(page).toContain('and 30 older');
  expect(page.length).toBeLessThan(40_000);
  expect(await (await browser.post('/logout-everywhere')).json()).toMatchObject({ ended: 50 });
  expect(linesOf(server).filter(({ level }) => level === 'error')).toEqual([]);
});

describe('what the log says of a refusal', () => {
  it('is why', async () => {
    const server = start();
    const browser = new Browser(await server.url());
    const refused = await browser.request('/login', {
      method: 'POST',
      headers: { Origin: 'https://evil.example' },
    });
    const { error } = (await refused.json()) as { error: string };
    expect(refused.status).toBe(403);
    await browser.request('/login', { method: 'POST', body: '{}' });
    await browser.request('/session');
    await until('all are logged', async () => linesOf(server).length === 3);
    expect(linesOf(server)).toMatchObject([
      { status: 403, reason: error },
      { status: 415, reason: 'Send application/x-www-form-urlencoded' },
      { status: 200 },
    ]);
    expect(linesOf(server)[2]).not.toHaveProperty('reason');
  });
});

describe('behind a proxy', () => {
  const login = (origin: string, ...more: string[]) =>
    [
      'POST /login HTTP/1.1',
      'Host: localhost',
      `Origin: ${origin}`,
      'Content-Type: application/x-www-form-urlencoded',
      'Content-Length: 0',
      ...more,
      'Connection: close\r\n\r\n',
    ].join('\r\n');

  it('--trust-proxy takes the public host from X-Forwarded-Host', async () => {
    const request = login(
      'https://shop.example',
      'X-Forwarded-Host: shop.example',
      'X-Forwarded-Proto: https',
    );
    expect(await say(await start(['--trust-proxy']).url(), request)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await say(await start([], { TRUST_PROXY: 'true' }).url(), request)).toMatch(
      /^HTTP\/1\.1 200 /,
    );
    expect(await say(await start().url(), request)).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('--trusted-origins lets pages of other sites in, however the origin is written', async () => {
    const url = await start([], {
      TRUSTED_ORIGINS: 'https://Shop.example:443/, http://b.example:81',
    }).url();
    for (const origin of ['https://shop.example', 'http://b.example:81']) {
      expect(await say(url, login(origin))).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(await say(url, login('http://shop.example'))).toMatch(/^HTTP\/1\.1 403 /);
  });

  it('a Secure cookie that browsers will drop is warned of in the log, in words of this program', async () => {
    const server = start(['--secure-cookie']);
    const url = await server.url();
    await new Browser(url).post('/login');
    await until('it warns', async () => server.stderr.includes('"level":"warn"'));
    expect(linesOf(server).filter(({ level }) => level === 'warn')).toMatchObject([
      { msg: expect.stringMatching(/Secure cookie.* --secure-cookie .*--trust-proxy /) },
    ]);
    expect(server.stderr).not.toContain('trustProxy');
    const told = start(['--secure-cookie', '--trust-proxy']);
    await say(await told.url(), login('https://localhost', 'X-Forwarded-Proto: https'));
    expect((await told.stop()).stderr).not.toContain('"level":"warn"');
  });
});
