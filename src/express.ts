/**
 * A store for express-session (Express, NestJS) and @fastify/session.
 *
 * Guide: [From connect-redis to SojournStore](../docs/migrating-from-connect-redis.md).
 *
 * @module
 */
export {
  type FromConnectRedisOptions,
  fromConnectRedis,
} from './adapters/express/carry-over/from-connect-redis.ts';
export type { OldMoveProgress } from './adapters/express/carry-over/move-old-sessions.ts';
export type { OldFormat } from './adapters/express/carry-over/old-format.ts';
export type { OldSessions } from './adapters/express/carry-over/old-sessions.ts';
export {
  SojournStore,
  type SojournStoreOptions,
} from './adapters/express/session-store.ts';
