/**
 * Moves the sessions that connect-redis wrote to SojournStore, so that nobody has to log in again. Run it while every server
 * carries sessions over with the phase `move` (docs/moving.md), or while the application is stopped. It may run twice.
 */
import { Redis } from 'ioredis';
import { fromConnectRedis, SojournStore } from 'sojourn/express';
import { RedisSessionRepository } from 'sojourn/redis';

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  PREFIX = 'express:',
  OLD_PREFIX = 'sess:',
} = process.env;

const client = new Redis(REDIS_URL);
const store = new SojournStore({
  repository: new RedisSessionRepository({ client, prefix: PREFIX }),
  carryOver: fromConnectRedis({ client, prefix: OLD_PREFIX, phase: 'move' }),
  userOf: (session) => (session as { user?: string }).user, // as in the application
});

let progress = { moved: 0, seen: 0, unreadable: 0 };
for await (progress of store.moveSessions());
await client.quit();
console.log(`Moved ${progress.moved} sessions; ${progress.unreadable} could not be read.`);
