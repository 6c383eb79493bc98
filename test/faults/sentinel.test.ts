import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisSentinel, startRedisSentinel } from '../support/redis-sentinel.ts';
import { until } from '../support/until.ts';
import { span, underLoad } from './under-load.ts';

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
});
