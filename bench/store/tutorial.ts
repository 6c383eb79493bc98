import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import type { Contender } from './contender.ts';

/** The sequence of Redis' tutorial "session store": HGET, then MULTI of HSET, EXPIRE and HGETALL. */
export const tutorial: Contender = {
  name: "the tutorial's sequence (ioredis)",
  async open(redisUrl, sessions) {
    const redis = new Redis(redisUrl);
    const keys: string[] = new Array(sessions);
    await forEachIndex(sessions, async (index) => {
      const key = `session:${randomUUID()}`;
      keys[index] = key;
      const now = instant();
      const record = { created_at: now, last_accessed_at: now, session_ttl: String(TTL_SECONDS) };
      await redis.hset(key, { ...record, ...applicationData(index) });
      await redis.expire(key, TTL_SECONDS);
    });
    return {
      async run(index) {
        const key = keys[index] as string;
        const ttl = await redis.hget(key, 'session_ttl');
        if (ttl === null) return undefined;
        const answers = await redis
          .multi()
          .hset(key, 'last_accessed_at', instant())
          .expire(key, Number(ttl))
          .hgetall(key)
          .exec();
        return answers?.[2]?.[1];
      },
      close: async () => void (await redis.quit()),
    };
  },
};

function instant(): string {
  return `${new Date().toISOString().slice(0, 19)}+00:00`;
}
