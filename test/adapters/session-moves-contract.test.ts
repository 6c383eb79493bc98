import { Redis } from 'ioredis';
import { afterAll, beforeAll, it } from 'vitest';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type MovesSubject, sessionMovesContract } from '../../src/testing.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import {
  describeLive,
  describeWithServers,
  redisUrl,
  useTestPrefix,
} from '../support/live-redis.ts';

describeLive('the contract of moves, kept between two prefixes', { concurrent: true }, () => {
  const prefix = useTestPrefix();
  let client: Redis;
  let subject: MovesSubject;
  beforeAll(() => {
    client = new Redis(redisUrl());
    const at = (name: string) =>
      new RedisSessionRepository({ client, prefix: `${prefix}${name}:` });
    subject = { from: at('old'), to: at('new'), elapse: wait };
  });
  afterAll(() => client.quit());
  for (const { name, run } of sessionMovesContract) it(name, () => run(subject));
});

const suite = describeWithServers.each(deployments);
suite('the contract of moves, kept on $name', { concurrent: true }, ({ start }) => {
  let deployment: Deployment;
  let subject: MovesSubject;
  beforeAll(async () => {
    deployment = await start();
    const client = await deployment.connect();
    const at = (prefix: string) => new RedisSessionRepository({ client, prefix });
    subject = { from: at('old:'), to: at('new:'), elapse: wait };
  });
  afterAll(() => deployment?.stop());
  for (const { name, run } of sessionMovesContract) it(name, () => run(subject));
});

/** The clock of a real server goes on by itself; there is nothing to await but time. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
