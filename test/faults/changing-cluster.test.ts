import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { type SessionEvent, SessionService } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { RedisSessionRepository, watchExpiry } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { redisClients } from '../support/redis-clients.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import type { RedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const BOUND = { timeoutMs: 2000 };

/** So many that each shard has some. */
const SESSIONS = 30;

/** One of each family. */
const kinds = redisClients.filter(({ name }) => /^(ioredis 5|node-redis 6), cluster$/.test(name));

// A cluster for each: slots are moved before any primary was killed.
describeWithServers.each(kinds)('a cluster that changes while $name', (kind) => {
  let redis: RedisCluster;
  const ending: (() => unknown)[] = [];
  beforeAll(async () => {
    const args = ['--notify-keyspace-events', 'Ex'];
    redis = await startRedisCluster({ binary: redisBinary(), args });
  });
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
    await Promise.all(redis.nodes.map((node) => node.running || node.restart()));
    await redis.settled();
  });
  afterAll(() => redis?.stop());

  const address = () => ({ kind: 'cluster', nodes: redis.addresses }) as const;

  async function elsewhere() {
    const { client, close } = await connectRedis(address());
    ending.push(close);
    const repository = new RedisSessionRepository({ client });
    return { repository, service: new SessionService({ repository }) };
  }

  async function failOverAll(): Promise<void> {
    for (const primary of await redis.primaries()) await redis.failOver(primary);
  }

  async function moveSlots(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const from = await redis.primaryOf(key);
      const to = (await redis.primaries()).find((node) => node !== from) as RedisServer;
      await redis.moveSlot(await redis.slotOf(key), to);
    }
  }

  async function replaceKilled(): Promise<void> {
    const [primary] = (await redis.primaries()) as [RedisServer];
    const replica = await redis.replicaOf(primary);
    await primary.kill();
    await until('the replica has taken over', async () =>
      (await redis.primaries()).includes(replica),
    );
  }

  describe('has a near cache:', () => {
    it.each<[string, (keys: readonly string[]) => Promise<void>]>([
      ['slots move', moveSlots],
      ['shards fail over', failOverAll],
      ['a primary is killed', replaceKilled],
    ])('%s, and changes elsewhere are seen', async (_, change) => {
      const { client, close } = await kind.connect(address(), 500);
      ending.push(close);
      const nearCache = openNearCache({ client });
      ending.push(() => nearCache.close());
      const here = new SessionService({ repository: nearCache.repository });
      const { service: there } = await elsewhere();
      const created = Array.from({ length: SESSIONS }, () => there.create({ n: '0' }));
      const sessions = await Promise.all(created);
      const keys = sessions.map(({ session }) => `session:${session.id}`);
      const look = (token: string) => here.get(token, { refresh: false }).catch(() => undefined);
      const seen = () => Promise.all(sessions.map(({ token }) => look(token)));
      const allSee = (n: string) => async () =>
        (await seen()).every((session) => session?.fields.n === n);
      const noneSees = (n: string) => async () =>
        (await seen()).every((session) => session?.fields.n !== n);
      const allKept = async () => {
        const { hits } = nearCache.stats();
        await allSee('0')();
        return nearCache.stats().trusted && nearCache.stats().hits - hits === SESSIONS;
      };

      await until('all are kept', allKept);
      await change(keys.slice(0, 10));
      // What is kept does not depend on anybody who asks.
      await Promise.all(
        sessions.map(({ token }) =>
          until('it is changed', () => there.update(token, { set: { n: '1' } }).catch(() => false)),
        ),
      );
      await until('nothing is seen as it was', noneSees('0'), BOUND);
      await until('all changes are seen', allSee('1')); // once the client has found the primaries
      await until('all are kept again', allKept);
      await Promise.all(sessions.map(({ token }) => there.update(token, { set: { n: '2' } })));
      await until('all changes are seen', allSee('2'), BOUND);
    });
  });

  it('has a near cache: a primary that has lost the majority vouches for nothing', async () => {
    const { client, close } = await kind.connect(address(), 500);
    ending.push(close);
    const nearCache = openNearCache({ client });
    ending.push(() => nearCache.close());
    const here = new SessionService({ repository: nearCache.repository });
    const look = (token: string) => here.get(token, { refresh: false });
    const { service: there } = await elsewhere();
    const { token, session } = await there.create();
    await until('it is kept', async () => {
      const { hits } = nearCache.stats();
      await look(token);
      return nearCache.stats().hits > hits;
    });
    const left = await redis.primaryOf(`session:${session.id}`);
    const lost = (await redis.primaries()).filter((node) => node !== left);
    await Promise.all(lost.map((node) => node.kill()));
    // It answers PING all the time, and refuses to be read once it has noticed.
    await until(
      'it is not served',
      async () =>
        look(token).then(
          () => false,
          () => true,
        ),
      {
        timeoutMs: 8000,
      },
    );
  });

  describe('watches what runs out:', () => {
    it.each<[string, () => Promise<void>]>([
      ['shards fail over', failOverAll],
      ['a primary is killed', replaceKilled],
    ])('%s, and what runs out is told', async (_, change) => {
      const { client, close } = await kind.connect(address(), 500);
      ending.push(close);
      const told = new Set<string>();
      const notify = (event: SessionEvent) => {
        if (event.type === 'ended' && event.why === 'expired') told.add(event.id);
      };
      ending.push(await watchExpiry({ client, observer: { notify } }));
      await change();
      const { repository, service: there } = await elsewhere();
      // One that is told of in each shard shows that its primary is listened to.
      await until('every shard is heard again', async () => {
        const created = Array.from({ length: SESSIONS }, () => there.create({}, { ttl: 1 }));
        const ids = (await Promise.all(created)).map(({ session }) => session.id);
        await until('they have run out', async () => {
          const left = await Promise.all(ids.map((id) => repository.find(id)));
          return left.every((session) => session === undefined);
        });
        return ids.every((id) => told.has(id));
      });
      expect(told.size).toBeGreaterThanOrEqual(SESSIONS);
    });
  });
});
