import { Hono } from 'hono';
import { beforeEach, describe, expect, it } from 'vitest';
import { sessionHandler } from '../../src/fetch.ts';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

let service: SessionService;
let calls: string[];
let jar: string;

beforeEach(async () => {
  calls = [];
  const repository = new Proxy(new MemorySessionRepository(), {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        calls.push(String(name));
        return member.apply(target, args);
      };
    },
  });
  service = new SessionService({ repository });
  jar = `sid=${(await service.create({ cart: 'tea' }, { user: 'guest' })).token}`;
});

const options = () => ({ service, cookie: { secure: false } });

/** The shop: it logs in and out, and only looks. */
function shop() {
  const app = new Hono<SessionsEnv>();
  app.use(sessions(options()));
  app.post('/login', async (c) => {
    await c.var.session.start('ada');
    return c.text(c.var.session.user ?? '');
  });
  app.post('/logout', async (c) => c.json(await c.var.session.end()));
  app.post('/set', (c) => {
    c.var.session.required().set('b', '2');
    return c.text('');
  });
  app.post('/look', (c) => c.text(c.var.session.user ?? 'nobody'));
  return app;
}

/** The same by `sessionHandler`. */
function fetchShop(request: Request): Promise<Response> {
  return sessionHandler(options())(request, async (session) => {
    const path = new URL(request.url).pathname;
    if (path.endsWith('/login')) await session.start('ada');
    if (path.endsWith('/logout')) await session.end();
    if (path.endsWith('/set')) session.required().set('b', '2');
    return new Response(session.user ?? 'nobody');
  });
}

/** An application that renews the token, and has the shop in it in every way that there is. */
function around() {
  const app = new Hono<SessionsEnv>();
  app.use(sessions(options()));
  app.use(async (c, next) => {
    const { session } = c.var;
    if (session.id !== undefined) await session.required().rotate({ grace: 30 });
    await next();
  });
  const inner = shop();
  app.route('/route', inner);
  app.mount('/mount', inner.fetch);
  app.mount('/as-it-is', (request: Request) => fetchShop(request), { replaceRequest: false });
  app.all('/raw/*', (c) => fetchShop(c.req.raw));
  app.all('/raw-hono/*', (c) => {
    const nested = new Hono().route('/raw-hono', inner);
    return nested.fetch(c.req.raw);
  });
  app.all('/copy/*', (c) => fetchShop(new Request(c.req.raw)));
  return app;
}

/** The same around `sessionHandler`, whose framework may copy the request. */
const aroundFetch = {
  fetch: (request: Request) =>
    sessionHandler(options())(request, async (session) => {
      if (session.id !== undefined) await session.required().rotate({ grace: 30 });
      const nested = new Hono().route('/raw-hono', shop()).route('/copy-hono', shop());
      const path = new URL(request.url).pathname;
      if (path.startsWith('/raw-hono/')) return nested.fetch(request);
      if (path.startsWith('/copy-hono/')) return nested.fetch(new Request(request));
      return fetchShop(path.startsWith('/copy/') ? new Request(request) : request);
    }),
};

async function ask(app: { fetch(request: Request): Response | Promise<Response> }, path: string) {
  const headers = { Cookie: jar };
  const response = await app.fetch(
    new Request(`http://site.example${path}`, { method: 'POST', headers }),
  );
  const cookies = response.headers.getSetCookie();
  for (const set of cookies) jar = set.split(';')[0] ?? '';
  return { status: response.status, cookies };
}

const session = () => service.peek(jar.slice('sid='.length));

