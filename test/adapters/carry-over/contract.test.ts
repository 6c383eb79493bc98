import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { Carriage } from '../../../src/adapters/carry-over/carriage.ts';
import { MemorySessionRepository } from '../../../src/adapters/memory/memory-session-repository.ts';
import { RedisSessionRepository } from '../../../src/adapters/redis/redis-session-repository.ts';
import { carryOver, type MovableRepository, type SessionRepository } from '../../../src/index.ts';
import { sessionRepositoryContract } from '../../../src/testing.ts';
import { describeLive, redisUrl, useTestPrefix } from '../../support/live-redis.ts';

/** Each phase alone, and what each finds where the other kind of server began the session. */
const ways: readonly {
  readonly name: string;
  readonly make: (two: Two) => SessionRepository;
}[] = [
  { name: 'that prepares', make: (two) => carryOver({ ...two, phase: 'prepare' }) },
  { name: 'that moves', make: (two) => carryOver({ ...two, phase: 'move' }) },
  {
    name: 'that moves what others begin in the old store',
    make: (two) => ({
      ...carryOver({ ...two, phase: 'move' }),
      create: carryOver({ ...two, phase: 'prepare' }).create,
    }),
  },
  {
    name: 'that prepares while others move',
    make: (two) => {
      const preparing = carryOver({ ...two, phase: 'prepare' });
      const carriage = new Carriage(two.from, two.to);
      return {
        ...preparing,
        create: async (session) => {
          const created = await preparing.create(session);
          if (typeof created === 'object') await carriage.carry(created.id);
          return created;
        },
      };
    },
  },
  {
    name: 'of which each call goes to another kind of server',
    make: (two) => {
      const preparing = carryOver({ ...two, phase: 'prepare' });
      const moving = carryOver({ ...two, phase: 'move' });
      let calls = 0;
      const turn = (): SessionRepository => {
        calls += 1;
        return calls % 3 === 0 ? moving : preparing;
      };
      return {
        users: preparing.users,
        create: (session) => {
          // Of two servers only one ever creates an id: they are random.
          const isOdd = session.credential.id.charCodeAt(0) % 2 === 1;
          return (isOdd ? moving : preparing).create(session);
        },
        read: (by) => turn().read(by),
        access: (by, how) => turn().access(by, how),
        update: (by, change) => turn().update(by, change),
        increment: (by, change) => turn().increment(by, change),
        replace: (by, change) => turn().replace(by, change),
        take: (by, field) => turn().take(by, field),
        setTtl: (by, change) => turn().setTtl(by, change),
        rotate: (by, rotation) => turn().rotate(by, rotation),
        delete: (by) => turn().delete(by),
        find: (id) => turn().find(id),
        end: (id, options) => turn().end(id, options),
        durably: (durability, act) => turn().durably(durability, act),
      };
    },
  },
];

interface Two {
  readonly from: MovableRepository;
  readonly to: MovableRepository;
}

describe.each(ways)('the contract, kept by a carry-over in memory $name', ({ make }) => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const repository = make({
    from: new MemorySessionRepository(clock),
    to: new MemorySessionRepository(clock),
  });
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run({ repository, elapse }));
  }
});

describeLive.each(ways)(
  'the contract, kept by a carry-over between two prefixes of a Redis $name',
  { concurrent: true },
  ({ make }) => {
    const prefix = useTestPrefix();
    let client: Redis;
    let repository: SessionRepository;
    beforeAll(() => {
      client = new Redis(redisUrl());
      repository = make({
        from: new RedisSessionRepository({ client, prefix: `${prefix}old:` }),
        to: new RedisSessionRepository({ client, prefix: `${prefix}new:` }),
      });
    });
    afterAll(() => client.quit());
    for (const { name, run } of sessionRepositoryContract) {
      it(name, () => run({ repository, elapse: wait }));
    }
  },
);

/** The clock of a real server goes on by itself; there is nothing to await but time. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
