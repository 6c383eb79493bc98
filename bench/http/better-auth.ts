import { Hono } from 'hono';
import { openBetterAuth } from '../better-auth.ts';
import { openNodeRedis } from '../node-redis.ts';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

/** As its documentation has it: a route asks who is there. */
export const betterAuth: HttpContender = async (redisUrl) => {
  const redis = await openNodeRedis(redisUrl);
  const { auth, signUp } = openBetterAuth(redis, { updateAge: 60 });
  const app = new Hono();
  app.post('/login', async (c) =>
    c.text('', 200, { 'Set-Cookie': await signUp(Number(c.req.query('user'))) }),
  );
  app.get('/', async (c) => {
    const found = await auth.api.getSession({ headers: c.req.raw.headers });
    return c.text(greeting(found?.user.name));
  });
  return listenHono(app, () => redis.close());
};
