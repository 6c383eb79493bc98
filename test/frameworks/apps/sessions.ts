import { integer, SessionService, text } from 'sojourn';
import { sessionHandler } from 'sojourn/fetch';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';

const { REDIS_URL: url = 'redis://127.0.0.1:6379', PREFIX: prefix = 'shop:' } = process.env;
const { client } = await connectRedis({ kind: 'url', url });
const repository = new RedisSessionRepository({ client, prefix });

export const service = new SessionService({ repository });
export const fields = { theme: text(), cart: text(), visits: integer() };
export const withSession = sessionHandler({ service, fields, cookie: { secure: false } }); // true on HTTPS
