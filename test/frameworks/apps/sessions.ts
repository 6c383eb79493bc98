import { integer, SessionService, text } from 'sojourn';
import { sessionHandler } from 'sojourn/fetch';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';

const { REDIS_URL: url = 'redis://127.0.0.1:6379', PREFIX: prefix = 'shop:' } = process.env;
const deadlineMs = Number(process.env.DEADLINE_MS ?? 1000); // how long each step of a request waits for Redis
const { client } = await connectRedis({ kind: 'url', url }, { commandTimeoutMs: deadlineMs / 2 });
const repository = new RedisSessionRepository({ client, prefix });

export const service = new SessionService({ repository });
export const fields = { theme: text(), cart: text(), visits: integer() };
export const options = { service, fields, deadlineMs, cookie: { secure: false } }; // secure: true on HTTPS
export const withSession = sessionHandler(options);
