import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { LinearRouter } from 'hono/router/linear-router';
import { stream } from 'hono/streaming';
import { describe, expect, it } from 'vitest';
import { type SessionsEnv, type SessionsOptions, sessions } from '../../src/hono.ts';
import { type SessionRepository, SessionService, StoreUnavailableError } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

/** An application on a store whose calls the test counts, holds and breaks. */
function application(options: Partial<SessionsOptions> = {}, policy = {}) {
  const calls: string[] = [];
  const store = { down: false, hang: false };
  const real = new MemorySessionRepository();
  const repository: SessionRepository = new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        calls.push(String(name));
        if (store.hang) return new Promise(() => {});
        if (store.down) return Promise.reject(new StoreUnavailableError('refused'));
        return member.apply(target, args);
      };
    },
  });
  const service = new SessionService({ repository, policy });
  const app = new Hono<SessionsEnv>({ router: new LinearRouter() }); // takes routes after the first request too
  app.use(sessions({ service, cookie: { secure: false }, ...options }));
  app.post('/login', async (c) => {
    await c.var.session.start('ada', { a: '1' }, { persistent: c.req.query('remember') === 'yes' });
    return c.text('');
  });
  app.get('/', (c) => c.json(c.var.session.current?.fields ?? null));
  return { app, calls, store, service };
}

type Site = ReturnType<typeof application>;

async function login({ app }: Site, path = '/login'): Promise<{ cookie: string; set: string }> {
  const response = await app.request(path, { method: 'POST' });
  const [set = '', ...more] = response.headers.getSetCookie();
  expect(more).toEqual([]);
  return { cookie: set.split(';')[0] ?? '', set };
}

const as = (cookie: string, method = 'GET') => ({ method, headers: { Cookie: cookie } });

describe('plain writes', () => {
  it('are collected and written in one call, only what changed, before the response leaves', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/write', (c) => {
      const session = c.var.session.required();
      session.set('b', '2');
      session.set('c', '3');
      session.unset('a');
      expect(session.get('b')).toBe('2');
      expect(session.get('a')).toBeUndefined();
      return c.text('');
    });
    site.calls.length = 0;
    const response = await site.app.request('/write', as(cookie, 'POST'));
    expect(site.calls).toEqual(['access', 'update']);
    expect(response.headers.has('Set-Cookie')).toBe(false);
    expect(await (await site.app.request('/', as(cookie))).json()).toEqual({ b: '2', c: '3' });
  });

  it('are written where the handler throws an HTTPException, and discarded at any other error', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/refuse', (c) => {
      c.var.session.required().set('seen', 'yes');
      throw new HTTPException(409);
    });
    site.app.post('/crash', (c) => {
      c.var.session.required().set('seen', 'no');
      throw new Error('a bug');
    });
    site.app.onError((error, c) => c.text('', error instanceof HTTPException ? error.status : 500));
    expect((await site.app.request('/refuse', as(cookie, 'POST'))).status).toBe(409);
    expect((await site.app.request('/crash', as(cookie, 'POST'))).status).toBe(500);
    expect(await (await site.app.request('/', as(cookie))).json()).toEqual({ a: '1', seen: 'yes' });
  });

  it('come before the verbs that act at once', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/count', async (c) => {
      const session = c.var.session.required();
      session.set('n', '10');
      return c.json(await session.increment('n'));
    });
    expect(await (await site.app.request('/count', as(cookie, 'POST'))).json()).toBe(11);
    expect(await (await site.app.request('/', as(cookie))).json()).toMatchObject({ n: '11' });
  });

  it('of a stream are written by an explicit commit', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.get('/stream', (c) =>
      stream(c, async (out) => {
        const session = c.var.session.required();
        await out.write('first');
        session.set('streamed', 'yes');
        await out.write(String(await session.commit()));
      }),
    );
    expect(await (await site.app.request('/stream', as(cookie))).text()).toBe('firsttrue');
    expect(await (await site.app.request('/', as(cookie))).json()).toMatchObject({
      streamed: 'yes',
    });
  });

  it('of a session that was ended meanwhile are lost, which is said, and the cookie stays', async () => {
    const warnings: string[][] = [];
    const site = application({ onWarning: (...warning) => warnings.push(warning) });
    const { cookie } = await login(site);
    site.app.post('/slow', async (c) => {
      c.var.session.required().set('b', '2');
      await site.service.deleteAll('ada');
      return c.text('');
    });
    const response = await site.app.request('/slow', as(cookie, 'POST'));
    expect(response.headers.has('Set-Cookie')).toBe(false);
    expect(warnings).toEqual([
      ['Changes of a session could not be written ("b"): the session has ended', 'lost_changes'],
    ]);
    expect(await (await site.app.request('/', as(cookie))).json()).toBeNull();
  });

  it('that break a rule throw where they stand', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/bad', (c) => {
      const session = c.var.session.required();
      const code = (act: () => void) => {
        try {
          act();
        } catch (error) {
          return (error as { code: string }).code;
        }
      };
      return c.json([
        code(() => session.set('session_user', 'root')),
        code(() => session.set('big', 'x'.repeat(5000))),
        code(() => session.unset('created_at')),
      ]);
    });
    const response = await site.app.request('/bad', as(cookie, 'POST'));
    expect(await response.json()).toEqual(['reserved_field', 'invalid_value', 'reserved_field']);
  });
});

