import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { Browser } from './support/http-server.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { parsePrometheusText, scrape, sumOf } from './support/prometheus-text.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { SojournProcess } from './support/sojourn-process.ts';
import { until } from './support/until.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const running: SojournProcess[] = [];

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const server = new SojournProcess(['--port', '0', '--admin-port', '0', ...args], env);
  running.push(server);
  return server;
}

let redis: RedisServer | undefined;
afterEach(async () => {
  for (const server of running.splice(0)) await server.stop();
  await redis?.stop();
  redis = undefined;
});

/** The log since the start, line by line. Every line is an object. */
function linesOf(server: SojournProcess) {
  return server.stderr
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
    .filter(({ msg }) => msg !== 'started');
}

/** What must never be seen of a session: its secret, the secret's hash, what it holds. */
async function hiddenWords(key: string, token: string): Promise<string[]> {
  const admin = new Redis(redis?.url ?? '');
  const { session_secret: hash = '' } = await admin.hgetall(key);
  admin.disconnect();
  expect(hash).toHaveLength(43);
  return [token, token.split('.')[1] ?? '', hash];
}

describe('GET /metrics', () => {
  it('answers in the text format, with no session and no cookie, and never changes anything', async () => {
    const server = start(['--store', 'memory']);
    const browser = new Browser(await server.url());
    const url = await server.adminUrl();
    await browser.post('/login', { username: 'ada' });
    await browser.post('/increment');
    expect((await browser.request('/metrics')).status).toBe(404); // the port that everybody reaches
    const operations = 'sojourn_store_operation_duration_seconds_count';
    const before = (await scrape(url))(operations);
    const response = await fetch(`${url}/metrics`, { headers: { Cookie: browser.cookie ?? '' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.getSetCookie()).toEqual([]);
    const samples = parsePrometheusText(await response.text());
    expect(sumOf(samples, 'sojourn_sessions_created_total')).toBe(1);
    expect(sumOf(samples, 'sojourn_sessions_active')).toBe(1);
    expect(sumOf(samples, operations, { operation: 'increment', outcome: 'ok' })).toBe(1);
    expect(sumOf(samples, operations)).toBe(before);
    expect(sumOf(samples, 'process_resident_memory_bytes')).toBeGreaterThan(0);
    expect(sumOf(samples, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    for (const method of ['POST', 'DELETE']) {
      const refused = await fetch(`${url}/metrics`, { method });
      expect([refused.status, refused.headers.get('Allow')]).toEqual([405, 'GET, HEAD']);
    }
    expect((await fetch(`${url}/metrics`, { method: 'HEAD' })).status).toBe(200);
  });
});

describe('a request id', () => {
  const idOf = async (url: string, id?: string) =>
    (
      await fetch(`${url}/session`, id === undefined ? {} : { headers: { 'X-Request-Id': id } })
    ).headers.get('X-Request-Id');

  it('is the one that came along if it is short and harmless, and is in every line of the request', async () => {
    const server = start(['--store', 'memory', '--log-level', 'info']);
    const url = await server.url();
    const [minted] = await Promise.all([idOf(url), idOf(url, 'from-the-proxy_1')]);
    expect(minted).toMatch(/^[0-9a-f-]{36}$/);
    const login = await fetch(`${url}/login`, {
      method: 'POST',
      headers: { 'X-Request-Id': 'login-7' },
      body: new URLSearchParams({ username: 'ada' }),
    });
    const { session_id: sessionId } = (await login.json()) as { session_id: string };
    const wanted = [
      { msg: 'request', requestId: minted, path: '/session', status: 200 },
      { msg: 'request', requestId: 'from-the-proxy_1' },
      { msg: 'session', requestId: 'login-7', event: 'created', sessionId, user: 'ada' },
      { msg: 'request', requestId: 'login-7', path: '/login', status: 200, sessionId },
    ];
    await until('the requests are logged', async () => linesOf(server).length === wanted.length);
    expect(linesOf(server)).toEqual(
      expect.arrayContaining(wanted.map((line) => expect.objectContaining(line))),
    );
  });

  it.each(['', 'a b', 'x'.repeat(43), 'ä', '"},{"a":"', '%0a', '\u001b[31m', '\u0000'])(
    'is replaced where %j came along',
    async (id) => {
      const url = new URL(await start(['--store', 'memory', '--log-level', 'info']).url());
      const socket = connect(Number(url.port), '127.0.0.1');
      let answer = '';
      socket.on('data', (chunk) => {
        answer += chunk;
      });
      socket.end(
        `GET /session HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: ${id}\r\nConnection: close\r\n\r\n`,
      );
      await once(socket, 'close');
      // Node refuses some of these bytes by itself.
      if (!answer.startsWith('HTTP/1.1 400'))
        expect(answer).toMatch(/x-request-id: [0-9a-f-]{36}\r/i);
      await running[0]?.stop();
      for (const line of linesOf(running[0] as SojournProcess)) {
        expect(line.requestId).toMatch(/^[0-9a-f-]{36}$/);
      }
    },
  );
});

describe('the log of the server', () => {
  it('is quiet in a terminal and tells of every request in production', async () => {
    const quiet = start(['--store', 'memory']);
    const browser = new Browser(await quiet.url());
    await browser.post('/login', { username: 'ada' });
    await browser.post('/logout');
    await browser.request('/no-such-page');
    expect((await quiet.stop()).stderr).toBe('');
    const loud = start(['--store', 'memory'], { NODE_ENV: 'production' });
    await fetch(`${await loud.url()}/no-such-page?token=hidden`);
    const { stderr } = await loud.stop();
    expect(linesOf(loud)).toMatchObject([{ path: '/no-such-page', status: 404 }]);
    expect(stderr).not.toContain('hidden');
  });

  it.each([
    [['--log-level', 'loud'], {}, '--log-level'],
    [[], { LOG_LEVEL: 'INFO ' }, 'LOG_LEVEL'],
  ])('refuses the level of %j %j with exit 2 and one line', async (args, env, source) => {
    const { code, stdout, stderr } = await new SojournProcess(args, env).exited;
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(
      new RegExp(`^sojourn: ${source} must be debug, info, warn or error, not "[^\\n]*"\\n$`),
    );
  });
});

describe('an error that nobody caught', () => {
  it('ends the server, and its stack is logged without what hangs on it', async () => {
    const code = `process.once('SIGUSR2', async () => {
      throw Object.assign(new Error('boom'), { command: { args: ['held-by', 'a-session'].join('-') } });
    })`;
    const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
    const server = start(['--store', 'memory'], env);
    await server.url();
    server.signal('SIGUSR2');
    const { code: exit, stderr } = await server.exited;
    expect(exit).toBe(1);
    expect(stderr).not.toContain('held-by-a-session');
    expect(linesOf(server)).toMatchObject([
      {
        level: 'error',
        msg: 'unexpected error',
        err: { message: 'boom', stack: expect.stringContaining('at ') },
      },
    ]);
  });
});

describeWithServers('a server whose Redis fails', () => {
  it('counts failures by kind and logs them, and shows nobody a token, a hash or data', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const server = start(['--redis-url', redis.url, '--log-level', 'debug']);
    const url = await server.url();
    const browser = new Browser(url);
    const login = await browser.post('/login', { username: 'data-of-ada' });
    const { key, session_id: id } = (await login.json()) as { key: string; session_id: string };
    const { token } = browser;
    const hidden = await hiddenWords(key, token);
    await browser.request(`/lost/${token}?sid=${token}`);
    await fetch(`${url}/session`, { headers: { 'X-Request-Id': hidden[1] ?? '' } });
    const admin = await server.adminUrl();
    const before = await scrape(admin);
    expect(before('sojourn_store_errors_total')).toBe(0);

    await redis.kill();
    await until(
      'the server has noticed',
      async () => (await browser.request('/session')).status === 503,
    );
    for (const path of ['/increment', '/ttl', '/rotate', '/logout', '/login']) {
      expect((await browser.post(path, { ttl: '60', username: 'data-of-ada' })).status).toBe(503);
    }
    const value = await scrape(admin);
    expect(value('sojourn_store_errors_total', { kind: 'connection' })).toBeGreaterThan(4);
    const failed = { operation: 'access', outcome: 'failed' };
    expect(value('sojourn_store_operation_duration_seconds_count', failed)).toBeGreaterThan(4);
    // What was counted before is still shown.
    expect(value('sojourn_sessions_active')).toBe(before('sojourn_sessions_active'));

    const logged = (line: object) =>
      expect(linesOf(server)).toContainEqual(expect.objectContaining(line));
    await until('it is logged', async () => server.stderr.includes('"path":"/login","status":503'));
    await until('so is the connection', async () => server.stderr.includes('ECONNREFUSED'));
    logged({ level: 'debug', msg: 'store connection failed' });
    logged({ level: 'debug', operation: 'access', failure: 'connection', sessionId: id });
    const reason = expect.stringMatching(/^store \(connection\): /);
    for (const path of ['/increment', '/login'])
      logged({ level: 'info', path, status: 503, reason });
    const text = (await (await fetch(`${admin}/metrics`)).text()) + server.stdout + server.stderr;
    for (const word of hidden) expect(text).not.toContain(word);
    const started = server.stderr.split('\n').filter((line) => line.includes('"created"'));
    expect(server.stderr.split('data-of-ada')).toHaveLength(1 + started.length); // the user's name, once, at login
  });

  it('answers /metrics at once while Redis is silent', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const url = await start(['--redis-url', redis.url]).adminUrl();
    redis.pause();
    const beganAt = performance.now();
    const response = await fetch(`${url}/metrics`);
    expect(response.status).toBe(200);
    expect(performance.now() - beganAt).toBeLessThan(5000); // a command times out after 10 s
    expect(
      sumOf(parsePrometheusText(await response.text()), 'sojourn_sessions_active'),
    ).toBeUndefined();
  });
});

describeWithServers('an outage of Redis', () => {
  it('is two lines of the log at its usual level, however many requests meet it, and none of them has a stack', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const server = start(['--redis-url', redis.url]);
    const browser = new Browser(await server.url());
    await browser.post('/login');
    await redis.kill();
    for (let i = 0; i < 20; i += 1) await browser.request('/session');
    await until('the connection is lost', async () => server.stderr.includes('store fails'));
    await redis.restart();
    await until('it is over', async () => server.stderr.includes('store answers again'));
    expect(linesOf(server)).toMatchObject([
      { level: 'warn', msg: 'store fails', failure: 'connection' },
      { level: 'warn', msg: 'store answers again', failures: { connection: expect.any(Number) } },
    ]);
    expect(server.stderr).not.toContain('"stack"');
  });

  it('is told, and told to be over, where nobody asks but Prometheus', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const server = start(['--redis-url', redis.url, '--redis-timeout', '300']);
    const admin = await server.adminUrl();
    const up = async () => (await scrape(admin))('sojourn_store_up');
    await until('it is up at first', async () => (await up()) === 1);
    redis.pause();
    await until('it is down', async () => (await up()) === 0);
    redis.resume();
    await until('it is up', async () => (await up()) === 1);
    await until('the log says so', async () => server.stderr.includes('store answers again'));
    expect(linesOf(server).map(({ msg }) => msg)).toEqual(['store fails', 'store answers again']);
    for (const line of linesOf(server)) expect(line).not.toHaveProperty('requestId');
  });
});

