import type { AddressInfo } from 'node:net';
import cookie from '@fastify/cookie';
import fastifySessions from '@fastify/session';
import { RedisStore } from 'connect-redis';
import fastify from 'fastify';
import { applicationData, TTL_SECONDS } from '../fixture.ts';
import { openNodeRedis } from '../node-redis.ts';
import { greeting, type HttpContender } from './contender.ts';

export const fastifySession: HttpContender = async (redisUrl) => {
  const client = await openNodeRedis(redisUrl);
  const app = fastify();
  await app.register(cookie);
  await app.register(fastifySessions, {
    store: new RedisStore({ client, ttl: TTL_SECONDS }),
    secret: 'only-for-the-benchmark-only-for-the-benchmark',
    saveUninitialized: false,
    cookie: { maxAge: TTL_SECONDS * 1000, httpOnly: true, sameSite: 'lax', secure: false },
  });
  app.post('/login', async (request) => {
    const { user } = request.query as { user: string };
    Object.assign(request.session, applicationData(Number(user)));
    return '';
  });
  app.get('/', async (request) => {
    const { username } = request.session as { username?: string };
    return greeting(username);
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    port: (app.server.address() as AddressInfo).port,
    async close() {
      await app.close();
      await client.close();
    },
  };
};
