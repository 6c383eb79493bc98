import { MemorySessionRepository } from 'sojourn/memory';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';
import { type Subject, sessionRepositoryContract } from 'sojourn/testing';

type Case = readonly [name: string, run: () => Promise<void>];

const { REDIS_URL: url = '', PREFIX: prefix = '' } = process.env;
// Not about timeouts: a machine that is busy with other things is slow.
const patient = { connectTimeoutMs: 10_000, commandTimeoutMs: 10_000 };
const connection = await connectRedis({ kind: 'url', url }, patient);
let now = Date.now();

/** To be run one after the other: they share a clock. */
export const memoryCases = casesOf('memory', {
  repository: new MemorySessionRepository({ now: () => now }),
  async elapse(ms) {
    now += ms;
  },
});

/** To be run at once: they wait a lot. */
export const redisCases = casesOf('redis', {
  repository: new RedisSessionRepository({ client: connection.client, prefix }),
  elapse: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
});

export const closeRedis = () => connection.close();

function casesOf(store: string, subject: Subject): readonly Case[] {
  return sessionRepositoryContract.map(({ name, run }) => [
    `${store}: ${name}`,
    () => run(subject),
  ]);
}