describe('the start of a server in its log', () => {
  const startOf = async (args: readonly string[], env: Readonly<Record<string, string>> = {}) => {
    const server = start(['--log-level', 'info', ...args], env);
    await server.url();
    await until('it is logged', async () => server.stderr.includes('"started"'));
    const { stderr } = await server.stop();
    return JSON.parse(stderr.split('\n')[0] ?? '');
  };

  it('says what was decided and why: a flag, a variable or a default', async () => {
    expect(await startOf(['--store', 'memory'])).toMatchObject({
      ...{ level: 'info', msg: 'started', host: '127.0.0.1' },
      store: { value: 'embedded in-memory store', because: '--store' },
      prefix: { value: 'session:demo:', because: 'default' },
      cookie: { value: expect.stringContaining('not Secure'), because: 'default' },
      proxy: { value: 'X-Forwarded-* are ignored', because: 'default' },
      hosts: { value: 'loopback names', because: 'default: listening on 127.0.0.1' },
    });
    const set = await startOf(['--secure-cookie', '--host', '0.0.0.0'], {
      ...{ SESSION_STORE: 'memory', SESSION_PREFIX: 'shop:', TRUST_PROXY: 'true' },
      ...{ ALLOWED_HOSTS: 'shop.example', TRUSTED_ORIGINS: 'https://www.shop.example' },
    });
    expect(set).toMatchObject({
      store: { because: 'SESSION_STORE' },
      prefix: { value: 'shop:', because: 'SESSION_PREFIX' },
      cookie: { value: '__Host-sid, Secure: HTTPS only', because: '--secure-cookie' },
      proxy: { value: 'X-Forwarded-* are trusted', because: 'TRUST_PROXY' },
      hosts: { value: 'loopback names, shop.example', because: 'ALLOWED_HOSTS' },
      origins: { value: 'its own, https://www.shop.example', because: 'TRUSTED_ORIGINS' },
    });
  });

  it('names the Redis, and no password', async () => {
    redis = await startRedisServer({ binary: redisBinary(), args: ['--requirepass', 'sesame'] });
    const url = redis.url.replace('//', '//default:sesame@');
    const line = await startOf([], { REDIS_URL: url });
    expect(line.store).toEqual({
      value: `Redis at 127.0.0.1:${redis.port}`,
      because: 'REDIS_URL',
    });
    expect(JSON.stringify(line)).not.toContain('sesame');
  });
});

