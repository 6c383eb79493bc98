import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';
import { underLoad } from './under-load.ts';

/** What a failover may undo: what the old primary acknowledged last, before anybody else had it. */
const REPLICATION_GAP_MS = 1000;

describeWithServers('a cluster that changes under load', () => {
  let redis: RedisCluster;
  beforeAll(async () => {
    redis = await startRedisCluster({ binary: redisBinary() });
  });
  afterEach(async () => {
    await Promise.all(redis.nodes.map((node) => node.running || node.restart()));
    await redis.settled();
  });
  afterAll(() => redis?.stop());

  const address = () => ({ kind: 'cluster', nodes: redis.addresses }) as const;

  it('hands a shard from primary to replica: nothing is lost or done twice', async () => {
    await underLoad(address(), async (load) => {
      for (const primary of await redis.primaries()) {
        await redis.failOver(primary);
        await load.more(100);
      }
    });
  });

  it('moves slots that are in use: nobody notices', async () => {
    const answers = await underLoad(address(), async (load) => {
      const used = new Set(load.calls.slice(-200).map(({ session }) => `session:${session}`));
      for (const key of used) {
        const from = await redis.primaryOf(key);
        const others = (await redis.primaries()).filter((node) => node !== from);
        await redis.moveSlot(await redis.slotOf(key), others[0] as RedisServer);
      }
    });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it('replaces a primary that was killed: the other shards serve on, and the clients find the new one', async () => {
    const [primary] = (await redis.primaries()) as [RedisServer];
    const replica = await redis.replicaOf(primary);
    await underLoad(address(), async (load, { undone }) => {
      const elsewhere = new Set<string>();
      for (const session of new Set(load.calls.slice(-100).map((call) => call.session))) {
        if ((await redis.primaryOf(`session:${session}`)) !== primary) elsewhere.add(session);
      }
      const before = load.calls.length;
      const begin = performance.now();
      await primary.kill();
      await until('the replica has taken over', async () =>
        (await redis.primaries()).includes(replica),
      );
      undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });

      const during = load.calls.slice(before).filter(({ session }) => elsewhere.has(session));
      expect(during.length).toBeGreaterThan(0);
      const answers = new Set(during.map(({ outcome }) => outcome.kind));
      expect(answers).not.toContain('refused');
      expect(answers).not.toContain('unknown');
    });
  });

  it('has lost its majority: calls fail in time, and clients are served when it is back', async () => {
    const primaries = await redis.primaries();
    const lost = primaries.slice(0, 2);
    const answers = await underLoad(address(), async (load, { undone }) => {
      const begin = performance.now();
      await Promise.all(lost.map((primary) => primary.kill()));
      await load.more(
        200,
        ({ outcome }) => outcome.kind === 'refused' || outcome.kind === 'unknown',
      );
      await Promise.all(lost.map((primary) => primary.restart()));
      await redis.settled();
      undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });
    });
    expect(answers.refused + answers.unknown).toBeGreaterThanOrEqual(200);
  });
});
