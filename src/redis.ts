/**
 * Sessions and journals in Redis, a connection with safe options, and tools to scan, count and watch sessions.
 *
 * Guide: [Redis clients](../docs/redis-clients.md).
 *
 * @module
 */
export type {
  IoredisClient,
  NodeRedisClient,
  RedisClient,
} from './adapters/redis/clients/tell-apart.ts';
export {
  type ConnectOptions,
  connectRedis,
  type RedisConnection,
} from './adapters/redis/connect-redis.ts';
export { countSessions } from './adapters/redis/inspect/count-sessions.ts';
export type { WatchOptions } from './adapters/redis/inspect/key-events.ts';
export { type ScanOptions, scanSessions } from './adapters/redis/inspect/scan-sessions.ts';
export {
  type ShareCountOptions,
  type SharedCount,
  shareCount,
} from './adapters/redis/inspect/shared-count.ts';
export { watchEndings } from './adapters/redis/inspect/watch-endings.ts';
export { watchExpiry } from './adapters/redis/inspect/watch-expiry.ts';
export type { HostAndPort, RedisAccess, RedisAddress } from './adapters/redis/redis-address.ts';
export { RedisJournal, type RedisJournalOptions } from './adapters/redis/redis-journal.ts';
export {
  RedisSessionRepository,
  type RedisSessionRepositoryOptions,
} from './adapters/redis/redis-session-repository.ts';