it("writes Node's own warnings as lines of the log, and none where Node is to be silent", async () => {
  const code = `process.once('SIGUSR2', () => process.emitWarning('old\\nnews', 'DeprecationWarning'))`;
  const env = { NODE_OPTIONS: `--import data:text/javascript,${encodeURIComponent(code)}` };
  const server = start(['--store', 'memory'], env);
  await server.url();
  server.signal('SIGUSR2');
  await until('it is logged', async () => server.stderr.includes('news'));
  expect(linesOf(server)).toMatchObject([{ level: 'warn', msg: 'DeprecationWarning: old\nnews' }]);
  const silent = start(['--store', 'memory'], { ...env, NODE_NO_WARNINGS: '1' });
  await silent.url();
  silent.signal('SIGUSR2');
  expect((await silent.stop()).stderr).toBe('');
});

describeWithServers('a server that is observed', () => {
  it('shows what the near cache does', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const server = start(['--redis-url', redis.url, '--near-cache']);
    const url = await server.adminUrl();
    await until(
      'it is trusted',
      async () => (await scrape(url))('sojourn_near_cache_trusted') === 1,
    );
    const browser = new Browser(await server.url());
    await browser.post('/login', { username: 'ada' });
    await until('reads are answered from memory', async () => {
      await browser.request('/session');
      return ((await scrape(url))('sojourn_near_cache_hits_total') ?? 0) >= 5;
    });
    const value = await scrape(url);
    expect(value('sojourn_near_cache_misses_total')).toBeGreaterThan(0);
    expect(value('sojourn_near_cache_sessions')).toBe(1);
  });

  it('counts sessions that run out, where Redis announces them', async () => {
    redis = await startRedisServer({
      binary: redisBinary(),
      args: ['--notify-keyspace-events', 'Ex'],
    });
    const server = start(['--redis-url', redis.url, '--log-level', 'debug']);
    const url = await server.url();
    const admin = new Redis(redis.url);
    await until('it listens', async () => {
      const [, listeners] = (await admin.call('PUBSUB', 'NUMSUB', '__keyevent@0__:expired')) as [
        string,
        number,
      ];
      return listeners === 1;
    });
    admin.disconnect();
    await new Browser(url).post('/login', { ttl: '1' });
    await until(
      'it is counted',
      async () => (await scrape(await server.adminUrl()))('sojourn_sessions_expired_total') === 1,
    );
    expect(linesOf(server)).toContainEqual(
      expect.objectContaining({ level: 'debug', event: 'ended', why: 'expired' }),
    );
    expect((await server.stop()).code).toBe(0);
  });

  it('serves all the same where Redis lets nobody listen, and says so', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const admin = new Redis(redis.url);
    await admin.call(
      'ACL',
      'SETUSER',
      'app',
      'on',
      '>pw',
      '~*',
      'resetchannels',
      '+@all',
      '-subscribe',
    );
    admin.disconnect();
    const server = start(['--redis-url', redis.url.replace('//', '//app:pw@')]);
    const browser = new Browser(await server.url());
    await until('it says so', async () => server.stderr.includes('expire'));
    expect(linesOf(server)).toMatchObject([
      { level: 'warn', msg: 'expired sessions cannot be watched', err: { failure: 'denied' } },
    ]);
    expect((await browser.post('/login')).status).toBe(200);
    expect((await server.stop()).code).toBe(0);
  });

  it('gives its spans to an SDK that was loaded before it', async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const folder = await mkdtemp(join(root, '.telemetry-')); // inside, so that the packages are found
    try {
      const [program, spans] = [join(folder, 'telemetry.js'), join(folder, 'spans')];
      await writeFile(program, telemetry);
      await writeFile(spans, '');
      const env = { NODE_OPTIONS: `--import ${pathToFileURL(program)}`, SPANS: spans };
      const server = start(['--redis-url', redis.url], env);
      const browser = new Browser(await server.url());
      await browser.post('/login', { username: 'ada' });
      const { token } = browser;
      await browser.post('/increment');
      const text = await readFile(spans, 'utf8');
      const names = text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
      expect(names).toMatchObject(
        ['users.add', 'create', 'access', 'increment'].map((operation) => ({
          name: `sojourn ${operation}`,
          attributes: {
            'db.system.name': 'redis',
            'server.port': redis?.port,
            'session.id': token.split('.')[0],
          },
        })),
      );
      expect(text).not.toContain(token.split('.')[1]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

describe('a server that stops', () => {
  const setUps = {
    'none of its own': '',
    'its SDK shut down at the signal': `process.once('SIGTERM', () => provider.shutdown());`,
    'its SDK shut down at the end': `process.once('beforeExit', () => provider.shutdown());`,
  };

  it.each(Object.entries(setUps))(
    'exports the spans that wait in a batch, with %s',
    async (_how, atEnd) => {
      const names = await spansOf(atEnd, async (server, url) => {
        await new Browser(url).post('/login');
        expect(await server.stop()).toMatchObject({ code: 0, stderr: '' });
      });
      expect(names).toEqual(['sojourn users.add', 'sojourn create']);
    },
  );

  it('does so also where an error that nobody caught stops it', async () => {
    const crash = `process.once('SIGUSR2', async () => { throw new Error('boom'); });`;
    const names = await spansOf(crash, async (server, url) => {
      await new Browser(url).post('/login');
      server.signal('SIGUSR2');
      expect((await server.exited).code).toBe(1);
    });
    expect(names).toEqual(['sojourn users.add', 'sojourn create']);
  });

  it('stops all the same where the collector does not answer', async () => {
    const deaf = `exporter.export = () => {};`;
    const names = await spansOf(deaf, async (server, url) => {
      await new Browser(url).post('/login');
      expect((await server.stop()).code).toBe(0);
    });
    expect(names).toEqual([]);
  });

  it('has written its last lines to a pipe that is read late', async () => {
    const server = start(['--store', 'memory', '--log-level', 'debug']);
    const url = await server.url();
    server.pauseReading();
    const REQUESTS = 1000; // their lines do not fit into a pipe
    for (let i = 0; i < REQUESTS; i += 1) await fetch(`${url}/no-such-page/${'x/'.repeat(100)}`);
    server.signal('SIGTERM');
    server.resumeReading();
    expect((await server.exited).code).toBe(0);
    expect(linesOf(server)).toHaveLength(REQUESTS);
  });

  it('stops all the same where nobody reads its log', async () => {
    const server = start(['--store', 'memory', '--log-level', 'debug']);
    const url = await server.url();
    server.pauseReading();
    const REQUESTS = 2000; // more lines than fit into the pipe, and than wait in this process
    for (let i = 0; i < REQUESTS; i += 1) await fetch(`${url}/no-such-page/${'x/'.repeat(100)}`);
    server.signal('SIGTERM');
    expect(await server.ended).toBe(0);
    server.resumeReading();
    const { code, stderr } = await server.exited;
    expect(code).toBe(0);
    expect(stderr.split('\n').length).toBeLessThan(REQUESTS); // so it was stuck
  });

  async function spansOf(
    atEnd: string,
    use: (server: SojournProcess, url: string) => Promise<void>,
  ): Promise<string[]> {
    const folder = await mkdtemp(join(root, '.telemetry-'));
    try {
      const [program, spans] = [join(folder, 'telemetry.js'), join(folder, 'spans')];
      await writeFile(program, batching + atEnd);
      await writeFile(spans, '');
      const env = { NODE_OPTIONS: `--import ${pathToFileURL(program)}`, SPANS: spans };
      const server = start(['--store', 'memory'], env);
      await use(server, await server.url());
      return (await readFile(spans, 'utf8')).split('\n').slice(0, -1);
    } finally {
      await rm(folder, { recursive: true });
    }
  }
});

/** As SDKs do it: spans are collected, and a collector somewhere takes its time. */
const batching = `
import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, BatchSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = {
  export(spans, done) {
    setTimeout(() => {
      for (const { name } of spans) appendFileSync(process.env.SPANS, name + '\\n');
      done({ code: 0 });
    }, 300);
  },
  shutdown: async () => {},
};
const processor = new BatchSpanProcessor(exporter, { scheduledDelayMillis: 3_600_000, exportTimeoutMillis: 60_000 });
const provider = new BasicTracerProvider({ spanProcessors: [processor] });
trace.setGlobalTracerProvider(provider);
`;

const telemetry = `
import { appendFileSync } from 'node:fs';
import { trace } from '@opentelemetry/api';
import { BasicTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const exporter = {
  export(spans, done) {
    for (const { name, attributes } of spans) {
      appendFileSync(process.env.SPANS, JSON.stringify({ name, attributes }) + '\\n');
    }
    done({ code: 0 });
  },
  shutdown: async () => {},
};
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }));
`;
