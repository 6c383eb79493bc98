import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';
import type { Load } from './load.ts';
import { type Happened, underLoad } from './under-load.ts';

/** What a failover may undo: what the old primary acknowledged last, before anybody else had it. */
const REPLICATION_GAP_MS = 1000;

describeWithServers('a cluster that changes under load', () => {
  let redis: RedisCluster;
  beforeAll(async () => {
    // A primary that returns before its replica could take over, which happens on a busy machine, must not return empty.
    redis = await startRedisCluster({ binary: redisBinary(), args: ['--appendonly', 'yes'] });
  });
  afterEach(async () => {
    await Promise.all(redis.nodes.map((node) => node.running || node.restart()));
    await redis.settled();
  });
  afterAll(() => redis?.stop());

  const address = () => ({ kind: 'cluster', nodes: redis.addresses }) as const;

  const ways = [
    { clients: 'for clients of their own', near: false },
    { clients: 'for a near cache', near: true },
  ];

  it.each(ways)(
    'hands a shard from primary to replica, $clients: nothing is lost or done twice',
    async ({ near }) => {
      const failOvers = async (load: Load) => {
        for (const primary of await redis.primaries()) {
          await redis.failOver(primary);
          await load.more(100);
        }
      };
      await underLoad(address(), failOvers, { near });
    },
  );

  it.each(ways)('moves slots that are in use, $clients: nobody notices', async ({ near }) => {
    const moves = async (load: Load) => {
      const used = new Set(load.calls.slice(-200).map(({ session }) => `session:${session}`));
      for (const key of used) {
        const from = await redis.primaryOf(key);
        const others = (await redis.primaries()).filter((node) => node !== from);
        await redis.moveSlot(await redis.slotOf(key), others[0] as RedisServer);
      }
    };
    const answers = await underLoad(address(), moves, { near });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it.each(ways)(
    'replaces a primary that was killed, $clients: the other shards serve on, and the new one is found',
    async ({ near }) => {
      const [primary] = (await redis.primaries()) as [RedisServer];
      const replica = await redis.replicaOf(primary);
      const killed = async (load: Load, { undone }: Happened) => {
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
      };
      await underLoad(address(), killed, { near });
    },
  );

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
