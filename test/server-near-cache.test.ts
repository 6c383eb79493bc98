import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { Browser } from './support/http-server.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { scrape } from './support/prometheus-text.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { SojournProcess } from './support/sojourn-process.ts';
import { until } from './support/until.ts';

/** A read that slides nothing: what is kept stays as it is until Redis tells of a change. */
const PEEK = '/session?refresh=false';

/** What docs/near-cache.md promises where the word of a change is late or lost. */
const BOUND = { timeoutMs: 2000 };

describeWithServers('the server with --near-cache', () => {
  let redis: RedisServer;
  let running: SojournProcess[];

  beforeEach(async () => {
    running = [];
    redis = await startRedisServer({
      binary: redisBinary(),
      args: ['--appendonly', 'yes', '--appendfsync', 'always'], // sessions survive its kill
    });
  });
  afterEach(async () => {
    for (const server of running) await server.stop();
    await redis.stop();
  });

  async function start(...args: readonly string[]) {
    const server = new SojournProcess([
      ...['--port', '0', '--admin-port', '0'],
      ...['--redis-url', redis.url, ...args],
    ]);
    running.push(server);
    const url = await server.url();
    return { server, url };
  }

  /** Resolves when reads of this browser are answered from memory. */
  async function servedFromMemory(server: SojournProcess, browser: Browser): Promise<void> {
    const hits = async () =>
      (await scrape(await server.adminUrl()))('sojourn_near_cache_hits_total') ?? 0;
    const before = await hits();
    await until('reads are answered from memory', async () => {
      expect(await authenticated(browser, PEEK)).toBe(true);
      return (await hits()) > before;
    });
  }

  /** The same cookie, sent to another server. */
  function elsewhere(browser: Browser, url: string): Browser {
    const other = new Browser(url);
    other.cookie = browser.cookie;
    return other;
  }

  it.each([
    ['without a near cache', []],
    ['with one', ['--near-cache']],
  ])('sees what a server %s changes, and its logout', async (_which, args) => {
    const [near, other] = await Promise.all([start('--near-cache'), start(...args)]);
    const here = new Browser(near.url);
    await here.post('/login', { username: 'ada' });
    const { cookie } = here;
    const there = elsewhere(here, other.url);
    await servedFromMemory(near.server, here);

    for (const views of ['2', '3', '4', '5']) {
      await there.post('/increment');
      await until('the change elsewhere is seen here', sees(here, { page_views: views }), BOUND);
      await servedFromMemory(near.server, here);
    }
    await here.post('/increment');
    await until('and the one here there', sees(there, { page_views: '6' }), BOUND);
    await servedFromMemory(near.server, here);

    await there.post('/logout');
    await until('the logout is seen here', async () => !(await authenticated(here, PEEK)), BOUND);
    expect(here.cookie).toBe(cookie); // a login may be about to set another
  });

  it('answers 503 while Redis is away, logs nobody out, and serves from memory again after', async () => {
    const { url, server } = await start('--near-cache');
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });
    await servedFromMemory(server, browser);

    await redis.kill();
    const { cookie } = browser;
    await until(
      'what is kept is not trusted any more',
      async () => {
        const { status, headers } = await browser.request(PEEK);
        return status === 503 && headers.has('Retry-After');
      },
      BOUND,
    );
    expect(browser.cookie).toBe(cookie);

    await redis.restart();
    await until('it works again', async () => (await browser.post('/increment')).status === 200);
    await until('the change is kept', sees(browser, { username: 'ada', page_views: '2' }));
    await servedFromMemory(server, browser);
    expect(await server.stop()).toMatchObject({ code: 0 });
  });

  it('does at its end what uses asked for and was put off, and exits 0', async () => {
    const { url, server } = await start('--near-cache');
    const browser = new Browser(url);
    const login = await browser.post('/login', { username: 'ada', ttl: '60' });
    const { session_id: id } = (await login.json()) as { session_id: string };
    await servedFromMemory(server, browser);
    const client = new Redis(redis.url);
    try {
      const endsAt = async () => Date.now() + (await client.pttl(`session:demo:${id}`));
      let askedFor = 0;
      await until('a use is ahead of what Redis knows', async () => {
        askedFor = Date.now() + 60_000;
        expect(await authenticated(browser, '/session')).toBe(true);
        return (await endsAt()) < askedFor - 200;
      });
      expect(await server.stop()).toMatchObject({ code: 0 });
      expect(await endsAt()).toBeGreaterThan(askedFor - 20); // both clocks count whole milliseconds
    } finally {
      client.disconnect();
    }
  });
});

async function authenticated(browser: Browser, path: string): Promise<boolean> {
  const response = await browser.request(path);
  return ((await response.json()) as { authenticated: boolean }).authenticated;
}

/** Whether the browser's session has these fields now. */
function sees(browser: Browser, fields: Readonly<Record<string, string>>) {
  return async () => {
    const { session } = (await (await browser.request(PEEK)).json()) as { session: object };
    expect(session).toMatchObject(fields);
    return true;
  };
}
