import type { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisSentinel, startRedisSentinel } from '../support/redis-sentinel.ts';
import { until } from '../support/until.ts';
import { answers, span, underLoad } from './under-load.ts';

/** What a failover may undo: what the old primary acknowledged last, before anybody else had it. */
const REPLICATION_GAP_MS = 1000;

describeWithServers('a failover by Sentinel under load', () => {
  let redis: RedisSentinel;
  beforeAll(async () => {
    redis = await startRedisSentinel({ binary: redisBinary() });
  });
  afterEach(async () => {
    await Promise.all(redis.servers.map((server) => server.running || server.restart()));
    await redis.settled();
  });
  afterAll(() => redis?.stop());

  const address = () =>
    ({ kind: 'sentinel', sentinels: redis.sentinels, master: redis.master }) as const;

  it('that somebody asked for: clients follow without restart', async () => {
    const answers = await underLoad(address(), async (_load, { undone }) => {
      undone.push(await span(() => redis.failOver()));
    });
    expect(answers.refused + answers.unknown).toBeGreaterThan(0);
  });

  it('after the primary was killed: what was acknowledged before the gap stays', async () => {
    await underLoad(address(), async (_load, { undone }) => {
      const primary = await redis.primary();
      const begin = performance.now();
      await primary.kill();
      undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });
    });
  });

  it('after the primary froze: when it wakes, nobody believes it any more', async () => {
    const before = await redis.primary();
    await underLoad(address(), async (_load, { undone }) => {
      const begin = performance.now();
      before.pause();
      await until('another server is the primary', async () => (await redis.agreed()) !== before);
      before.resume();
      undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });
    });
    await redis.settled();
    expect(String(await askRedis(before, 'info replication'))).toContain('role:slave');
  });

  it('that a client is told of while it asks for the primary: it asks again', async () => {
    const { client, close } = await connectRedis(address());
    try {
      const { connector } = client as unknown as { connector: { disconnect(): void } };
      let told = 0;
      client.on('connecting', () => {
        // What ioredis does when a sentinel tells of the failover.
        if (told++ < 3) setImmediate(() => connector.disconnect());
      });
      (client as Redis).stream.destroy();
      await until('it is served again', () => answers(client));
      expect(told).toBeGreaterThan(0);
    } finally {
      await close();
    }
  });

  it('is not asked about by a client that is closed while it asks for the primary', async () => {
    const { client, close } = await connectRedis(address());
    const asking = new Promise((resolve) => {
      client.once('connecting', () => setImmediate(resolve));
    });
    (client as Redis).stream.destroy();
    await asking;
    await close();
    await expect.poll(() => client.status).toBe('end');
  });

  it('to a replica that lagged: an end that was durable stays, and of one that was not the caller was told', async () => {
    const { client } = await connectRedis(address());
    try {
      const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
      const [safe, unsafe] = [await service.create(), await service.create()];
      const [primary, replica] = [await redis.primary(), await redis.replica()];
      const patient = { timeoutMs: 5000 };
      const ended = await service.durably((own) => own.delete(safe.token), patient);
      expect(ended).toEqual({ answer: true, durable: true });

      replica.pause();
      // More than the sockets hold: what follows is in the memory of the primary and dies with it.
      const junk = 'x'.repeat(1024 * 1024);
      for (let i = 0; i < 30; i += 1) await askRedis(primary, ['set', `junk-${i}`, junk]);
      const lost = await service.durably((own) => own.delete(unsafe.token));
      expect(lost).toEqual({ answer: true, durable: false });
      await primary.kill();
      replica.resume();
      await until('the replica has taken over', async () => (await redis.agreed()) === replica);
      await until('the client has found it', async () => (await client.ping()) === 'PONG');

      expect(await service.peek(safe.token)).toBeUndefined();
      expect(await service.peek(unsafe.token)).toBeDefined(); // or the lag was none
    } finally {
      client.disconnect();
    }
  });
});
