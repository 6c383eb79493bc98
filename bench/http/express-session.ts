import type { AddressInfo } from 'node:net';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { applicationData, TTL_SECONDS } from '../fixture.ts';
import { openNodeRedis } from '../node-redis.ts';
import { closeServer, greeting, type HttpContender } from './contender.ts';

export const expressSession: HttpContender = async (redisUrl) => {
  const client = await openNodeRedis(redisUrl);
  const app = express();
  app.use(
    session({
      store: new RedisStore({ client, ttl: TTL_SECONDS }),
      secret: 'only-for-the-benchmark-only-for-the-benchmark',
      resave: false,
      saveUninitialized: false,
      cookie: { maxAge: TTL_SECONDS * 1000, httpOnly: true, sameSite: 'lax' },
    }),
  );
  app.post('/login', (request, response) => {
    Object.assign(request.session, applicationData(Number(request.query.user)));
    response.type('text/plain').send('');
  });
  app.get('/', (request, response) => {
    const { username } = request.session as { username?: string };
    response.type('text/plain').send(greeting(username));
  });
  return new Promise((resolve) => {
    const server = app.listen(0, '127.0.0.1', () =>
      resolve({
        port: (server.address() as AddressInfo).port,
        async close() {
          await closeServer(server);
          await client.close();
        },
      }),
    );
  });
};
