import { Redis } from 'ioredis';
import { thisMachine } from '../../test/support/provision.ts';
import { provisionRedis } from '../../test/support/provision-redis.ts';
import { type RedisServer, startRedisServer } from '../../test/support/redis-server.ts';

export interface OwnRedis {
  readonly url: string;
  readonly version: string;
  readonly pid: number;
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
  const info = await observer.info('server');
  return {
    url: server.url,
    version: /redis_version:(\S+)/.exec(info)?.[1] ?? 'unknown',
    pid: Number(/process_id:(\d+)/.exec(info)?.[1]),
    observer,
    async stop() {
      observer.disconnect();
      await server.stop();
    },
  };
}
