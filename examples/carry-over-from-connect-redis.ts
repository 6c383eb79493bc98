/**
 * Gives SojournStore the sessions that connect-redis wrote, so that nobody has to log in again. Run it while the
 * application is stopped; it may run twice, and leaves the old keys to expire.
 */
import { Redis } from 'ioredis';
import { SojournStore } from 'sojourn/express';
import { RedisSessionRepository } from 'sojourn/redis';

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  PREFIX = 'express:',
  OLD_PREFIX = 'sess:',
} = process.env;

const redis = new Redis(REDIS_URL);
const store = new SojournStore({
  repository: new RedisSessionRepository({ client: redis, prefix: PREFIX }),
  userOf: (session) => (session as { user?: string }).user, // as in the application
});

let carried = 0;
const match = `${OLD_PREFIX}*`;
for await (const keys of redis.scanStream({ match, count: 1000, type: 'string' })) {
  for (const key of keys as string[]) {
    const text = await redis.get(key);
    if (text === null) continue; // it has expired meanwhile
    await store.set(key.slice(OLD_PREFIX.length), JSON.parse(text));
    carried += 1;
  }
}
await redis.quit();
console.log(`Carried over ${carried} sessions.`);
