import { Redis } from 'ioredis';
import RedisMock from 'ioredis-mock';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import { type NearCache, openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { observedRepository } from '../../src/domain/observed-repository.ts';
import { type Subject, sessionRepositoryContract } from '../../src/testing.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import {
  describeLive,
  describeWithServers,
  redisUrl,
  useTestPrefix,
} from '../support/live-redis.ts';
import { until } from '../support/until.ts';

describe('the contract, kept by the memory store', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const repository = new MemorySessionRepository({ now: () => now });
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run({ repository, elapse }));
  }
});

describe('the contract, kept by a store that is observed', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  let asked = 0;
  let answered = 0;
  const repository = observedRepository(new MemorySessionRepository({ now: () => now }), {
    notify() {},
    storeAsked() {
      asked += 1;
      return () => {
        answered += 1;
      };
    },
  });
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, async () => {
      await run({ repository, elapse });
      expect(asked).toBeGreaterThan(0);
      expect(answered).toBe(asked);
    });
  }
});

describe('the contract, kept by the Redis store on ioredis-mock', () => {
  const repository = new RedisSessionRepository({ client: new RedisMock() });
  // Its TIME is the rounded second of one clock and the microseconds of another. With the first one still, the other
  // can be made to fit.
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.spyOn(process, 'hrtime').mockImplementation(() => {
      const second = Math.round(Date.now() / 1000);
      return [second, (Date.now() - second * 1000) * 1e6];
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  const elapse = async (ms: number) => {
    vi.setSystemTime(Date.now() + ms);
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run({ repository, elapse }));
  }
});

describeLive(
  'the contract, kept by the Redis store on a shared Redis',
  { concurrent: true },
  () => {
    const prefix = useTestPrefix();
    let client: Redis;
    let subject: Subject;
    beforeAll(() => {
      client = new Redis(redisUrl());
      subject = { repository: new RedisSessionRepository({ client, prefix }), elapse: wait };
    });
    afterAll(() => client.quit());
    for (const { name, run } of sessionRepositoryContract) {
      it(name, () => run(subject));
    }
  },
);

const suite = describeWithServers.each(deployments);
suite('the contract, kept by the Redis store on $name', { concurrent: true }, ({ start }) => {
  let deployment: Deployment;
  let subject: Subject;
  beforeAll(async () => {
    deployment = await start();
    const client = await deployment.connect();
    subject = { repository: new RedisSessionRepository({ client }), elapse: wait };
  });
  afterAll(() => deployment?.stop());
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run(subject));
  }
});

suite('the contract, kept by the near cache on $name', { concurrent: true }, ({ start }) => {
  let deployment: Deployment;
  let nearCache: NearCache;
  let subject: Subject;
  beforeAll(async () => {
    deployment = await start();
    const client = await deployment.connect();
    nearCache = openNearCache({ client });
    if (client instanceof Redis)
      await until('it is trusted', async () => nearCache.stats().trusted);
    subject = { repository: nearCache.repository, elapse: wait };
  });
  afterAll(async () => {
    await nearCache?.close();
    await deployment?.stop();
  });
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run(subject));
  }
});

/** The clock of a real server goes on by itself; there is nothing to await but time. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
