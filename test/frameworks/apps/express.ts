import { promisify } from 'node:util';
import express, { type Request, type RequestHandler } from 'express';
import session from 'express-session';
import { crossSite, secret, service, store } from './session-store.ts';

const app = express();
app.use((req, res, next) => {
  const url = `${req.protocol}://${req.host}${req.originalUrl}`;
  const refusal = crossSite({ method: req.method, url, header: (name) => req.get(name) });
  if (refusal === undefined) next();
  else res.status(403).send(refusal);
});
const cookie = { sameSite: 'lax' } as const; // and secure: true on HTTPS
app.use(session({ store, secret, cookie, resave: false, saveUninitialized: false }));
app.use(express.urlencoded());

// express-session begins to answer before it has saved: who must see the change next, saves first.
const renew = (req: Request) => promisify(req.session.regenerate).call(req.session);
const save = (req: Request) => promisify(req.session.save).call(req.session);

const loggedIn: RequestHandler = (req, res, next) => {
  if (req.session.user === undefined) res.sendStatus(401);
  else next();
};

app.get('/', ({ session: { user = null, theme, cart, visits } }, res) => {
  res.json({ user, theme, cart, visits });
});
app.post('/login', async (req, res) => {
  await renew(req); // a new id at every login
  Object.assign(req.session, { user: req.body.value, theme: 'light' }); // here the password would be checked
  await save(req);
  res.redirect(303, '/');
});
app.post(['/theme', '/cart'], loggedIn, async (req, res) => {
  req.session[req.path === '/theme' ? 'theme' : 'cart'] = req.body.value; // each key is a field of its own
  await save(req);
  res.json({});
});
app.post('/visit', loggedIn, async (req, res) => {
  req.session.visits = (req.session.visits ?? 0) + 1; // of two requests at once, one counts
  await save(req);
  res.json({ visits: req.session.visits });
});
app.post('/flash', loggedIn, async (req, res) => {
  req.session.notice = req.body.value;
  await save(req);
  res.json({});
});
app.get('/flash', loggedIn, async (req, res) => {
  const { notice = null } = req.session;
  delete req.session.notice;
  await save(req);
  res.json({ notice });
});
app.post('/rotate', loggedIn, async (req, res) => {
  const { cookie: _itsOwn, ...data } = req.session;
  await renew(req);
  Object.assign(req.session, data);
  await save(req);
  res.json({ rotated: true });
});
app.get('/devices', loggedIn, async (req, res) => {
  const own = store.idOf(req.sessionID);
  const list = await service.list(req.session.user ?? '');
  res.json(list.map(({ id }) => ({ id, here: id === own })));
});
app.post('/devices/end', loggedIn, async (req, res) => {
  const list = await service.list(req.session.user ?? '');
  const other = list.find(({ id }) => id === req.body.value);
  res.json({ ended: other !== undefined && (await service.end(other.id)) });
});
app.post('/logout', async (req, res) => {
  const ended = req.session.user !== undefined;
  await promisify(req.session.destroy).call(req.session);
  res.clearCookie('connect.sid').json({ ended });
});

app.listen(Number(process.env.PORT), '127.0.0.1');
