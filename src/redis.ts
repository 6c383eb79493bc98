/**
 * Sessions in Redis, and a connection that is safe for them.
 *
 * @module
 */
export {
  connectRedis,
  type HostAndPort,
  type RedisAccess,
  type RedisAddress,
  type RedisConnection,
} from './adapters/redis/connect-redis.ts';
export { countSessions } from './adapters/redis/count-sessions.ts';
export {
  type NearCache,
  type NearCacheOptions,
  openNearCache,
} from './adapters/redis/near-cache.ts';
export {
  type OnRecord,
  RedisSessionRepository,
  type RedisSessionRepositoryOptions,
} from './adapters/redis/redis-session-repository.ts';
export { type ScanOptions, scanSessions } from './adapters/redis/scan-sessions.ts';
export {
  type ShareCountOptions,
  type SharedCount,
  shareCount,
} from './adapters/redis/shared-count.ts';
export { type WatchExpiryOptions, watchExpiry } from './adapters/redis/watch-expiry.ts';
