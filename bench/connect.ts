import { connectRedis, type RedisConnection } from '../src/redis.ts';

/** As applications connect, except that a busy machine ends no benchmark: the figures say that it was busy. */
export function connect(url: string): Promise<RedisConnection> {
  return connectRedis(
    { kind: 'url', url },
    { commandTimeoutMs: 10_000, connectTimeoutMs: 10_000, readyTimeoutMs: 30_000 },
  );
}