describe('the cookie', () => {
  it('has the same attributes when it is cleared as when it was set', async () => {
    for (const secure of [true, false]) {
      const site = application({ cookie: { secure }, onWarning: () => {} });
      site.app.post('/logout', async (c) => c.json(await c.var.session.end()));
      const { cookie, set } = await login(site);
      const logout = await site.app.request('/logout', as(cookie, 'POST'));
      const attributes = (line: string) =>
        line
          .split('; ')
          .slice(1)
          .filter((part) => part !== 'Max-Age=0');
      expect(attributes(logout.headers.get('Set-Cookie') ?? '')).toEqual(attributes(set));
      expect(set).toContain(secure ? '__Host-sid=' : 'sid=');
      expect(set.includes('Secure')).toBe(secure);
      expect(set).toContain('; HttpOnly');
      expect(set).toContain('; SameSite=Lax');
      expect(set).not.toContain('Domain');
    }
  });

  it('ends with the browser, or outlives it for 400 days at most where the session is persistent', async () => {
    const site = application();
    site.app.post('/renew', async (c) => c.json(await c.var.session.required().rotate()));
    const plain = await login(site);
    expect(plain.set).not.toContain('Max-Age');
    const rotated = await site.app.request('/renew', as(plain.cookie, 'POST'));
    expect(rotated.headers.get('Set-Cookie')).toMatch(/^sid=/);
    expect(rotated.headers.get('Set-Cookie')).not.toMatch(/Max-Age|Expires/);
    expect((await login(site, '/login?remember=yes')).set).toContain('; Max-Age=7776000;');
    const long = application({}, { lifetime: 500 * 24 * 3600 });
    const { cookie, set } = await login(long, '/login?remember=yes');
    expect(set).toContain('; Max-Age=34560000;');
    long.app.post('/renew', async (c) => c.json(await c.var.session.required().rotate()));
    const renewed = await long.app.request('/renew', as(cookie, 'POST'));
    expect(renewed.headers.get('Set-Cookie')).toContain('; Max-Age=34560000;');
  });

  it('is set once where a handler rotates twice', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/twice', async (c) => {
      const session = c.var.session.required();
      return c.json([await session.rotate(), await session.rotate()]);
    });
    const response = await site.app.request('/twice', as(cookie, 'POST'));
    expect(await response.json()).toEqual([true, true]);
    const [set = '', ...more] = response.headers.getSetCookie();
    expect(more).toEqual([]);
    expect(await (await site.app.request('/', as(set.split(';')[0] ?? ''))).json()).toEqual({
      a: '1',
    });
  });

  it('is the only place that a token is taken from', async () => {
    const site = application();
    const { cookie } = await login(site);
    const token = cookie.slice('sid='.length);
    const elsewhere: [string, RequestInit?][] = [
      [`/?sid=${token}`],
      [`/?token=${token}`],
      ['/', { headers: { Authorization: `Bearer ${token}` } }],
      ['/', { headers: { sid: token, 'X-Session-Id': token } }],
      ['/', { headers: { Cookie: `session=${token}; SID=${token}; __Host-sid=${token}` } }],
    ];
    site.calls.length = 0;
    for (const [path, init] of elsewhere) {
      expect(await (await site.app.request(path, init)).json()).toBeNull();
    }
    expect(site.calls).toEqual([]);
  });

  it('of which two different ones came opens nothing', async () => {
    const site = application();
    const [one, two] = [await login(site), await login(site)];
    site.calls.length = 0;
    const response = await site.app.request('/', as(`${one.cookie}; ${two.cookie}`));
    expect(await response.json()).toBeNull();
    expect(site.calls).toEqual([]);
  });

  it.each([
    ['http://shop.example/login', {}, {}, 1],
    ['https://shop.example/login', {}, {}, 0],
    ['http://shop.example/login', { 'X-Forwarded-Proto': 'https' }, {}, 1],
    ['http://shop.example/login', { 'X-Forwarded-Proto': 'https' }, { trustProxy: true }, 0],
  ])(
    'that browsers would drop is warned of once: %s %j %j',
    async (url, headers, options, warnings) => {
      const heard: string[] = [];
      const site = application({
        cookie: {},
        ...options,
        onWarning: (message) => heard.push(message),
      });
      for (let i = 0; i < 3; i += 1) {
        await site.app.request(url, { method: 'POST', headers: headers as Record<string, string> });
      }
      expect(heard).toHaveLength(warnings);
    },
  );
});

