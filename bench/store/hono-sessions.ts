import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import { HonoSessionsRedisStore } from '../hono-sessions-redis-store.ts';
import type { Contender } from './contender.ts';

/** What hono-sessions asks of its store for a request that changes nothing: read, then write with a later end. */
export const honoSessions: Contender = {
  name: 'hono-sessions: get + set (ioredis)',
  async open(redisUrl, sessions) {
    const redis = new Redis(redisUrl);
    const store = new HonoSessionsRedisStore(redis);
    const ids: string[] = new Array(sessions);
    await forEachIndex(sessions, async (index) => {
      const id = randomUUID();
      ids[index] = id;
      const data = Object.entries(applicationData(index));
      await store.createSession(id, {
        _id: id,
        _data: Object.fromEntries(data.map(([name, value]) => [name, { value, flash: false }])),
        _expire: inHalfAnHour(),
        _delete: false,
        _accessed: new Date().toISOString(),
      });
    });
    return {
      async run(index) {
        const id = ids[index] as string;
        const session = await store.getSessionById(id);
        if (session === undefined) return undefined;
        session._expire = inHalfAnHour();
        session._accessed = new Date().toISOString();
        await store.persistSessionData(id, session);
        return session;
      },
      close: async () => void (await redis.quit()),
    };
  },
};

function inHalfAnHour(): string {
  return new Date(Date.now() + TTL_SECONDS * 1000).toISOString();
}
