import { Redis } from 'ioredis';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import type { Contender } from './contender.ts';

/** The floor: one HGETALL by ioredis, of a hash with as many fields as Sojourn's. */
export const rawHgetall: Contender = {
  name: 'raw HGETALL (ioredis)',
  async open(redisUrl, sessions) {
    const redis = new Redis(redisUrl);
    const key = (index: number) => `raw:${String(index).padStart(22, '0')}`;
    await forEachIndex(sessions, async (index) => {
      await redis.hset(key(index), {
        created_at: '2026-04-02T12:34:56+00:00',
        last_accessed_at: '2026-04-02T12:34:56+00:00',
        session_ttl: String(TTL_SECONDS),
        session_secret: 'x'.repeat(43),
        ...applicationData(index),
      });
      await redis.expire(key(index), TTL_SECONDS);
    });
    return {
      run: (index) => redis.hgetall(key(index)),
      close: async () => void (await redis.quit()),
    };
  },
};
