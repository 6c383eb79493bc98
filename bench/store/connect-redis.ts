import { RedisStore } from 'connect-redis';
import { createClient } from 'redis';
import { forEachIndex, sessionWithCookie, TTL_SECONDS } from '../fixture.ts';
import type { Contender, OpenContender } from './contender.ts';
import { randomSessionId } from './random-session-id.ts';

/** What express-session asks of connect-redis for a request that changes nothing: get, then touch. */
export const expressSession: Contender = {
  name: 'express-session: connect-redis get + touch',
  open: (redisUrl, sessions) =>
    openStore(redisUrl, sessions, async (store, id) => {
      const session = await store.get(id);
      await store.touch(id, session);
      return session;
    }),
};

/** What @fastify/session asks of connect-redis for a request that changes nothing: get, then set (`rolling`, its default). */
export const fastifySession: Contender = {
  name: '@fastify/session: connect-redis get + set',
  open: (redisUrl, sessions) =>
    openStore(redisUrl, sessions, async (store, id) => {
      const session = await store.get(id);
      await store.set(id, session);
      return session;
    }),
};

async function openStore(
  redisUrl: string,
  sessions: number,
  use: (store: RedisStore, id: string) => Promise<unknown>,
): Promise<OpenContender> {
  const client = createClient({ url: redisUrl });
  await client.connect();
  const store = new RedisStore({ client, ttl: TTL_SECONDS });
  const ids: string[] = new Array(sessions);
  await forEachIndex(sessions, async (index) => {
    const id = randomSessionId();
    ids[index] = id;
    await store.set(id, sessionWithCookie(index));
  });
  return {
    run: (index) => use(store, ids[index] as string),
    close: async () => void (await client.quit()),
  };
}
