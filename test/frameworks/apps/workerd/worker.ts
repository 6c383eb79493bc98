import { integer, SessionService, text } from 'sojourn';
import { sessionHandler } from 'sojourn/fetch';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';
import { shop } from '../shop.ts';

const fields = { theme: text(), cart: text(), visits: integer() };

export default {
  async fetch(request: Request, env: Record<string, string>) {
    const { REDIS_URL: url, PREFIX: prefix, DEADLINE_MS } = env;
    const deadlineMs = Number(DEADLINE_MS ?? 1000);
    const timeouts = { commandTimeoutMs: deadlineMs / 2 };
    // Of this request alone: workerd lets no other use it.
    const redis = await connectRedis({ kind: 'url', url }, timeouts).catch(() => undefined);
    if (redis === undefined) return new Response('Try again in a moment.', { status: 503 });
    const repository = new RedisSessionRepository({ client: redis.client, prefix });
    const service = new SessionService({ repository });
    const withSession = sessionHandler({ service, fields, deadlineMs, cookie: { secure: false } });
    return withSession(request, (session) => shop(request, session, service)).finally(redis.close);
  },
};
