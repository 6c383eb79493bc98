import { SessionService } from 'sojourn';
import { SojournStore } from 'sojourn/express';
import { crossSiteCheck } from 'sojourn/fetch';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';

/** What the application keeps in a session. */
export interface Kept {
  user?: string;
  theme?: string;
  cart?: string;
  visits?: number;
  notice?: string;
}

declare module 'express-session' {
  interface SessionData extends Kept {}
}

const { REDIS_URL: url = 'redis://127.0.0.1:6379', PREFIX: prefix = 'shop:' } = process.env;
const commandTimeoutMs = Number(process.env.DEADLINE_MS ?? 1000) / 2; // most requests wait for Redis twice
const { client } = await connectRedis({ kind: 'url', url }, { commandTimeoutMs });
const repository = new RedisSessionRepository({ client, prefix });

export const store = new SojournStore({ repository, userOf: ({ user }) => user });
export const service = new SessionService({ repository }); // a user's sessions together
export const secret = process.env.SESSION_SECRET ?? 'only for development, 32 characters';

/** Why a request is to be refused with 403, if it is: express-session and @fastify/session leave that to the application. */
export const crossSite = crossSiteCheck();
