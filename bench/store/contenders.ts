import { expressSession, fastifySession } from './connect-redis.ts';
import type { Contender } from './contender.ts';
import { honoSessions } from './hono-sessions.ts';
import { rawHgetall } from './raw-hgetall.ts';
import {
  nearCacheContenders,
  sojournContenders,
  sojournGet,
  sojournWithoutLifetime,
} from './sojourn.ts';
import { tutorial } from './tutorial.ts';

/** The first is the floor, which the others are measured against. */
export const contenders: readonly Contender[] = [
  rawHgetall,
  ...sojournContenders,
  ...nearCacheContenders,
  tutorial,
  expressSession,
  honoSessions,
  fastifySession,
];

/** One of each way to lay a session out in Redis. */
export const layouts: readonly Contender[] = [
  sojournGet,
  sojournWithoutLifetime,
  tutorial,
  expressSession,
  honoSessions,
];

/** Whose cost should not depend on how many sessions there are. */
export const scaled: readonly Contender[] = [rawHgetall, sojournGet];
