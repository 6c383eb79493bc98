/**
 * A shop on Hono: log in, fill a cart, see where you are logged in, log out here or everywhere.
 *
 *     curl -c jar -b jar -d user=ada localhost:3000/login
 *     curl -c jar -b jar -d item=tea localhost:3000/cart
 *     curl -c jar -b jar localhost:3000/devices
 */
import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { deviceLabel, integer, json, SessionService, text } from 'sojourn';
import { type SessionsEnv, sessions } from 'sojourn/hono';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';
import { z } from 'zod';

const { REDIS_URL = 'redis://127.0.0.1:6379', PORT = '3000', PREFIX = 'shop:' } = process.env;

const redis = await connectRedis({ kind: 'url', url: REDIS_URL });
const service = new SessionService({
  repository: new RedisSessionRepository({ client: redis.client, prefix: PREFIX }),
  policy: { ttl: 30 * 60, lifetime: 24 * 3600, maxSessions: 5 },
});
const fields = { cart: json(z.array(z.string())), page_views: integer(), theme: text() };

const app = new Hono<SessionsEnv<typeof fields>>();
app.use(sessions({ service, fields, cookie: { secure: false } })); // true, the default, behind HTTPS

app.post('/login', async (c) => {
  const { user } = await c.req.parseBody(); // here the password would be checked
  if (typeof user !== 'string') throw new HTTPException(400);
  const userAgent = c.req.header('User-Agent') ?? '';
  const device = { label: deviceLabel(userAgent), userAgent };
  await c.var.session.start(user, { cart: [] }, { device });
  return c.text('Welcome.');
});

app.post('/cart', async (c) => {
  const { item } = await c.req.parseBody();
  const session = c.var.session.requiredUser();
  session.set('cart', [...(session.get('cart') ?? []), String(item)]);
  return c.json(session.get('cart'));
});

app.get('/', async (c) => {
  const { session } = c.var;
  if (session.user === undefined) return c.text('Hello stranger.');
  const views = await session.requiredUser().increment('page_views');
  return c.text(`Hello ${session.user}, page ${views} here.`);
});

app.get('/devices', async (c) => {
  const { user } = c.var.session.requiredUser();
  const list = await service.list(user);
  return c.json(list.map(({ device, lastAccessedAt }) => ({ ...device, lastAccessedAt })));
});

app.post('/logout', async (c) => {
  await c.var.session.end();
  return c.text('Goodbye.');
});

app.post('/logout-everywhere', async (c) => {
  const session = c.var.session.requiredUser();
  const others = await service.deleteAll(session.user, { except: session.id });
  await session.end();
  return c.text(`Ended ${others + 1} sessions.`);
});

const server = serve(
  { fetch: app.fetch, port: Number(PORT), hostname: '127.0.0.1' },
  ({ port }) => {
    console.log(`http://127.0.0.1:${port}`);
  },
);
process.once('SIGTERM', () => server.close(() => redis.close()));