describe('cross-site requests', () => {
  it('are told by the host that a declared proxy names, and pass from trusted origins', async () => {
    const status = async (options: Partial<SessionsOptions>, headers: Record<string, string>) => {
      const { app } = application(options);
      return (await app.request('/login', { method: 'POST', headers })).status;
    };
    const proxied = {
      Host: 'internal:3000',
      'X-Forwarded-Host': 'shop.example',
      Origin: 'https://shop.example',
    };
    expect(await status({}, proxied)).toBe(403);
    expect(await status({ trustProxy: true }, proxied)).toBe(200);
    const foreign = {
      Host: 'api.example',
      Origin: 'https://shop.example',
      'Sec-Fetch-Site': 'cross-site',
    };
    expect(await status({}, foreign)).toBe(403);
    expect(await status({ trustedOrigins: ['https://shop.example'] }, foreign)).toBe(200);
    expect(await status({ trustedOrigins: ['https://shop.example.evil'] }, foreign)).toBe(403);
  });
});

describe('an answer that carries session data', () => {
  it.each<[string, () => Response]>([
    ['of the handler', () => new Response('own')],
    ['whose headers cannot be changed', () => Response.redirect('https://shop.example/', 302)],
  ])('is kept out of caches: one %s', async (_whose, answer) => {
    const site = application();
    const { cookie } = await login(site);
    site.app.get('/answer', () => answer());
    const response = await site.app.request('/answer', as(cookie));
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.status).toBe(answer().status);
  });

  it('keeps the Cache-Control that the handler gave it', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.get('/answer', (c) => c.text('own', 200, { 'Cache-Control': 'private' }));
    const response = await site.app.request('/answer', as(cookie));
    expect(response.headers.get('Cache-Control')).toBe('private');
  });
});

describe('an outage', () => {
  it('is answered 503 and changes no cookie, while anonymous requests are served', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/logout', async (c) => c.json(await c.var.session.end()));
    site.store.down = true;
    for (const request of [as(cookie), as(cookie, 'POST')]) {
      const response = await site.app.request(request.method === 'GET' ? '/' : '/logout', request);
      expect(response.status).toBe(503);
      expect(response.headers.get('Retry-After')).toBe('1');
      expect(response.headers.has('Set-Cookie')).toBe(false);
    }
    expect((await site.app.request('/')).status).toBe(200);
    site.store.down = false;
    expect(await (await site.app.request('/', as(cookie))).json()).toEqual({ a: '1' });
  });

  it.each(['commit', 'end', 'rotate', 'start'])(
    'that begins before %s is a 503 as well, and logs nobody out',
    async (verb) => {
      const site = application();
      const { cookie } = await login(site);
      site.app.post('/act', async (c) => {
        const session = c.var.session.required();
        session.set('b', '2');
        site.store.down = true;
        if (verb === 'end') await session.end();
        if (verb === 'rotate') await session.rotate();
        if (verb === 'start') await session.start('grace');
        return c.text('done');
      });
      const response = await site.app.request('/act', as(cookie, 'POST'));
      expect(response.status).toBe(503);
      expect(response.headers.has('Set-Cookie')).toBe(false);
      expect(await response.text()).not.toContain('done');
      site.store.down = false;
      expect(await (await site.app.request('/', as(cookie))).json()).toEqual({ a: '1' });
    },
  );

  it('in which the store does not answer at all ends at the deadline', async () => {
    const site = application({ deadlineMs: 20 });
    const { cookie } = await login(site);
    site.store.hang = true;
    expect((await site.app.request('/', as(cookie))).status).toBe(503);
    site.store.hang = false;
    expect((await site.app.request('/', as(cookie))).status).toBe(200);
  });
});

describe('starting a session', () => {
  it('ends the one before and takes its data over only if asked to', async () => {
    const site = application();
    site.app.post('/again/:carry', async (c) => {
      const { session } = c.var;
      session.required().set('cart', 'full');
      await session.start('ada', { b: '2' }, { carry: c.req.param('carry') === 'yes' });
      return c.json(session.current?.fields);
    });
    for (const [carry, fields] of [
      ['yes', { a: '1', cart: 'full', b: '2' }],
      ['no', { b: '2' }],
    ] as const) {
      const { cookie } = await login(site);
      const response = await site.app.request(`/again/${carry}`, as(cookie, 'POST'));
      expect(await response.json()).toEqual(fields);
      expect(await (await site.app.request('/', as(cookie))).json()).toBeNull();
    }
  });

  it('is needed before anything can be written: 401, and no call to the store', async () => {
    const site = application();
    site.app.post('/write', (c) => {
      c.var.session.required().set('a', '1');
      return c.text('');
    });
    expect((await site.app.request('/write', { method: 'POST' })).status).toBe(401);
    expect(site.calls).toEqual([]);
  });

  it('gives forms a token of their own', async () => {
    const site = application();
    const { cookie } = await login(site);
    site.app.post('/form', (c) => {
      const session = c.var.session.required();
      return c.json([session.isCsrfToken(session.csrfToken), session.isCsrfToken('x')]);
    });
    expect(await (await site.app.request('/form', as(cookie, 'POST'))).json()).toEqual([
      true,
      false,
    ]);
  });
});
