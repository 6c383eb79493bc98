import { afterEach, expect, it } from 'vitest';
import { connectRedis } from '../src/adapters/redis/connect-redis.ts';
import { askRedis } from './support/ask-redis.ts';
import { Browser } from './support/http-server.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { scrape } from './support/prometheus-text.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { SojournProcess } from './support/sojourn-process.ts';
import { until } from './support/until.ts';

const started: (SojournProcess | RedisServer)[] = [];

afterEach(async () => {
  for (const server of started.splice(0).reverse()) await server.stop();
});

async function startRedis(...args: readonly string[]): Promise<RedisServer> {
  const server = await startRedisServer({ binary: redisBinary(), args });
  started.push(server);
  return server;
}

async function serve({ url }: RedisServer, ...args: readonly string[]) {
  const where = ['--port', '0', '--admin-port', '0', '--redis-url', url];
  const server = new SojournProcess([...where, ...args]);
  started.push(server);
  const admin = await server.adminUrl();
  return {
    server,
    browser: new Browser(await server.url()),
    up: async () => (await scrape(admin))('sojourn_store_up'),
    readiness: async () => {
      const response = await fetch(`${admin}/readyz`);
      const { reason = '' } = (await response.json()) as { readonly reason?: string };
      return { status: response.status, reason };
    },
    messages: () =>
      server.stderr
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line).msg),
  };
}

/** Ways in which a Redis that runs scripts refuses writes, and how each begins and ends. */
const refusals = [
  ['a replica', /^READONLY/, 'replicaof 127.0.0.1 1', 'replicaof no one'],
  [
    'a primary with too few replicas',
    /^NOREPLICAS/,
    'config set min-replicas-to-write 1',
    'config set min-replicas-to-write 0',
  ],
] as const;

describeWithServers('a Redis that refuses writes and runs scripts', () => {
  it.each(refusals)('is down until it takes them: %s', async (_, reason, begin, end) => {
    const redis = await startRedis();
    const { server, browser, up, readiness, messages } = await serve(redis);
    await browser.post('/login');
    expect([await up(), (await readiness()).status]).toEqual([1, 200]);
    await askRedis(redis, begin);
    expect((await new Browser(browser.url).post('/login')).status).toBe(503);
    // The client reconnects when a replica refuses a write, and a question meanwhile fails for that reason.
    let isNamed = false;
    const beganAt = performance.now();
    while (performance.now() - beganAt < 4000 || !isNamed) {
      await browser.request('/session?refresh=false'); // a read, which may be answered
      expect(await up()).toBe(0);
      const ready = await readiness();
      expect(ready.status).toBe(503);
      isNamed ||= reason.test(ready.reason);
    }
    expect(messages()).toEqual(['store fails']);
    await askRedis(redis, end);
    await until('the log says so', async () => server.stderr.includes('store answers again'));
    expect((await readiness()).status).toBe(200);
    await expect.poll(up).toBe(1); // a scrape does not wait long for an answer; the next one has it
    expect((await new Browser(browser.url).post('/login')).status).toBe(200);
  });

  it.each(refusals)('is named in the log at the start: %s', async (_, reason, begin) => {
    const redis = await startRedis();
    await askRedis(redis, begin);
    const { server } = await serve(redis);
    await until('it is logged', async () => server.stderr.includes('\n'));
    const [line = ''] = server.stderr.split('\n');
    expect(JSON.parse(line)).toMatchObject({
      ...{ level: 'warn', msg: 'store fails', failure: 'unready' },
      reason: expect.stringMatching(reason),
    });
  });

  it('is not one whose memory is full, which still knows who is logged in', async () => {
    const redis = await startRedis();
    const { browser, up, readiness } = await serve(redis);
    await askRedis(redis, 'config set maxmemory 1');
    expect((await browser.post('/login')).status).toBe(503);
    expect([await up(), (await readiness()).status]).toEqual([1, 200]);
  });
});

describeWithServers('the question whether Redis takes writes', () => {
  it('writes nothing, and is permitted for one prefix by the rights that sessions need', async () => {
    const redis = await startRedis();
    const rights = 'on nopass resetkeys ~shop:* -@all +eval +hdel +info +ping +quit';
    await askRedis(redis, `acl setuser shop ${rights}`);
    const url = redis.url.replace('//', '//shop:x@');
    const { ping, close } = await connectRedis({ kind: 'url', url });
    const offset = async () =>
      /^master_repl_offset:.*$/m.exec(String(await askRedis(redis, 'info replication')))?.[0];
    const before = await offset();
    for (let i = 0; i < 20; i += 1) await ping({ prefix: 'shop:' });
    expect(await askRedis(redis, 'dbsize')).toBe(0);
    expect(await offset()).toBe(before);
    await expect(ping({ prefix: 'other:' })).rejects.toMatchObject({ failure: 'denied' });
    await close();
  });
});
