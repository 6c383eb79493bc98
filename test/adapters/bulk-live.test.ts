import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import {
  type SessionId,
  type SessionPolicyOptions,
  type SessionRepository,
  SessionService,
  type UserIndex,
} from '../../src/index.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import { Keyspace } from '../support/keyspace.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { until } from '../support/until.ts';

const MANY = 10_000;
const user = 'ada';
const indexKey = `session:user:${user}`;

const [server, , cluster] = deployments;

describeWithServers.each([server, cluster].flatMap((kind) => kind ?? []))(
  'very many sessions of one user, on $name',
  ({ start }) => {
    let redis: Deployment;
    let client: Redis | Cluster;
    let repository: SessionRepository;
    let everything: Keyspace;

    beforeAll(async () => {
      redis = await start();
      client = await redis.connect();
      everything = new Keyspace(client);
      repository = new RedisSessionRepository({ client });
    });
    afterAll(() => redis?.stop());
    beforeEach(() => everything.clear()); // servers of our own

    const service = (policy: SessionPolicyOptions = {}) =>
      new SessionService({ repository, policy });

    async function fill(count: number): Promise<void> {
      let left = count;
      const app = service();
      const logIn = async () => {
        while (left-- > 0) await app.create({}, { user });
      };
      await Promise.all(Array.from({ length: 16 }, logIn));
    }

    it('are listed page by page and ended, each once', async () => {
      await fill(MANY);
      const app = service();
      const met = new Set<SessionId>();
      let after: string | undefined;
      do {
        const page = await app.list(user, { limit: 1000, after });
        expect(page.sessions).toHaveLength(1000);
        for (const { id } of page.sessions) met.add(id);
        after = page.next;
      } while (after !== undefined);
      expect(met.size).toBe(MANY);
      expect(await app.list(user)).toHaveLength(MANY);
      expect(await app.deleteAll(user)).toBe(MANY);
      expect(await everything.size()).toBe(0);
    }, 120_000);

    it('are ended durably, too', async () => {
      await fill(1000);
      const ending = service().durably((own) => own.deleteAll(user), {
        replicas: 100,
        timeoutMs: 50,
      });
      expect(await ending).toEqual({ answer: 1000, durable: false });
      expect(await everything.size()).toBe(0);
    }, 60_000);

    it('are ended down to a limit that is new, and the login that meets it does not wait for all', async () => {
      await fill(MANY);
      const app = service({ maxSessions: 3 });
      const { token, session } = await app.create({}, { user });
      expect(await app.get(token)).toBeDefined();
      await until('three are alive', async () => (await client.zcard(indexKey)) === 3);
      const alive = (await app.list(user)).map(({ id }) => id);
      expect(alive).toHaveLength(3);
      expect(alive.at(-1)).toBe(session.id);
    }, 120_000);

    it.each(['evict-oldest', 'refuse'] as const)(
      'that ran out lock nobody out where a limit is new (%s)',
      async (atMaxSessions) => {
        for (let i = 0; i < MANY; i += 1000) {
          const dead = Array.from({ length: 1000 }, (_, n) => [i + n + 1, `dead ${i + n}`]).flat();
          await client.zadd(indexKey, ...dead);
        }
        await client.expire(indexKey, 3600);
        const app = service({ maxSessions: 3, atMaxSessions });
        const { session } = await app.create({}, { user });
        await until('they are forgotten', async () => (await client.zcard(indexKey)) === 1);
        expect((await app.list(user)).map(({ id }) => id)).toEqual([session.id]);
      },
      60_000,
    );

    it('are at most twice as many in the index as are alive, for a robot that logs in all the time', async () => {
      const ALIVE = 60;
      const numbers = new Map<SessionId, number>();
      const logins: SessionId[] = [];
      const { users } = repository;
      const timedUsers: UserIndex = {
        list: (...args) => users.list(...args),
        remove: (...args) => users.remove(...args),
        // As if ten seconds lay between two logins.
        async add(entry) {
          const entered = await users.add(entry);
          const sample = entered?.sample.map(({ id, place }) => {
            const ageMs = 10_000 * (logins.length - (numbers.get(id) ?? logins.length));
            return { id, place, ageMs };
          });
          return entered && { place: entered.place, sample: sample ?? [] };
        },
      };
      const timed = new Proxy(repository, {
        get(target, name) {
          if (name === 'users') return timedUsers;
          const member: unknown = Reflect.get(target, name, target);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      const app = new SessionService({ repository: timed });
      let most = 0;
      for (let login = 0; login < 1500; login += 1) {
        const { session } = await app.create({}, { user });
        numbers.set(session.id, logins.push(session.id));
        const over = logins[login - ALIVE];
        if (over !== undefined) await client.del(`session:${over}`); // it ran out
        if (login > ALIVE && login % 7 === 0) most = Math.max(most, await client.zcard(indexKey));
      }
      expect(most).toBeGreaterThan(ALIVE);
      expect(most).toBeLessThanOrEqual(2 * ALIVE);
    }, 60_000);
  },
);
