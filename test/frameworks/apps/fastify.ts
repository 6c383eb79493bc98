import cookie from '@fastify/cookie';
import session from '@fastify/session';
import fastify, { type preHandlerHookHandler } from 'fastify';
import { crossSite, type Kept, secret, service, store } from './session-store.ts';

declare module 'fastify' {
  interface Session extends Kept {}
}

const app = fastify();
app.addHook('onRequest', async (request, reply) => {
  const url = `${request.protocol}://${request.host}${request.url}`;
  const header = (name: string) => request.headers[name.toLowerCase()]?.toString();
  const refusal = crossSite({ method: request.method, url, header });
  if (refusal !== undefined) return reply.code(403).send(refusal);
});
await app.register(cookie);
const settings = { sameSite: 'lax', secure: false } as const; // true, the default, on HTTPS
await app.register(session, {
  store,
  secret,
  cookie: settings,
  rolling: false,
  saveUninitialized: false,
});
app.addContentTypeParser(
  'application/x-www-form-urlencoded',
  { parseAs: 'string' },
  async (_request: unknown, body: string) => Object.fromEntries(new URLSearchParams(body)),
);

type Form = { Body: { value: string } };
const preHandler: preHandlerHookHandler = async (request, reply) => {
  if (request.session.user === undefined) return reply.code(401).send();
};

app.get('/', async ({ session: { user = null, theme, cart, visits } }) => ({
  user,
  theme,
  cart,
  visits,
}));
app.post<Form>('/login', async (request, reply) => {
  await request.session.regenerate(); // a new id at every login
  Object.assign(request.session, { user: request.body.value, theme: 'light' }); // here the password would be checked
  return reply.redirect('/', 303);
});
app.post<Form>('/theme', { preHandler }, async (request) => {
  request.session.theme = request.body.value; // each key is a field of its own
  return {};
});
app.post<Form>('/cart', { preHandler }, async (request) => {
  request.session.cart = request.body.value;
  return {};
});
app.post('/visit', { preHandler }, async ({ session }) => {
  session.visits = (session.visits ?? 0) + 1; // of two requests at once, one counts
  return { visits: session.visits };
});
app.post<Form>('/flash', { preHandler }, async (request) => {
  request.session.notice = request.body.value;
  return {};
});
app.get('/flash', { preHandler }, async ({ session }) => {
  const { notice = null } = session;
  delete session.notice;
  return { notice };
});
app.post('/rotate', { preHandler }, async ({ session }) => {
  await session.regenerate(['user', 'theme', 'cart', 'visits']);
  return { rotated: true };
});
app.get('/devices', { preHandler }, async ({ session }) => {
  const own = store.idOf(session.sessionId);
  return (await service.list(session.user ?? '')).map(({ id }) => ({ id, here: id === own }));
});
app.post<Form>('/devices/end', { preHandler }, async ({ session, body }) => {
  const other = (await service.list(session.user ?? '')).find(({ id }) => id === body.value);
  return { ended: other !== undefined && (await service.end(other.id)) };
});
app.post('/logout', async ({ session }, reply) => {
  const ended = session.user !== undefined;
  await session.destroy();
  return reply.clearCookie('sessionId').send({ ended });
});

await app.listen({ port: Number(process.env.PORT), host: '127.0.0.1' });
