import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RedisServer } from '../../src/adapters/redis/clients/redis-commands.ts';
import { commandsOf } from '../../src/adapters/redis/clients/tell-apart.ts';
import { CommandTrace } from '../../src/adapters/redis/inspect/command-trace.ts';
import { RedisInspection } from '../../src/adapters/redis/inspect/inspection.ts';
import { type SessionEvent, SessionService } from '../../src/index.ts';
import { type NearCache, openNearCache } from '../../src/near-cache.ts';
import {
  countSessions,
  RedisSessionRepository,
  scanSessions,
  watchExpiry,
} from '../../src/redis.ts';
import {
  type Subject,
  sessionMovesContract,
  sessionRepositoryContract,
} from '../../src/testing.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { type ConnectedClient, redisClients } from '../support/redis-clients.ts';
import { until } from '../support/until.ts';

describeWithServers.each(deployments)('on $name', ({ kind, start }) => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await start();
  });
  afterAll(() => deployment?.stop());

  describe.each(redisClients.filter(({ reaches }) => reaches === kind))('$name', (type) => {
    const prefix = `test:${type.name.replaceAll(/\W+/g, '-')}:`;
    let connected: ConnectedClient;
    let subject: Subject;
    beforeAll(async () => {
      connected = await type.connect(deployment.address);
      const { client } = connected;
      subject = { repository: new RedisSessionRepository({ client, prefix }), elapse: wait };
    });
    afterAll(() => connected?.close());

    const user = () => new SessionService({ repository: subject.repository });

    it('keeps the contract', async () => {
      expect(await brokenBy(sessionRepositoryContract, subject)).toEqual([]);
    });

    it('keeps the contract of moves', async () => {
      const { client } = connected;
      const from = new RedisSessionRepository({ client, prefix: `${prefix}old:` });
      const to = new RedisSessionRepository({ client, prefix: `${prefix}new:` });
      const moves = { from, to, elapse: wait };
      expect(await brokenBy(sessionMovesContract, moves)).toEqual([]);
    });

    it('is known again, by what it can do', () => {
      expect(commandsOf(connected.client)).toBe(commandsOf(connected.client));
      expect(commandsOf(connected.client).isCluster).toBe(kind === 'cluster');
    });

    it('sees every session in a scan, and none of another prefix', async () => {
      const { client } = connected;
      const all = { client, prefix: `${prefix}scan:` };
      const service = new SessionService({ repository: new RedisSessionRepository(all) });
      const created = await Promise.all(
        Array.from({ length: 30 }, () => service.create({}, { user: 'ada' })),
      );
      const ids = created.map(({ session }) => session.id).sort();
      const seen = new Set<string>();
      for await (const page of scanSessions({ ...all, pageSize: 10 })) {
        for (const id of page) seen.add(id);
      }
      expect([...seen].sort()).toEqual(ids);
      expect(await countSessions(all)).toBe(30);
      const inspection = new RedisInspection(all);
      const users = new Set<string>();
      for await (const page of inspection.users()) for (const name of page) users.add(name);
      expect([...users]).toEqual(['ada']);
      expect(await service.deleteAll('ada')).toBe(30);
      expect(await countSessions(all)).toBe(0);
    });

    it('says where it is, and what its servers say of themselves', async () => {
      const inspection = new RedisInspection({ client: connected.client, prefix });
      const servers = await inspection.servers();
      expect(servers).toHaveLength(kind === 'cluster' ? 3 : 1);
      for (const { server, role, version } of servers) {
        expect(server).toMatch(/^127\.0\.0\.1:\d+$/);
        expect(role).toBe('master');
        expect(version).toMatch(/^\w+ \d+\.\d+/);
      }
      const { session } = await user().create();
      expect(inspection.commandsFor(session.id)[0]).toMatch(
        new RegExp(`^redis-cli .*HGETALL ${prefix}${session.id}$`),
      );
    });

    it('can be traced', async () => {
      const trace = new CommandTrace(connected.client);
      const { token, session } = await user().create({ name: 'Ada' });
      await user().peek(token); // from now on the server knows the script
      const { cost, answer } = await trace.during(() => user().peek(token));
      expect(answer?.fields.name).toBe('Ada');
      expect(cost.commands).toEqual([
        `EVALSHA sojournRead 1 ${prefix}${session.id} <secret's hash> ""`,
      ]);
      expect(cost.roundTrips).toBe(1);
    });

    it('goes on when Redis has forgotten the scripts', async () => {
      const { token } = await user().create({ n: '1' });
      const primaries = await commandsOf(connected.client).primaries();
      await Promise.all(primaries.map(({ command }) => command('SCRIPT', ['FLUSH'])));
      const sums = await Promise.all([1, 2, 3].map(() => user().increment(token, 'n')));
      expect(sums.sort()).toEqual([2, 3, 4]);
    });

    it('writes durably on a connection of its own, and leaves none behind', async () => {
      const replicas = kind === 'server' ? 0 : 1;
      const durability = { replicas, timeoutMs: 5000 };
      if (replicas === 0) {
        // The service wants a replica; there is none, which the answer says.
        const alone = await user().durably((own) => own.create({ n: '1' }), {
          replicas: 1,
          timeoutMs: 20,
        });
        expect(alone.durable).toBe(false);
        expect((await user().peek(alone.answer.token))?.fields.n).toBe('1');
        return;
      }
      const created = await user().durably(async (own) => {
        const many = Array.from({ length: 5 }, () => own.create({ n: '1' }, { user: 'durable' }));
        return (await Promise.all(many)).length;
      }, durability);
      expect(created).toEqual({ answer: 5, durable: true });
      expect(await user().durably((own) => own.deleteAll('durable'), durability)).toEqual({
        answer: 5,
        durable: true,
      });
    });

    const primaries = () => commandsOf(connected.client).primaries();

    describe('with a near cache', () => {
      let nearCache: NearCache;
      let near: SessionService;
      let elsewhere: SessionService;
      const errors: Error[] = [];
      beforeAll(async () => {
        const onError = (error: Error) => errors.push(error);
        nearCache = openNearCache({ client: connected.client, prefix, onError });
        near = new SessionService({ repository: nearCache.repository });
        const client = await deployment.connect();
        elsewhere = new SessionService({
          repository: new RedisSessionRepository({ client, prefix }),
        });
        await until('it is trusted', async () => nearCache.stats().trusted);
      });
      afterAll(() => nearCache?.close());

      it('reads from memory, and sees what ends or changes elsewhere', async () => {
        const { token, session } = await elsewhere.create({ n: '1' });
        await until('it is kept', async () => {
          const { hits } = nearCache.stats();
          await near.get(token);
          return nearCache.stats().hits > hits;
        });
        await elsewhere.update(token, { set: { n: '2' } });
        const within = { timeoutMs: 2000 };
        await until(
          'the change is seen',
          async () => (await near.get(token))?.fields.n === '2',
          within,
        );
        await elsewhere.end(session.id);
        await until('the end is seen', async () => (await near.get(token)) === undefined, within);
        expect(errors).toEqual([]);
      });

      it.each<[string, (primary: RedisServer) => Promise<unknown>]>([
        ['by which it hears', (primary) => primary.command('CLIENT', ['KILL', 'TYPE', 'pubsub'])],
        [
          'by which it reads',
          async (primary) => {
            const clients = String(await primary.command('CLIENT', ['LIST']));
            for (const [, id = ''] of clients.matchAll(/^id=(\d+) .* flags=\w*t/gm))
              await primary.command('CLIENT', ['KILL', 'ID', id]);
          },
        ],
      ])('does not trust a lost connection %s, and is trusted again', async (_, cut) => {
        const { token, session } = await elsewhere.create();
        await until('it is kept', async () => {
          await near.get(token);
          return nearCache.stats().sessions > 0;
        });
        for (const primary of await primaries()) await cut(primary);
        await until('all is forgotten', async () => nearCache.stats().sessions === 0);
        await elsewhere.end(session.id);
        expect(await near.get(token)).toBeUndefined();
        await until('it is trusted again', async () => nearCache.stats().trusted);
      });

      // A sentinel client of node-redis tells of another primary alone, and connects to the same one again by itself; so
      // does one of a cluster.
      const silent = type.name.startsWith('node-redis') && kind !== 'server';
      const connectionLost = 'begins anew when the connection of the client itself is lost';
      if (!silent)
        it(connectionLost, async () => {
          const { token } = await elsewhere.create();
          await near.get(token);
          for (const primary of await primaries()) {
            const id = await primary.command('CLIENT', ['ID']);
            await primary
              .command('CLIENT', ['KILL', 'ID', Number(id), 'SKIPME', 'no'])
              .catch(() => {});
          }
          await until('all is forgotten', async () => nearCache.stats().sessions === 0);
          await until('it is trusted again', async () => nearCache.stats().trusted);
          await until('it answers', async () => (await near.get(token)) !== undefined);
        });

      it('keeps the contract', async () => {
        expect(
          await brokenBy(sessionRepositoryContract, {
            repository: nearCache.repository,
            elapse: wait,
          }),
        ).toEqual([]);
      });
    });

    it('hears of sessions that ran out', async () => {
      const { client } = connected;
      for (const primary of await primaries())
        await primary.command('CONFIG', ['SET', 'notify-keyspace-events', 'Ex']);
      const events: SessionEvent[] = [];
      const stop = await watchExpiry({
        client,
        prefix,
        observer: { notify: (event) => events.push(event) },
      });
      try {
        const created = Array.from({ length: 10 }, () => user().create({}, { ttl: 1 }));
        const ids = (await Promise.all(created)).map(({ session }) => session.id);
        await until('they ran out', async () =>
          ids.every((id) => events.some((event) => 'id' in event && event.id === id)),
        );
        expect(events).toContainEqual({ type: 'ended', id: ids[0], why: 'expired' });
      } finally {
        await stop();
      }
    });
  });
});

const AT_ONCE = 28;

type Contract<T> = readonly { readonly name: string; run(subject: T): Promise<void> }[];

/**
 * The sentences of the contract that do not hold, and why. Many at once, as most of them wait for something to run out, and
 * not all, as then they would wait for each other.
 */
async function brokenBy<T>(contract: Contract<T>, subject: T): Promise<string[]> {
  const [busy, others] = [contract.filter(isBusy), contract.filter((one) => !isBusy(one))];
  return [...(await brokenOf(busy, subject)), ...(await brokenOf(others, subject))];
}

/** It occupies process and server, so that what waits beside it would not be on time. */
function isBusy({ name }: { readonly name: string }): boolean {
  return name.includes('very many');
}

async function brokenOf<T>(contract: Contract<T>, subject: T): Promise<string[]> {
  const left = [...contract];
  const broken: string[] = [];
  const runSome = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) {
      const { name, run } = next;
      await run(subject).catch((error) => {
        broken.push(`${name}: ${error}${error.cause ? ` (${error.cause})` : ''}`);
      });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, runSome));
  return broken;
}

/** The clock of a real server goes on by itself; there is nothing to await but time. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
