/**
 * A store for express-session (Express, NestJS) and @fastify/session.
 *
 * @module
 */
export {
  SojournStore,
  type SojournStoreOptions,
} from './adapters/express/session-store.ts';
