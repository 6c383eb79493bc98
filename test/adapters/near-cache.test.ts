import { AsyncLocalStorage } from 'node:async_hooks';
import { Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/adapters/redis/connect-redis.ts';
import { type NearCache, openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type Session, SessionService } from '../../src/index.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { killReaders } from '../support/near-cache-connections.ts';
import { patient } from '../support/patience.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { delayingReplies, startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const BOUND_MS = 2000;

const addressOf = ({ host, port }: RedisServer) => ({ host, port });

describeWithServers('the near cache', () => {
  let server: RedisServer;
  let proxy: TcpProxy;
  let connection: RedisConnection;
  let admin: Redis;
  let nearCache: NearCache;
  let here: SessionService;
  let elsewhere: SessionService;

  beforeAll(async () => {
    server = await startRedisServer({ binary: redisBinary() });
    admin = new Redis(server.port, server.host);
    elsewhere = new SessionService({ repository: new RedisSessionRepository({ client: admin }) });
  });
  afterAll(async () => {
    admin?.disconnect();
    await server?.stop();
  });
  beforeEach(async () => {
    proxy = await startTcpProxy(server);
    connection = await connectRedis({ kind: 'server', host: proxy.host, port: proxy.port });
    await open();
  });
  afterEach(async () => {
    proxy.calm();
    await nearCache.close();
    await connection.close();
    await proxy.stop();
  });

  async function open(limits: { maxSessions?: number; maxBytes?: number } = {}): Promise<void> {
    await nearCache?.close();
    nearCache = openNearCache({ client: connection.client, ...limits });
    here = new SessionService({ repository: nearCache.repository });
    await trusted();
  }
  const trusted = () => until('it is trusted', async () => nearCache.stats().trusted);
  const look = (token: string) => here.get(token, { refresh: false });

  /** Starts a session that is kept here. */
  async function kept(ttl = 60): Promise<string> {
    const { token } = await elsewhere.create({ n: '0' }, { ttl });
    await until('it is kept', async () => {
      await look(token);
      return nearCache.stats().sessions > 0;
    });
    return token;
  }
  async function scriptCalls(): Promise<number> {
    const stats = await admin.info('commandstats');
    const calls = [...stats.matchAll(/cmdstat_eval(?:sha)?:calls=(\d+)/g)];
    return calls.reduce((sum, [, count]) => sum + Number(count), 0);
  }
  /** What was sent has reached the server's socket by then; if not, the order is another and nothing is lost but the point. */
  const passedOn = () => new Promise((resolve) => setTimeout(resolve, 30));

  async function slides(): Promise<number> {
    const stats = await admin.info('commandstats');
    return Number(/cmdstat_pexpire:calls=(\d+)/.exec(stats)?.[1] ?? 0);
  }
  const idOf = async (token: string) => (await elsewhere.get(token, { refresh: false }))?.id;

  it('answers what it keeps with no round trip', async () => {
    const token = await kept();
    const before = await scriptCalls();
    for (let i = 0; i < 100; i += 1) expect((await look(token))?.fields).toEqual({ n: '0' });
    expect(await scriptCalls()).toBe(before);
  });

  it('shows a change and an end elsewhere', async () => {
    const delays: number[] = [];
    const token = await kept();
    for (let n = 1; n <= 200; n += 1) {
      await look(token);
      await elsewhere.update(token, { set: { n: String(n) } });
      const changedAt = performance.now();
      while ((await look(token))?.fields.n !== String(n)) {
        expect(performance.now() - changedAt).toBeLessThan(BOUND_MS);
        await new Promise(setImmediate);
      }
      delays.push(performance.now() - changedAt);
    }
    delays.sort((a, b) => a - b);
    console.log(
      `a change elsewhere is seen after ms: p50 ${delays[100]?.toFixed(2)}, p99 ${delays[197]?.toFixed(2)}`,
    );
    await elsewhere.delete(token);
    await until('the end is seen', async () => (await look(token)) === undefined, {
      timeoutMs: BOUND_MS,
    });
  });

  it('shows its own changes at once', async () => {
    const token = await kept();
    for (let n = 1; n <= 50; n += 1) {
      const reads = [look(token), look(token)];
      await here.update(token, { set: { n: String(n) } });
      expect((await look(token))?.fields.n).toBe(String(n));
      await Promise.all(reads);
      expect((await look(token))?.fields.n).toBe(String(n));
    }
    await here.delete(token);
    expect(await look(token)).toBeUndefined();
  });

  it('keeps no session of a secret that was replaced', async () => {
    const token = await kept();
    const next = (await elsewhere.rotate(token, { grace: 1 })) as string;
    await until('the next one opens it', async () => (await look(next)) !== undefined);
    await until('the grace is over', async () => (await look(token)) === undefined);
    expect(await look(next)).toBeDefined();
  });

  it('honours the time that is left by itself', async () => {
    const token = await kept(1);
    const before = await scriptCalls();
    const expiresAt = performance.now() + ((await look(token))?.remainingMs ?? 0);
    let last = Infinity;
    while (performance.now() < expiresAt - 20) {
      const session = await look(token);
      if (session === undefined) break; // it ends a moment early, never late
      expect(session.remainingMs).toBeLessThanOrEqual(last);
      last = session.remainingMs;
      await new Promise(setImmediate);
    }
    expect((await scriptCalls()) - before).toBeLessThanOrEqual(1);
    await until('Redis has ended it', async () => (await look(token)) === undefined);
  });

  it('keeps a session alive that is used steadily, and slides it soon after the last use', async () => {
    const token = await kept(1);
    const id = await idOf(token);
    const began = performance.now();
    while (performance.now() - began < 3000) {
      expect(await here.get(token)).toBeDefined();
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const usedAt = performance.now();
    await here.get(token);
    await until('it has run out', async () => (await admin.exists(`session:${id}`)) === 0);
    expect(performance.now() - usedAt).toBeGreaterThan(990);
  });

  it('goes on keeping a session that it slid itself, and hears of changes to it', async () => {
    const token = await kept();
    for (const n of ['1', '2']) {
      await here.get(token);
      const before = await slides();
      await until('its put-off slide is done', async () => (await slides()) > before);
      const calls = await scriptCalls();
      for (let i = 0; i < 100; i += 1) await look(token);
      expect(await scriptCalls()).toBe(calls);
      await elsewhere.update(token, { set: { n } });
      await until('it is seen', async () => (await look(token))?.fields.n === n, {
        timeoutMs: BOUND_MS,
      });
    }
  });

  it('answers a use whose slide waits as the slide will leave the session', async () => {
    const token = await kept();
    const id = await idOf(token);
    await admin.pexpire(`session:${id}`, 30_000);
    await until('the shorter time is seen', async () => {
      return ((await look(token))?.remainingMs ?? 0) <= 30_000;
    });
    const calls = await slides();
    expect((await here.get(token))?.remainingMs).toBe(60_000);
    expect((await look(token))?.remainingMs).toBeGreaterThan(59_000);
    await until('it is so', async () => (await admin.pttl(`session:${id}`)) > 59_000);
    expect(await slides()).toBe(calls + 1);
  });

  it('slides a session once a second for all processes that use it, and lets it live its whole idle timeout', async () => {
    const fleet = await Promise.all(
      Array.from({ length: 6 }, async () => {
        const { client, close } = await connectRedis(
          { kind: 'server', ...addressOf(server) },
          patient,
        );
        const near = openNearCache({ client });
        onTestFinished(async () => {
          await near.close();
          await close();
        });
        return { near, service: new SessionService({ repository: near.repository }) };
      }),
    );
    await until('all are trusted', async () => fleet.every(({ near }) => near.stats().trusted));
    const { token, session } = await elsewhere.create({}, { ttl: 60 });
    const began = performance.now();
    const before = await slides();
    let usedAt = 0;
    const use = async (service: SessionService) => {
      while (performance.now() - began < 4000) {
        usedAt = performance.now();
        expect(await service.get(token)).toBeDefined();
        await wait(20 + Math.random() * 60);
      }
    };
    await Promise.all(fleet.map(({ service }) => use(service)));
    expect((await slides()) - before).toBeGreaterThanOrEqual(2);
    expect((await slides()) - before).toBeLessThanOrEqual(5);
    await wait(1250 + 100); // by then the last use is slid, as docs/near-cache.md promises
    const left = await admin.pttl(`session:${session.id}`);
    expect(left).toBeGreaterThanOrEqual(60_000 - (performance.now() - usedAt));
  });

  it('misses no change elsewhere that Redis tells of together with a slide of its own', async () => {
    for (let round = 0; round < 5; round += 1) {
      const token = await kept(3); // slid at once by each use
      // What waits for Redis meanwhile it does in one turn, and tells of once: here the slide, then the change.
      server.pause();
      const used = here.get(token);
      await passedOn();
      const change = elsewhere.update(token, { set: { n: 'new' } });
      await passedOn();
      server.resume();
      await Promise.all([used, change]);
      await until('it is seen', async () => (await look(token))?.fields.n === 'new', {
        timeoutMs: 1000,
      });
    }
  });

  it('asks Redis once for many who ask at once', async () => {
    const { token } = await elsewhere.create({ n: '0' });
    const before = await scriptCalls();
    const answers = await Promise.all(Array.from({ length: 50 }, () => look(token)));
    expect(answers.every((session) => session?.fields.n === '0')).toBe(true);
    // Once more if Redis' word of the creation came in between.
    expect((await scriptCalls()) - before).toBeGreaterThanOrEqual(1);
    expect((await scriptCalls()) - before).toBeLessThanOrEqual(2);
  });

  it('forgets all when its connection is cut, and trusts the next one', async () => {
    const token = await kept();
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await until('all is forgotten', async () => nearCache.stats().sessions === 0);
    await trusted();
    await kept();
    await elsewhere.update(token, { set: { n: 'new' } });
    await until('it is seen', async () => (await look(token))?.fields.n === 'new');
  });

  it('forgets all when the connection that it reads by is cut, and keeps nothing that Redis does not track', async () => {
    const token = await kept();
    for (const n of ['1', '2', '3', '4', '5']) {
      await killReaders(server);
      await until('all is forgotten', async () => nearCache.stats().sessions === 0);
      while (nearCache.stats().sessions === 0) expect(await look(token)).toBeDefined();
      await elsewhere.update(token, { set: { n } });
      await until('it is seen', async () => (await look(token))?.fields.n === n, {
        timeoutMs: BOUND_MS,
      });
    }
  });

  it('trusts no connections that lead to several servers', async () => {
    const next = await startRedisServer({ binary: redisBinary() });
    // So that the id of the connection for changes is there too, and another one's.
    const others = Array.from({ length: 50 }, () => new Redis(next.port, next.host));
    try {
      const failures: string[] = [];
      await nearCache.close();
      const onError = ({ message }: Error) => failures.push(message);
      nearCache = openNearCache({ client: connection.client, onError });
      await trusted();
      await Promise.all(others.map((other) => other.ping()));
      proxy.lead(next);
      await killReaders(server);
      await until('it says so', async () => failures.some((one) => /different servers/.test(one)));
      expect(nearCache.stats().trusted).toBe(false);
    } finally {
      for (const other of others) other.disconnect();
      await next.stop();
    }
  });

  it('trusts nothing that is older than the bound when its connection is silent', async () => {
    const token = await kept();
    let open = () => {};
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    proxy.disturb(async (piece, { pass }) => {
      await opened;
      pass(piece);
    });
    await elsewhere.update(token, { set: { n: 'new' } });
    const changedAt = performance.now();
    const stale = () =>
      look(token).then(
        (session) => session?.fields.n === '0',
        () => false,
      );
    while (await stale()) {
      expect(performance.now() - changedAt).toBeLessThan(BOUND_MS);
      await new Promise(setImmediate);
    }
    expect(nearCache.stats().trusted).toBe(false);
    proxy.calm();
    open();
    await trusted();
    await until('Redis answers again', async () => (await look(token))?.fields.n === 'new');
  });

  it('trusts nothing while Redis stands still, and recovers', async () => {
    const token = await kept();
    server.pause();
    await until('it is not trusted', async () => !nearCache.stats().trusted, {
      timeoutMs: BOUND_MS,
    });
    await expect(look(token)).rejects.toThrow();
    server.resume();
    await trusted();
    expect(await look(token)).toBeDefined();
  });

  it('forgets all when the database is emptied', async () => {
    const token = await kept();
    await admin.flushall(); // a server of our own
    await until('it is gone', async () => (await look(token)) === undefined);
  });

  it('keeps no more than it may', async () => {
    const tokens = await Promise.all(
      Array.from({ length: 30 }, async () => (await elsewhere.create({ n: '0' })).token),
    );
    await open({ maxSessions: 10 });
    for (const token of tokens) await look(token);
    expect(nearCache.stats().sessions).toBe(10);
    await open({ maxBytes: 20_000 });
    for (const token of tokens) await look(token);
    expect(nearCache.stats().bytes).toBeLessThanOrEqual(20_000);
    expect(nearCache.stats().sessions).toBeGreaterThan(5);
  });

  /** Holds back Redis' word of changes, and nothing else. Resolves to what lets it through. */
  function holdingBackChanges(): () => void {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    proxy.disturb(async (piece, { pass }) => {
      if (piece.includes('__redis__:invalidate')) await released;
      pass(piece);
    });
    return release;
  }

  it('does not go back behind a slide of its own, and shows its time while it reads again', async () => {
    const token = await kept();
    proxy.disturb(delayingReplies(5));
    const used = (await here.get(token)) as Session;
    const usedAt = performance.now();
    while (performance.now() - usedAt < 1800) {
      const session = (await look(token)) as Session;
      expect(session.lastAccessedAt >= used.lastAccessedAt).toBe(true);
      expect(session.remainingMs).toBeGreaterThan(60_000 - (performance.now() - usedAt) - 50);
      await new Promise(setImmediate);
    }
  });

  it('answers no session of which Redis has just said that it has ended', async () => {
    const token = await kept(3); // slid at once by each use
    const release = holdingBackChanges();
    await elsewhere.delete(token);
    expect(await here.get(token)).toBeUndefined();
    expect(await look(token)).toBeUndefined();
    release();
  });

  it('does a slide that is put off with the secret of the last use', async () => {
    const token = await kept();
    const id = await idOf(token);
    expect(await here.get(token)).toBeDefined();
    const next = (await here.rotate(token)) as string;
    await wait(500);
    const usedAt = performance.now();
    await here.get(next);
    const restAtUse = () => 60_000 - (performance.now() - usedAt);
    await until(
      'that use has slid it',
      async () => {
        const rest = restAtUse();
        return (await admin.pttl(`session:${id}`)) >= rest;
      },
      { timeoutMs: 2500 },
    );
  });

  it('loses no slide of a use while it closes', async () => {
    const token = await kept();
    const id = await idOf(token);
    await here.get(token);
    await wait(500);
    proxy.disturb(delayingReplies(300));
    const closing = nearCache.close();
    await wait(150);
    const usedAt = performance.now();
    await here.get(token);
    await closing;
    expect(await admin.pttl(`session:${id}`)).toBeGreaterThan(
      60_000 - (performance.now() - usedAt) - 50,
    );
  });

  it('shows its own change of the idle timeout, and the slide of a write, with a slide waiting', async () => {
    const token = await kept();
    await here.get(token);
    await wait(600);
    await here.update(token, { set: { n: '1' } });
    expect((await look(token))?.remainingMs).toBeGreaterThan(59_800);
    await here.setTtl(token, 1);
    const short = (await look(token))?.remainingMs;
    expect(short).toBeGreaterThan(800);
    expect(short).toBeLessThanOrEqual(1000);
  });

  it('shows a change of the idle timeout elsewhere with a slide waiting', async () => {
    const { token } = await elsewhere.create({}, { ttl: 20, lifetime: 120 });
    const trustedUse = () => here.get(token);
    await until('its slide is put off', async () => {
      const before = await slides();
      await trustedUse();
      return (await slides()) === before;
    });
    await elsewhere.setTtl(token, 3600); // cut off by the lifetime
    await until('it is seen', async () => (await look(token))?.ttl === 3600);
    expect((await look(token))?.remainingMs).toBeLessThanOrEqual(120_000);
  });

  it('gives up nothing for a wrong secret', async () => {
    const token = await kept(3);
    const { token: other } = await elsewhere.create();
    const wrong = `${token.split('.')[0]}.${other.split('.')[1]}`;
    expect(await look(wrong)).toBeUndefined();
    expect(await here.get(wrong)).toBeUndefined();
    const calls = await scriptCalls();
    await look(token);
    expect(await scriptCalls()).toBe(calls);
    // Also not what it knows of its own slide, whose word comes later.
    const release = holdingBackChanges();
    await Promise.all([here.get(token), here.get(wrong)]);
    release();
    for (let turn = 0; turn < 100; turn += 1) {
      expect(nearCache.stats().sessions).toBe(1);
      await new Promise(setImmediate);
    }
  });

  it('keeps what Redis said, whatever callers do with their answer', async () => {
    const token = await kept(3); // slid at once by each use
    const release = holdingBackChanges();
    Object.assign((await here.get(token)) as object, { user: 'mallory' });
    const calls = await scriptCalls();
    expect((await look(token))?.user).toBeUndefined();
    expect(await scriptCalls()).toBe(calls);
    release();
  });

  it('slides in the name of no request', async () => {
    const token = await kept();
    const requests = new AsyncLocalStorage<string>();
    const inNameOf: unknown[] = [];
    const { write } = Socket.prototype;
    const spy = vi.spyOn(Socket.prototype, 'write').mockImplementation(function (
      this: Socket,
      chunk: Uint8Array | string,
      ...rest: [BufferEncoding?, ((error?: Error | null) => void)?]
    ) {
      if (/eval/i.test(String(chunk))) inNameOf.push(requests.getStore());
      return write.call(this, chunk, ...rest);
    });
    onTestFinished(() => spy.mockRestore());
    await requests.run('a request', () => here.get(token));
    expect(inNameOf).toEqual([]);
    await until('it is slid', async () => inNameOf.length > 0);
    expect(inNameOf).not.toContain('a request');
  });

  it('takes back time that somebody else gave a session in use', async () => {
    const token = await kept();
    const id = await idOf(token);
    await admin.pexpire(`session:${id}`, 3_600_000);
    await until('it is seen', async () => ((await look(token))?.remainingMs ?? 0) > 60_000);
    await until(
      'its use slides it',
      async () => {
        await here.get(token);
        return (await admin.pttl(`session:${id}`)) <= 60_000;
      },
      { timeoutMs: 3000 },
    );
  });

  it('hears of changes where its client asks, also when the name leads to another server by then', async () => {
    const next = await startRedisServer({ binary: redisBinary() });
    const there = new Redis(next.port, next.host);
    try {
      const token = await kept();
      await there.call('REPLICAOF', server.host, String(server.port));
      await until(
        'the next one has it',
        async () => (await there.dbsize()) === (await admin.dbsize()),
      );
      await there.call('REPLICAOF', 'NO', 'ONE');
      const id = String(await connection.client.client('ID'));
      proxy.lead(next);
      await admin.call('CLIENT', 'KILL', 'ID', id);
      const onNext = new SessionService({
        repository: new RedisSessionRepository({ client: there }),
      });
      await until('it is kept', async () => {
        await look(token);
        return nearCache.stats().sessions > 0 && nearCache.stats().trusted;
      });
      await onNext.update(token, { set: { n: 'new' } });
      await until('it is seen', async () => (await look(token))?.fields.n === 'new', {
        timeoutMs: BOUND_MS,
      });
    } finally {
      there.disconnect();
      await next.stop();
    }
  });
});