const ways: [string, () => { fetch(request: Request): Response | Promise<Response> }, string][] = [
  ['app.route', around, '/route'],
  ['app.mount', around, '/mount'],
  ['app.mount of the same request', around, '/as-it-is'],
  ['sessionHandler of the same request', around, '/raw'],
  ['another application of the same request', around, '/raw-hono'],
  ['sessionHandler of a copied request', around, '/copy'],
  ['sessionHandler in sessionHandler', () => aroundFetch, '/raw'],
  ['sessionHandler of a copied request in sessionHandler', () => aroundFetch, '/copy'],
  ['Hono in sessionHandler', () => aroundFetch, '/raw-hono'],
  ['Hono with a copied request in sessionHandler', () => aroundFetch, '/copy-hono'],
];

describe.each(ways)('an application mounted by %s', (_way, outer, path) => {
  it('logs in, though the token was rotated around it', async () => {
    const { status, cookies } = await ask(outer(), `${path}/login`);
    expect(status).toBe(200);
    expect(cookies).toHaveLength(1);
    expect((await session())?.user).toBe('ada');
    expect(await service.list('guest')).toEqual([]);
  });

  it('logs out, though the token was rotated around it', async () => {
    const { cookies } = await ask(outer(), `${path}/logout`);
    expect(cookies).toEqual([expect.stringContaining('sid=; Max-Age=0')]);
    expect(await service.list('guest')).toEqual([]);
  });

  it('writes, and the rotation is not lost', async () => {
    const { cookies } = await ask(outer(), `${path}/set`);
    expect(cookies).toHaveLength(1);
    expect((await session())?.fields).toEqual({ cart: 'tea', b: '2' });
  });
});

it.each(ways.filter(([, , path]) => !/mount|copy/.test(path)))(
  'there is one session a request with %s',
  async (_way, outer, path) => {
    calls.length = 0;
    await ask(outer(), `${path}/look`);
    expect(calls).toEqual(['access', 'rotate']);
  },
);

it.each([
  ['Hono', '/mount/'],
  ['sessionHandler', '/copy'],
])(
  'a login after a mounted application has rotated the token logs in: %s',
  async (_which, path) => {
    const inner = (request: Request) =>
      sessionHandler(options())(request, async (session) => {
        await session.required().rotate({ grace: 30 });
        return new Response('');
      });
    const app = new Hono<SessionsEnv>();
    app.use('/mount/*', sessions(options()), async (c, next) => {
      await next();
      await c.var.session.start('ada');
    });
    app.mount('/mount', inner);
    app.all('/copy', ({ req: { raw } }) =>
      sessionHandler(options())(raw, async (session) => {
        const response = await inner(new Request(raw));
        await session.start('ada');
        return response;
      }),
    );
    await ask(app, path);
    expect((await session())?.user).toBe('ada');
    expect(await service.list('guest')).toEqual([]);
  },
);

it('a request that was handled can be handled again', async () => {
  const app = shop();
  const request = new Request('http://site.example/look', {
    method: 'POST',
    headers: { Cookie: jar },
  });
  expect(await (await app.fetch(request)).text()).toBe('guest');
  await service.deleteAll('guest');
  expect(await (await app.fetch(request)).text()).toBe('nobody');
});

it('the mounted application may not have another service under the same cookie', async () => {
  const other = new SessionService({ repository: new MemorySessionRepository() });
  const app = new Hono<SessionsEnv>();
  app.use(sessions(options()));
  app.all('/look', (c) =>
    sessionHandler({ ...options(), service: other })(c.req.raw, () => new Response('')),
  );
  app.onError((error, c) => c.text(error.message, 500));
  expect((await ask(app, '/look')).status).toBe(500);
});

it('a handler that clears the cookie by itself still logs in', async () => {
  const app = new Hono<SessionsEnv>();
  app.use(sessions(options()));
  app.post('/login', async (c) => {
    c.header('Set-Cookie', 'sid=; Max-Age=0; Path=/', { append: true });
    c.header('Set-Cookie', 'sidecar=1', { append: true });
    await c.var.session.start('ada');
    return c.text('');
  });
  const { cookies } = await ask(app, '/login');
  expect(cookies).toHaveLength(3);
  expect((await session())?.user).toBe('ada');
});
