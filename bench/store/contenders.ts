import { betterAuthContenders } from './better-auth.ts';
import { connectRedisGetSet, connectRedisSet, connectRedisTouch } from './connect-redis.ts';
import type { Contender } from './contender.ts';
import { honoSessions } from './hono-sessions.ts';
import { batchedHgetall, rawHgetall } from './raw-hgetall.ts';
import {
  nearCacheHit,
  nearCacheWithWrites,
  sojournByNodeRedis,
  sojournGet,
  sojournRefreshAfter,
  sojournVerbs,
  sojournWithoutLifetime,
} from './sojourn.ts';
import { tutorial } from './tutorial.ts';

/** The others are compared with the first. */
export const contenders: readonly Contender[] = [
  rawHgetall,
  batchedHgetall,
  sojournGet,
  sojournRefreshAfter,
  sojournByNodeRedis,
  ...sojournVerbs,
  nearCacheHit,
  nearCacheWithWrites,
  tutorial,
  connectRedisTouch,
  connectRedisGetSet,
  connectRedisSet,
  honoSessions,
  ...betterAuthContenders,
];

/** One of each way to lay a session out in Redis. */
export const layouts: readonly Contender[] = [
  sojournGet,
  sojournWithoutLifetime,
  tutorial,
  connectRedisTouch,
  honoSessions,
];

/** Whose cost should not depend on how many sessions there are. */
export const scaled: readonly Contender[] = [rawHgetall, sojournGet];
