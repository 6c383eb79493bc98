/**
 * Sessions for applications on express-session (Express, NestJS) and @fastify/session.
 *
 * Guide: [From connect-redis to SojournStore](../docs/migrating-from-connect-redis.md).
 *
 * @module
 */
export {
  SojournStore,
  type SojournStoreOptions,
} from './adapters/express/session-store.ts';
