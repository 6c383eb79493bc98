import { Redis } from 'ioredis';
import { provisionRedis, thisMachine } from '../../test/support/provision-redis.ts';
import { type RedisServer, startRedisServer } from '../../test/support/redis-server.ts';

export interface OwnRedis {
  readonly url: string;
  readonly version: string;
  /** For the counters; no contender uses it. */
  readonly observer: Redis;
  stop(): Promise<void>;
}

/** A Redis for this run alone.*/
export async function startOwnRedis(): Promise<OwnRedis> {
  const binary = await provisionRedis(thisMachine());
  if (binary === undefined) throw new Error('The benchmarks need redis-server on PATH.');
  const server: RedisServer = await startRedisServer({ binary });
  const observer = new Redis(server.url);
  const version = /redis_version:(\S+)/.exec(await observer.info('server'))?.[1] ?? 'unknown';
  return {
    url: server.url,
    version,
    observer,
    async stop() {
      observer.disconnect();
      await server.stop();
    },
  };
}
