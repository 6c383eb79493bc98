/**
 * Express with express-session, its sessions in Sojourn: `req.session` as ever, and requests that no longer overwrite each other.
 *
 *     curl -c jar -b jar -d user=ada localhost:3000/login
 *     curl -c jar -b jar -d item=tea localhost:3000/cart
 *     curl -c jar -b jar localhost:3000/key
 */
import express from 'express';
import session from 'express-session';
import { SessionService } from 'sojourn';
import { SojournStore } from 'sojourn/express';
import { connectRedis, RedisSessionRepository, scanSessions } from 'sojourn/redis';

declare module 'express-session' {
  interface SessionData {
    user: string;
    cart: string[];
    theme: string;
  }
}

const {
  REDIS_URL = 'redis://127.0.0.1:6379',
  PORT = '3000',
  PREFIX = 'express:',
  SECRET = 'only for this example',
} = process.env;

const redis = await connectRedis({ kind: 'url', url: REDIS_URL });
const repository = new RedisSessionRepository({ client: redis.client, prefix: PREFIX });
const store = new SojournStore({
  repository,
  userOf: ({ user }) => user,
  scan: () => scanSessions({ client: redis.client, prefix: PREFIX }),
  policy: { lifetime: 7 * 24 * 3600 },
});
const service = new SessionService({ repository }); // for a user's sessions together

const app = express();
app.use(express.urlencoded());
app.use(
  session({
    store,
    secret: SECRET,
    resave: false,
    saveUninitialized: false,
    cookie: { maxAge: 30 * 60 * 1000, sameSite: 'lax' }, // and `secure: true` behind HTTPS
  }),
);

app.post('/login', (req, res, next) => {
  // A new id at every login: whoever knew the old one knows nothing.
  req.session.regenerate((error) => {
    if (error) return next(error);
    req.session.user = String(req.body.user); // here the password would be checked
    res.send('Welcome.');
  });
});

app.post('/cart', (req, res) => {
  req.session.cart = [...(req.session.cart ?? []), String(req.body.item)];
  res.json(req.session.cart);
});

app.post('/theme', (req, res) => {
  req.session.theme = String(req.body.theme); // a key of its own: a request that fills the cart leaves it alone
  res.send('Painted.');
});

app.get('/', (req, res) => {
  const { user, cart, theme } = req.session;
  res.json({ user, cart, theme });
});

app.post('/logout', (req, res, next) => {
  req.session.destroy((error) => (error ? next(error) : res.send('Goodbye.')));
});

app.post('/logout-everywhere', async (req, res) => {
  if (req.session.user === undefined) return void res.sendStatus(401);
  res.send(`Ended ${await service.deleteAll(req.session.user)} sessions.`);
});

// What redis-cli shows: HGETALL of this key.
app.get('/key', (req, res) => {
  res.send(`${PREFIX}${store.idOf(req.sessionID)}`);
});

const server = app.listen(Number(PORT), '127.0.0.1', () => {
  const address = server.address();
  console.log(`http://127.0.0.1:${typeof address === 'object' ? address?.port : PORT}`);
});
process.once('SIGTERM', () => server.close(() => redis.close()));
