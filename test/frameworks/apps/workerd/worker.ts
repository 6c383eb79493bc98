import { integer, SessionService, text } from 'sojourn';
import { sessionHandler } from 'sojourn/fetch';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';
import { shop } from '../shop.ts';

const fields = { theme: text(), cart: text(), visits: integer() };

export default {
  async fetch(request: Request, { REDIS_URL: url, PREFIX: prefix }: Record<string, string>) {
    // Of this request alone: workerd lets no other use it.
    const redis = await connectRedis({ kind: 'url', url }).catch(() => undefined);
    if (redis === undefined) return new Response('Try again in a moment.', { status: 503 });
    const repository = new RedisSessionRepository({ client: redis.client, prefix });
    const service = new SessionService({ repository });
    const withSession = sessionHandler({ service, fields, cookie: { secure: false } });
    const response = await withSession(request, (session) => shop(request, session, service));
    await redis.close();
    return response;
  },
};
