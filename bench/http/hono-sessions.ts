import { Hono } from 'hono';
import { type Session, sessionMiddleware } from 'hono-sessions';
import { Redis } from 'ioredis';
import { applicationData, TTL_SECONDS } from '../fixture.ts';
import { HonoSessionsRedisStore } from '../hono-sessions-redis-store.ts';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

export const honoSessions: HttpContender = (redisUrl) => {
  const redis = new Redis(redisUrl);
  const app = new Hono<{ Variables: { session: Session<Record<string, string>> } }>();
  app.use(
    sessionMiddleware({
      store: new HonoSessionsRedisStore(redis),
      expireAfterSeconds: TTL_SECONDS,
      cookieOptions: { path: '/', httpOnly: true, sameSite: 'Lax' },
    }),
  );
  app.post('/login', (c) => {
    const data = applicationData(Number(c.req.query('user')));
    for (const [name, value] of Object.entries(data)) c.var.session.set(name, value);
    return c.text('');
  });
  app.get('/', (c) => c.text(greeting(c.var.session.get('username') ?? undefined)));
  return listenHono(app, () => redis.quit());
};
