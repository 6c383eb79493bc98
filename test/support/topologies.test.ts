import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRedis } from './ask-redis.ts';
import { describeWithServers, redisBinary } from './live-redis.ts';
import { type RedisCluster, startRedisCluster } from './redis-cluster.ts';
import { type RedisSentinel, startRedisSentinel } from './redis-sentinel.ts';
import type { RedisServer } from './redis-server.ts';

// Sentinels of Redis 6.2 take their time to bring an old primary back.
describeWithServers('topologies of our own', { timeout: 60_000 }, () => {
  describe('a cluster', () => {
    let cluster: RedisCluster;
    beforeAll(async () => {
      cluster = await startRedisCluster({ binary: redisBinary() });
    });
    afterAll(() => cluster?.stop());

    it('serves all slots by three primaries, each with a replica in sync', async () => {
      const primaries = await cluster.primaries();
      expect(new Set(primaries)).toEqual(new Set(cluster.nodes.slice(0, 3)));
      for (const [i, node] of cluster.nodes.slice(0, 3).entries()) {
        expect(await cluster.replicaOf(node)).toBe(cluster.nodes[i + 3]);
      }
      for (const node of cluster.nodes) {
        const info = String(await askRedis(node, 'cluster info'));
        expect(info).toMatch(/cluster_state:ok/);
        expect(info).toMatch(/cluster_slots_ok:16384/);
      }
    });

    it('tells who serves a key', async () => {
      for (const key of ['a', 'b', 'c']) {
        const primary = await cluster.primaryOf(key);
        expect(await askRedis(primary, `set ${key} 1`)).toBe('OK');
        const other = (await cluster.primaries()).find((node) => node !== primary) as RedisServer;
        await expect(askRedis(other, `get ${key}`)).rejects.toThrow(/^MOVED/);
      }
    });

    it('moves a slot with its keys', async () => {
      const from = await cluster.primaryOf('{moved}1');
      const to = (await cluster.primaries()).find((node) => node !== from) as RedisServer;
      for (let i = 0; i < 25; i += 1) await askRedis(from, `set {moved}${i} ${i}`);
      await cluster.moveSlot(await cluster.slotOf('{moved}1'), to);
      await cluster.settled();
      expect(await cluster.primaryOf('{moved}1')).toBe(to);
      expect(await askRedis(to, 'get {moved}24')).toBe('24');
    });

    it('fails over as planned, keeping its data', async () => {
      const before = await cluster.primaryOf('kept');
      await askRedis(before, 'set kept 1');
      const replica = await cluster.replicaOf(before);
      await cluster.failOver(before);
      expect(await cluster.primaryOf('kept')).toBe(replica);
      expect(await askRedis(replica, 'get kept')).toBe('1');
    });

    it('replaces a primary that was killed, and takes it back as a replica', async () => {
      const before = await cluster.primaryOf('killed');
      const replica = await cluster.replicaOf(before);
      await before.kill();
      expect(before.running).toBe(false);
      await expect.poll(() => cluster.primaryOf('killed')).toBe(replica);
      await before.restart();
      await cluster.settled();
      expect(await cluster.replicaOf(replica)).toBe(before);
    });
  });

  describe('sentinels', () => {
    let watched: RedisSentinel;
    beforeAll(async () => {
      watched = await startRedisSentinel({ binary: redisBinary() });
    });
    afterAll(() => watched?.stop());

    it('know the primary, the replica and each other', async () => {
      expect(await watched.primary()).toBe(watched.servers[0]);
      expect(await watched.replica()).toBe(watched.servers[1]);
      for (const sentinel of watched.sentinels) {
        const answer = String(await askRedis(sentinel, `sentinel ckquorum ${watched.master}`));
        expect(answer).toMatch(/^OK 3 usable Sentinels/);
      }
    });

    it('fail over as planned', async () => {
      await watched.failOver();
      expect(await watched.primary()).toBe(watched.servers[1]);
      expect(String(await askRedis(watched.servers[0] as RedisServer, 'role'))).toMatch(/^slave/);
    });

    it('replace a primary that was killed, and take it back as the replica', async () => {
      const before = await watched.primary();
      const replica = await watched.replica();
      await before.kill();
      await expect.poll(() => watched.primary()).toBe(replica);
      expect(await watched.agreed()).toBe(replica);
      await before.restart();
      await watched.settled();
      expect(String(await askRedis(before, 'role'))).toMatch(/^slave/);
    });

    it('keep what they know across a restart', async () => {
      const [sentinel] = watched.sentinels as [RedisServer];
      const primary = await watched.primary();
      await sentinel.restart();
      await watched.settled();
      expect(await watched.primary()).toBe(primary);
    });
  });
});
