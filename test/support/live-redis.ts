import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { afterAll, describe, inject } from 'vitest';

/** A suite that needs a Redis. Skipped without one, which CI does not allow. Its body runs all the same. */
export const describeLive = describe.skipIf(inject('redisUrl') === undefined);

/** A suite that starts Redis servers of its own. Skipped without a binary, which CI does not allow. */
export const describeWithServers = describe.skipIf(inject('redisBinary') === undefined);

/** Where the shared Redis is. To be called in hooks and tests: the body of a skipped suite runs too. */
export function redisUrl(): string {
  return provided('redisUrl');
}

/** What to start servers with. To be called in hooks and tests: the body of a skipped suite runs too. */
export function redisBinary(): string {
  return provided('redisBinary');
}

/**
 * What the calling suite's keys on the shared Redis begin with: random, so that suites and people can share it. After
 * the suite every key that begins with it is removed, and no other.
 */
export function useTestPrefix(): string {
  const prefix = `test:${randomBytes(9).toString('hex')}:`;
  afterAll(async () => {
    const redis = new Redis(redisUrl(), { maxRetriesPerRequest: 0 });
    try {
      for await (const keys of redis.scanStream({ match: `${prefix}*`, count: 1000 })) {
        if (keys.length > 0) await redis.unlink(keys);
      }
    } finally {
      redis.disconnect();
    }
  });
  return prefix;
}

function provided(name: 'redisUrl' | 'redisBinary'): string {
  const value = inject(name);
  if (value === undefined)
    throw new Error(`There is no ${name}: use describeLive or describeWithServers`);
  return value;
}
