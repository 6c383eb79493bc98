import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { SessionService } from '../../src/index.ts';
import { RedisSessionRepository, scanSessions, shareCount } from '../../src/redis.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import { Keyspace } from '../support/keyspace.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { until } from '../support/until.ts';

const PROCESSES = 5;

describeWithServers.each(deployments)('the count that a fleet shares, on $name', ({ start }) => {
  let redis: Deployment;
  let clients: (Redis | Cluster)[];
  let client: Redis | Cluster;
  let service: SessionService;
  let everything: Keyspace;

  beforeAll(async () => {
    redis = await start();
    clients = await Promise.all(Array.from({ length: PROCESSES }, () => redis.connect()));
    client = clients[0] as Redis | Cluster;
    service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    everything = new Keyspace(client);
  });
  afterAll(() => redis?.stop());
  beforeEach(() => everything.clear()); // servers of our own

  async function scans(): Promise<number> {
    const primaries = 'nodes' in client ? client.nodes('master') : [client];
    const stats = await Promise.all(primaries.map((node) => node.info('commandstats')));
    const calls = [...stats.join('\n').matchAll(/^cmdstat_scan:calls=(\d+)/gm)];
    return calls.reduce((sum, [, count]) => sum + Number(count), 0);
  }

  async function fill(count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) await service.create({}, { user: `user ${i % 7}` });
  }

  it('is made by one for all, once in a while, and is no session', async () => {
    await fill(30);
    const before = await scans();
    const alone = shareCount({ client });
    expect(await alone()).toEqual({ sessions: 30, ageMs: 0 });
    const walk = (await scans()) - before;
    const counts = clients.map((one) => shareCount({ client: one }));
    for (let i = 0; i < 3; i += 1) {
      for (const count of counts) {
        expect(await count()).toEqual({ sessions: 30, ageMs: expect.any(Number) });
      }
    }
    expect((await scans()) - before).toBe(walk);
    expect(await everything.keysWithoutExpiry()).toEqual([]);
    expect(await everything.keys()).toContain('session:count');
    const ids = new Set<string>();
    for await (const page of scanSessions({ client })) for (const id of page) ids.add(id);
    expect(ids.size).toBe(30);
  });

  it('is made by one of many that ask at once', async () => {
    await fill(5);
    const before = await scans();
    await shareCount({ client, prefix: 'other:' })();
    const walk = (await scans()) - before;
    const answers = await Promise.all(clients.map((one) => shareCount({ client: one })()));
    expect(answers).toContainEqual({ sessions: 5, ageMs: 0 });
    expect((await scans()) - before).toBe(2 * walk);
  });

  it('is made anew when it is old, with the old one and its age for whoever asks meanwhile', async () => {
    await fill(3);
    const count = shareCount({ client, everyMs: 100 });
    expect(await count()).toMatchObject({ sessions: 3 });
    await fill(2);
    await client.set('session:count:lease', 'another process', 'PX', 1000);
    const first = await count();
    const ages: number[] = [];
    await until('the other one is dead, and this one counts', async () => {
      const answer = await count();
      if (typeof answer !== 'object') throw new Error('It is known.');
      if (answer.sessions === 3) ages.push(answer.ageMs);
      return answer.sessions === 5;
    });
    expect(first).toMatchObject({ sessions: 3 });
    expect(ages.at(-1)).toBeGreaterThan(200);
    expect(ages).toEqual(ages.toSorted((a, b) => a - b));
  });

  it('is left to another one that began meanwhile', async () => {
    await fill(3);
    const set = client.set.bind(client);
    const stolen = Object.assign(Object.create(client) as Redis, {
      // As a process that stood still after it took the lease.
      set: async (...args: Parameters<Redis['set']>) => {
        const answer = await set(...args);
        await set('session:count:lease', 'another process', 'PX', 60_000);
        return answer;
      },
    });
    await shareCount({ client: stolen })();
    expect(await client.get('session:count:lease')).toBe('another process');
    expect(await client.pttl('session:count:lease')).toBeGreaterThan(50_000);
  });
});

describeWithServers('the count that a fleet shares, where Redis does not allow it', () => {
  it('is each its own, and a number that is expensive', async () => {
    const [one] = deployments;
    const redis = await one?.start();
    if (redis === undefined) throw new Error('There is one server.');
    try {
      const admin = (await redis.connect()) as Redis;
      const service = new SessionService({
        repository: new RedisSessionRepository({ client: admin }),
      });
      for (let i = 0; i < 4; i += 1) await service.create();
      for (const missing of ['-get', '-set', '-pttl']) {
        await admin.call('ACL', 'SETUSER', 'poor', 'reset', 'on', '>pw', '~*', '+@all', missing);
        const poor = admin.duplicate({
          ...{ username: 'poor', password: 'pw', enableOfflineQueue: true },
        });
        expect(await shareCount({ client: poor })()).toBe(4);
        poor.disconnect();
      }
      await admin.config('SET', 'maxmemory', '1');
      expect(await shareCount({ client: admin })()).toBe(4);
    } finally {
      await redis.stop();
    }
  });
});
