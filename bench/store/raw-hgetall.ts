import { Redis } from 'ioredis';
import { connect } from '../connect.ts';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import type { Contender } from './contender.ts';

/** What the others are compared with: one HGETALL by ioredis, of a hash with as many fields as Sojourn's. */
export const rawHgetall: Contender = hgetall('HGETALL (ioredis)', async (url) => {
  const client = new Redis(url);
  return { client, close: async () => void (await client.quit()) };
});

/** The floor under Sojourn: the same command by the client that Sojourn uses, which sends the commands of a turn together. */
export const batchedHgetall: Contender = hgetall("HGETALL (Sojourn's client)", async (url) => {
  const { client, close } = await connect(url);
  return { client: client as Redis, close };
});

function hgetall(
  name: string,
  open: (url: string) => Promise<{ readonly client: Redis; close(): Promise<void> }>,
): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const { client, close } = await open(redisUrl);
      const key = (index: number) => `raw:${String(index).padStart(22, '0')}`;
      await forEachIndex(sessions, async (index) => {
        await client.hset(key(index), {
          created_at: '2026-04-02T12:34:56+00:00',
          last_accessed_at: '2026-04-02T12:34:56+00:00',
          session_ttl: String(TTL_SECONDS),
          session_secret: 'x'.repeat(43),
          ...applicationData(index),
        });
        await client.expire(key(index), TTL_SECONDS);
      });
      return { run: (index) => client.hgetall(key(index)), close };
    },
  };
}
