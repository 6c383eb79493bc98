import { Redis } from 'ioredis';
import { afterAll, beforeAll, it } from 'vitest';
import { type NearCache, openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type Subject, sessionRepositoryContract } from '../../src/testing.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import {
  describeLive,
  describeWithServers,
  redisUrl,
  useTestPrefix,
} from '../support/live-redis.ts';
import { until } from '../support/until.ts';

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
