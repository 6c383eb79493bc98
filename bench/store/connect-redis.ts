import { RedisStore } from 'connect-redis';
import { forEachIndex, sessionWithCookie, TTL_SECONDS } from '../fixture.ts';
import { openNodeRedis } from '../node-redis.ts';
import type { Contender } from './contender.ts';
import { randomSessionId } from './random-session-id.ts';

/** What express-session asks of connect-redis for a request that changes nothing: get, then touch. */
export const connectRedisTouch = connectRedis(
  'connect-redis get + touch (express-session)',
  async (store, id) => {
    const session = await store.get(id);
    await store.touch(id, session);
    return session;
  },
);

/** What @fastify/session asks of connect-redis for a request that changes nothing: get, then set (`rolling`, its default). */
export const connectRedisGetSet = connectRedis(
  'connect-redis get + set (@fastify/session)',
  async (store, id) => {
    const session = await store.get(id);
    await store.set(id, session);
    return session;
  },
);

/** What a request that changes the session, or a login, writes. */
export const connectRedisSet = connectRedis('connect-redis set', async (store, id, index) => {
  await store.set(id, sessionWithCookie(index));
  return true;
});

function connectRedis(
  name: string,
  use: (store: RedisStore, id: string, index: number) => Promise<unknown>,
): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const client = await openNodeRedis(redisUrl);
      const store = new RedisStore({ client, ttl: TTL_SECONDS });
      const ids: string[] = new Array(sessions);
      await forEachIndex(sessions, async (index) => {
        const id = randomSessionId();
        ids[index] = id;
        await store.set(id, sessionWithCookie(index));
      });
      return {
        run: (index) => use(store, ids[index] as string, index),
        close: () => client.close(),
      };
    },
  };
}
