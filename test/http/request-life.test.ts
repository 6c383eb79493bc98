import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { stream } from 'hono/streaming';
import { describe, expect, it } from 'vitest';
import {
  type ActiveSession,
  type SessionsEnv,
  type SessionsOptions,
  sessions,
} from '../../src/hono.ts';
import {
  type SessionId,
  type SessionRepository,
  SessionService,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const asAda = (cookie: string, method = 'GET') => ({ method, headers: { Cookie: cookie } });

function application(options: Partial<SessionsOptions> = {}, policy = {}) {
  const clock = { at: Date.parse('2026-04-02T00:00:00Z'), now: () => clock.at };
  const calls: string[] = [];
  const store = { down: false, onUpdate: () => {} };
  const real = new MemorySessionRepository(clock);
  const repository: SessionRepository = new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        calls.push(String(name));
        if (name === 'update') store.onUpdate();
        if (store.down) throw new StoreUnavailableError('refused');
        return member.apply(target, args);
      };
    },
  });
  const service = new SessionService({ repository, policy, clock });
  const warnings: string[][] = [];
  const all = {
    service,
    cookie: { secure: false },
    onWarning: (...warning: string[]) => warnings.push(warning),
    ...options,
  };
  const app = new Hono<SessionsEnv>();
  app.use(sessions(all));
  app.post('/login', async (c) => {
    const { user = 'ada', ttl } = c.req.query();
    await c.var.session.start(
      user === '' ? undefined : user,
      { a: '1' },
      ttl ? { ttl: Number(ttl) } : {},
    );
    return c.text('');
  });
  const login = async (path = '/login') => {
    const response = await app.request(path, { method: 'POST' });
    return cookieOf(response);
  };
  return { app, calls, clock, store, service, warnings, options: all, login };
}

type Site = ReturnType<typeof application>;

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

function tokenOf(cookie: string): string {
  return cookie.slice(cookie.indexOf('=') + 1);
}

function closedGate() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open: () => open() };
}

/** Waits until the service sees what is to be seen. */
const poll = <T>(look: () => Promise<T> | T) => expect.poll(look, { interval: 5 });

describe('mounted twice on one request the middleware acts once', () => {
  it.each(['the same', 'another of the same cookie'])('%s', async (which) => {
    const site = application();
    const again = which === 'the same' ? sessions(site.options) : sessions({ ...site.options });
    const group = new Hono<SessionsEnv>();
    group.use(again);
    group.post('/login', async (c) => {
      await c.var.session.start('ada', { a: '1' });
      return c.text('');
    });
    group.post('/rotate', async (c) => c.json(await c.var.session.required().rotate()));
    group.post('/logout', async (c) => c.json(await c.var.session.end()));
    site.app.use('/group/*', async (c, next) => {
      if (c.var.session.id !== undefined) c.var.session.required().set('outer', 'yes');
      await next();
    });
    site.app.route('/group', group);

    const response = await site.app.request('/group/login', { method: 'POST' });
    expect(response.headers.getSetCookie()).toHaveLength(1);
    const cookie = cookieOf(response);
    const second = await site.app.request('/group/login', asAda(cookie, 'POST'));
    expect(second.headers.getSetCookie()).toHaveLength(1);
    site.calls.length = 0;
    const rotated = await site.app.request('/group/rotate', asAda(cookieOf(second), 'POST'));
    expect(site.calls).toEqual(['access', 'update', 'rotate']);
    expect(rotated.headers.getSetCookie()).toHaveLength(1);
    const session = await site.service.peek(tokenOf(cookieOf(rotated)));
    expect(session?.fields).toEqual({ a: '1', outer: 'yes' });
    const ended = await site.app.request('/group/logout', asAda(cookieOf(rotated), 'POST'));
    expect(ended.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')]);
  });

  it('but lets no user of one service into the routes of another', async () => {
    const site = application();
    const service = new SessionService({ repository: new MemorySessionRepository() });
    const entered: string[] = [];
    site.app.get('/admin', sessions({ ...site.options, service }), (c) => {
      entered.push(c.var.session.requiredUser().user);
      return c.text('');
    });
    site.app.onError((error, c) => c.text(error.message, 500));
    const response = await site.app.request('/admin', asAda(await site.login()));
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('Two services use the cookie sid');
    expect(entered).toEqual([]);
  });

  it('but for two cookies it gives two sessions', async () => {
    const site = application();
    const admin = sessions({ ...site.options, cookie: { name: 'admin', secure: false } });
    site.app.post('/admin', admin, async (c) => {
      expect(c.var.session.id).toBeUndefined();
      await c.var.session.start('root');
      return c.text('');
    });
    const cookie = await site.login();
    const response = await site.app.request('/admin', asAda(cookie, 'POST'));
    expect(cookieOf(response)).toMatch(/^admin=/);
  });
});

/** An application whose stream goes on after its response has left. */
async function streaming(
  act: (session: ActiveSession, service: SessionService) => Promise<unknown>,
) {
  const site = application();
  let outcome: Promise<unknown> | undefined;
  const gate = closedGate();
  site.app.get('/stream', (c) =>
    stream(c, async (out) => {
      await out.write('first');
      await gate.opened;
      outcome = act(c.var.session.required(), site.service);
      await outcome.catch(() => {});
    }),
  );
  const cookie = await site.login();
  const response = await site.app.request('/stream', asAda(cookie));
  gate.open();
  await response.text();
  return { ...site, cookie, outcome, session: () => site.service.peek(tokenOf(cookie)) };
}

describe('after the response has left', () => {
  it.each<[string, (session: ActiveSession) => Promise<unknown>]>([
    ['start', (session) => session.start('grace')],
    ['rotate', (session) => session.rotate()],
    ['rotate with a grace', (session) => session.rotate({ grace: 10 })],
    ['end', (session) => session.end()],
  ])('%s throws and changes nothing', async (_verb, act) => {
    const site = await streaming(act);
    await expect(site.outcome).rejects.toMatchObject({ code: 'response_sent' });
    expect((await site.session())?.user).toBe('ada');
    expect(await site.service.list('grace')).toEqual([]);
  });

  it('a plain write is written by itself', async () => {
    const site = await streaming(async (session) => session.set('late', 'yes'));
    await poll(async () => (await site.session())?.fields.late).toBe('yes');
    expect(site.calls.filter((call) => call === 'update')).toHaveLength(1);
  });

  it('a plain write and a commit are one write', async () => {
    const site = await streaming(async (session) => {
      session.set('late', 'yes');
      return session.commit();
    });
    expect(await site.outcome).toBe(true);
    expect((await site.session())?.fields.late).toBe('yes');
    await new Promise((resolve) => setTimeout(resolve)); // the turn in which it would be written again
    expect(site.calls.filter((call) => call === 'update')).toHaveLength(1);
  });

  it('a plain write to a session that has ended is heard of', async () => {
    const site = await streaming(async (session, service) => {
      await service.deleteAll('ada');
      session.set('late', 'yes');
    });
    await poll(() => site.warnings).toEqual([[expect.stringContaining('"late"'), 'lost_changes']]);
  });

  it('a plain write that meets an outage is heard of', async () => {
    const site = application();
    const gate = closedGate();
    site.app.get('/stream', (c) =>
      stream(c, async (out) => {
        await out.write('first');
        await gate.opened;
        c.var.session.required().set('late', 'yes');
      }),
    );
    const response = await site.app.request('/stream', asAda(await site.login()));
    site.store.down = true;
    gate.open();
    await response.text();
    await poll(() => site.warnings).toEqual([[expect.stringContaining('"late"'), 'lost_changes']]);
    expect(site.warnings[0]?.[0]).toContain('unavailable');
  });
});

describe('a response waits for what changes its cookie', () => {
  it.each(['start', 'rotate', 'end'] as const)('%s, which nobody awaited', async (verb) => {
    const site = application();
    site.app.post('/act', (c) => {
      const session = c.var.session.required();
      if (verb === 'start') void session.start('grace');
      if (verb === 'rotate') void session.rotate();
      if (verb === 'end') void session.end();
      return c.text('');
    });
    const response = await site.app.request('/act', asAda(await site.login(), 'POST'));
    const [line = ''] = response.headers.getSetCookie();
    if (verb === 'end') expect(line).toContain('Max-Age=0');
    else expect((await site.service.peek(tokenOf(cookieOf(response))))?.id).toBeDefined();
  });

  it('a rotation that a stream began while the response was being written', async () => {
    const site = application();
    site.app.get('/stream', (c) =>
      stream(c, async () => {
        await c.var.session.required().rotate();
      }),
    );
    const response = await site.app.request('/stream', asAda(await site.login()));
    expect((await site.service.peek(tokenOf(cookieOf(response))))?.user).toBe('ada');
  });

  it('before it writes what was collected, which the old token would not do any more', async () => {
    const site = application();
    site.app.post('/act', (c) => {
      const session = c.var.session.required();
      void session.rotate();
      session.set('b', '2');
      return c.text('');
    });
    const response = await site.app.request('/act', asAda(await site.login(), 'POST'));
    const session = await site.service.peek(tokenOf(cookieOf(response)));
    expect(session?.fields).toEqual({ a: '1', b: '2' });
    expect(site.warnings).toEqual([]);
  });

  it('a rotation that begins while what was collected is being written', async () => {
    const site = application();
    site.app.post('/act', (c) => {
      const session = c.var.session.required();
      session.set('b', '2');
      site.store.onUpdate = () => void session.rotate();
      return c.text('');
    });
    const response = await site.app.request('/act', asAda(await site.login(), 'POST'));
    expect((await site.service.peek(tokenOf(cookieOf(response))))?.fields.b).toBe('2');
  });

  it('one that fails is its caller’s to hear of, and nobody else’s', async () => {
    const site = application();
    let failure: unknown;
    site.app.post('/act', (c) => {
      site.store.down = true;
      c.var.session
        .required()
        .rotate()
        .catch((error) => {
          failure = error;
        });
      return c.text('done');
    });
    const response = await site.app.request('/act', asAda(await site.login(), 'POST'));
    expect(await response.text()).toBe('done');
    expect(response.headers.has('Set-Cookie')).toBe(false);
    expect(failure).toBeInstanceOf(StoreUnavailableError);
  });
});

describe('what was collected', () => {
  /** A POST whose handler has the session, by somebody who is logged in. */
  async function post(act: (session: ActiveSession, site: Site) => unknown) {
    const site = application();
    site.app.post('/act', async (c) => {
      await act(c.var.session.required(), site);
      return c.text('');
    });
    const cookie = await site.login();
    site.calls.length = 0;
    const response = await site.app.request('/act', asAda(cookie, 'POST'));
    await new Promise((resolve) => setTimeout(resolve)); // the turn in which late changes are written
    return { ...site, response, session: await site.service.peek(tokenOf(cookie)) };
  }

  it('by a handler that crashed is never written, not even later', async () => {
    const { response, session, calls } = await post((session) => {
      session.set('b', '2');
      throw new Error('a bug');
    });
    expect(response.status).toBe(500);
    expect(calls).not.toContain('update');
    expect(session?.fields).toEqual({ a: '1' });
  });

  it('while it was being written is written as well', async () => {
    const { session } = await post((session, site) => {
      session.set('b', '2');
      site.store.onUpdate = () => {
        site.store.onUpdate = () => {};
        session.set('b', '3');
        session.set('c', '4');
      };
    });
    expect(session?.fields).toEqual({ a: '1', b: '3', c: '4' });
  });

  it('is written once where the application does not await its commit', async () => {
    const { session, calls } = await post((session) => {
      session.set('b', '2');
      void session.commit();
    });
    expect(session?.fields.b).toBe('2');
    expect(calls.filter((call) => call === 'update')).toHaveLength(1);
  });

  it('and is more than a session may hold makes the answer an error, and keeps a login before it', async () => {
    const site = application();
    site.app.post('/too-much', async (c) => {
      const session = await c.var.session.start('grace');
      for (let i = 0; i < 65; i += 1) session.set(`field${i}`, 'x');
      return c.text('done');
    });
    const response = await site.app.request('/too-much', { method: 'POST' });
    expect(response.status).toBe(500);
    const opened = await site.service.peek(tokenOf(cookieOf(response)));
    expect(opened).toMatchObject({ user: 'grace', fields: {} });
  });

  it('before a logout is dropped without a word', async () => {
    const { warnings, session } = await post(async (session) => {
      session.set('b', '2');
      expect(await session.end()).toBe(true);
    });
    expect(session).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('as a flash is taken once, and asked for once', async () => {
    const { calls } = await post(async (session) => {
      session.flash('info', 'Saved.');
      expect(await session.takeFlash('info')).toBe('Saved.');
      expect(await session.takeFlash('info')).toBeUndefined();
    });
    expect(calls.filter((call) => call === 'take')).toHaveLength(1);
  });
});

it('a visitor without a session can be logged in and out by one request', async () => {
  const site = application();
  site.app.post('/both', async (c) => {
    const session = await c.var.session.start('ada');
    return c.json([await session.end(), await session.end(), session.lost]);
  });
  const response = await site.app.request('/both', { method: 'POST' });
  expect(await response.json()).toEqual([true, false, false]);
  expect(await site.service.list('ada')).toEqual([]);
  expect(response.headers.getSetCookie()).toEqual([expect.stringContaining('Max-Age=0')]);
});

describe('a remembered session', () => {
  it('has a cookie for what is left of its lifetime, which a re-authentication begins anew', async () => {
    const site = application();
    site.app.post('/remember', async (c) => {
      await c.var.session.start('ada', {}, { persistent: true });
      return c.text('');
    });
    site.app.post('/rotate', async (c) => {
      const reauthenticated = c.req.query('anew') === 'yes';
      return c.json(await c.var.session.required().rotate({ reauthenticated }));
    });
    const age = (response: Response) =>
      /Max-Age=(\d+)/.exec(response.headers.getSetCookie()[0] ?? '')?.[1];
    const days = (count: number) => String(count * 24 * 3600);
    const began = await site.app.request('/remember', { method: 'POST' });
    expect(age(began)).toBe(days(90));
    site.clock.at += 20 * 24 * 3600 * 1000; // beyond an ordinary lifetime
    const rotated = await site.app.request('/rotate', asAda(cookieOf(began), 'POST'));
    expect(age(rotated)).toBe(days(70));
    const anew = await site.app.request('/rotate?anew=yes', asAda(cookieOf(rotated), 'POST'));
    expect(age(anew)).toBe(days(90));
  });
});

it('a login makes up for a session that was lost', async () => {
  const site = application();
  site.app.post('/again', async (c) => {
    const before = c.var.session.lost;
    await c.var.session.start('ada');
    return c.json([before, c.var.session.lost]);
  });
  const cookie = await site.login();
  await site.service.deleteAll('ada');
  const response = await site.app.request('/again', asAda(cookie, 'POST'));
  expect(await response.json()).toEqual([true, false]);
});

describe('refresh', () => {
  it('reads the session again and slides it', async () => {
    const site = application();
    site.app.get('/socket', async (c) => {
      const session = c.var.session.required();
      await site.service.update(tokenOf(cookie), { set: { a: '2' } });
      expect(session.get('a')).toBe('1');
      site.calls.length = 0;
      expect(await session.refresh()).toBe(true);
      expect(site.calls).toEqual(['access']);
      return c.json(session.get('a') ?? null);
    });
    const cookie = await site.login();
    expect(await (await site.app.request('/socket', asAda(cookie))).json()).toBe('2');
  });

  it('keeps what was collected and not written yet', async () => {
    const site = application();
    site.app.post('/socket', async (c) => {
      const session = c.var.session.required();
      session.set('a', 'mine');
      await session.refresh();
      return c.json(session.get('a') ?? null);
    });
    const cookie = await site.login();
    expect(await (await site.app.request('/socket', asAda(cookie, 'POST'))).json()).toBe('mine');
    expect((await site.service.peek(tokenOf(cookie)))?.fields.a).toBe('mine');
  });

  it.each(['refresh', 'commit'] as const)(
    'or %s answers false where the session has ended elsewhere, and then nobody is logged in',
    async (verb) => {
      const site = application();
      site.app.get('/socket', async (c) => {
        const session = c.var.session.required();
        await site.service.deleteAll('ada');
        const answer = await session[verb]();
        const { user = null, id = null, lost } = c.var.session;
        return c.json({ answer, again: await session.commit(), user, id, lost });
      });
      const response = await site.app.request('/socket', asAda(await site.login()));
      expect(await response.json()).toEqual({
        ...{ answer: false, again: false, user: null, id: null, lost: true },
      });
      expect(response.headers.has('Set-Cookie')).toBe(false);
    },
  );

  it('fails where the store does, and logs nobody out', async () => {
    const site = application();
    site.app.get('/socket', async (c) => {
      site.store.down = true;
      await c.var.session.required().refresh();
      return c.text('');
    });
    const cookie = await site.login();
    const response = await site.app.request('/socket', asAda(cookie));
    expect(response.status).toBe(503);
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });
});

describe('a deadline', () => {
  it.each([0, -1, Number.NaN, Infinity, 0.5, 2 ** 31, '1000', null])(
    'of %s is refused at construction',
    (deadlineMs) => {
      const make = () => application({ deadlineMs: deadlineMs as number });
      expect(make).toThrow(expect.objectContaining({ code: 'invalid_option' }));
      expect(make).toThrow(/deadlineMs/);
    },
  );

  it.each([1, 0.5 + 1000, 600_000])('may be %s ms', (deadlineMs) => {
    expect(() => application({ deadlineMs })).not.toThrow();
  });
});

describe('a login that is one too many, or came too late', () => {
  const policy = { maxSessions: 1, atMaxSessions: 'refuse' };

  it('is answered 409 where the application answers nothing', async () => {
    const site = application({}, policy);
    await site.login();
    const response = await site.app.request('/login', { method: 'POST' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'too_many_sessions' });
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });

  it('is the application’s to answer', async () => {
    const site = application({}, policy);
    site.app.onError((_error, c) => c.text('another device first', 403));
    await site.login();
    expect((await site.app.request('/login', { method: 'POST' })).status).toBe(403);
  });

  it('is answered 409 where all of the user’s sessions were ended meanwhile', async () => {
    const site = application();
    const { service } = site;
    const begun = service.create.bind(service);
    service.create = async (...args) => {
      const created = begun(...args);
      await service.deleteAll('ada');
      return created;
    };
    const response = await site.app.request('/login', { method: 'POST' });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'revoked' });
  });

  it('is not what a broken rule is: a fault of the program stays 500', async () => {
    const site = application();
    const response = await site.app.request('/login?ttl=-1', { method: 'POST' });
    expect(response.status).toBe(500);
  });
});

describe.each(['evict-oldest', 'refuse'])('where a device may log in again (%s)', (policy) => {
  const full = async () => {
    const site = application({}, { maxSessions: 2, atMaxSessions: policy });
    site.app.post('/rotated', async (c) => {
      await site.service.rotate(tokenOf(c.req.header('Cookie') ?? ''));
      await c.var.session.start('ada');
      return c.text('');
    });
    site.app.post('/twice', async (c) => {
      await c.var.session.start('ada');
      await c.var.session.start('ada');
      return c.text('');
    });
    const [tablet, laptop] = [await site.login(), await site.login()];
    const again = (path: string, cookie = laptop) => site.app.request(path, asAda(cookie, 'POST'));
    const isAlive = async (cookie: string) =>
      (await site.service.peek(tokenOf(cookie))) !== undefined;
    return { ...site, tablet, laptop, again, isAlive };
  };

  it('it replaces its session and logs no other device out, however often', async () => {
    const { again, isAlive, service, tablet, ...site } = await full();
    let { laptop } = site;
    for (let i = 0; i < 3; i += 1) {
      const response = await again('/login', laptop);
      expect(response.status).toBe(200);
      expect(await isAlive(laptop)).toBe(false);
      laptop = cookieOf(response);
      expect(await isAlive(laptop)).toBe(true);
      expect(await isAlive(tablet)).toBe(true);
      expect(await service.list('ada')).toHaveLength(2);
    }
  });

  it.each([
    ['/rotated', 'whose token another request has rotated meanwhile'],
    ['/twice', 'that the same request has started'],
  ])('%s: it replaces also the session %s', async (path) => {
    const { again, isAlive, service, tablet } = await full();
    const response = await again(path);
    expect(response.status).toBe(200);
    expect(await isAlive(tablet)).toBe(true);
    expect(await isAlive(cookieOf(response))).toBe(true);
    expect(await service.list('ada')).toHaveLength(2);
  });

  it('two logins of it at the same time leave no session too many', async () => {
    const { again, service } = await full();
    const answers = await Promise.all([again('/login'), again('/login')]);
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([200, policy === 'refuse' ? 409 : 200]);
    expect(await service.list('ada')).toHaveLength(2);
  });

  it('it makes no room for another user', async () => {
    const { again, login, service } = await full();
    for (let i = 0; i < 2; i += 1) await login('/login?user=bob');
    const before = await service.list('bob');
    const response = await again('/login?user=bob');
    expect(response.status).toBe(policy === 'refuse' ? 409 : 200);
    const ids = (await service.list('bob')).map(({ id }) => id);
    expect(ids).toHaveLength(2);
    expect(ids.includes(before[0]?.id as SessionId)).toBe(policy === 'refuse');
  });
});

describe('requiredUser', () => {
  it('is for users, and no anonymous cart gets past it', async () => {
    const site = application();
    site.app.get('/account', (c) => c.text(c.var.session.requiredUser().user));
    site.app.get('/cart', (c) => c.text(c.var.session.required().id));
    const get = async (path: string, cookie: string) =>
      (await site.app.request(path, asAda(cookie))).status;
    const anonymous = await site.login('/login?user=');
    expect(await get('/account', anonymous)).toBe(401);
    expect(await get('/cart', anonymous)).toBe(200);
    const ada = await site.login();
    expect(await get('/account', ada)).toBe(200);
    expect(await get('/account', 'sid=nobody')).toBe(401);
  });
});

describe('a page on another site that starts a session', () => {
  const options = { trustedOrigins: ['https://app.example'] };
  const foreign = {
    Origin: 'https://app.example',
    'Sec-Fetch-Site': 'cross-site',
    'Sec-Fetch-Mode': 'cors',
    'Sec-Fetch-Dest': 'empty',
  };
  const login = async (cookie: SessionsOptions['cookie'], headers: Record<string, string>) => {
    const site = application({ ...options, ...(cookie && { cookie }) });
    for (let i = 0; i < 2; i += 1) {
      const url = 'https://api.example/login';
      expect((await site.app.request(url, { method: 'POST', headers })).status).toBe(200);
    }
    return site.warnings.map(([, kind]) => kind);
  };

  it('is warned of once, where the browser will not send the cookie back', async () => {
    expect(await login({}, foreign)).toEqual(['cross_site_cookie']);
    expect(await login({ sameSite: 'Strict' }, foreign)).toEqual(['cross_site_cookie']);
    expect(await login({}, { ...foreign, 'Sec-Fetch-Dest': 'iframe' })).toEqual([
      'cross_site_cookie',
    ]);
  });

  it('is not warned of where the cookie is for other sites, or the browser came here', async () => {
    expect(await login({ sameSite: 'None', partitioned: true }, foreign)).toEqual([]);
    expect(await login({}, { ...foreign, 'Sec-Fetch-Dest': 'document' })).toEqual([]);
    expect(await login({}, { 'Sec-Fetch-Site': 'same-origin' })).toEqual([]);
  });
});

describe('an answer', () => {
  it('of 503 is kept out of caches', async () => {
    const site = application();
    const cookie = await site.login();
    site.store.down = true;
    const response = await site.app.request('/', asAda(cookie));
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  it('keeps the cookies that the application set beside ours', async () => {
    const site = application();
    site.app.post('/both', async (c) => {
      c.header('Set-Cookie', 'theme=dark; Path=/');
      await c.var.session.start('ada');
      return c.text('');
    });
    const response = await site.app.request('/both', { method: 'POST' });
    expect(response.headers.getSetCookie()).toEqual([
      'theme=dark; Path=/',
      expect.stringMatching(/^sid=/),
    ]);
  });

  it('whose headers cannot be changed gets its cookie as well', async () => {
    const site = application();
    site.app.post('/redirect', async (c) => {
      await c.var.session.start('ada');
      return Response.redirect('https://shop.example/', 302);
    });
    const response = await site.app.request('/redirect', { method: 'POST' });
    expect(response.status).toBe(302);
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
  });

  it('that the application uses for everybody does not pass one user’s cookie on to the next', async () => {
    const site = application();
    const noContent = new Response(null, { status: 204 });
    site.app.post('/quick', async (c) => {
      await c.var.session.start('ada');
      return noContent;
    });
    site.app.get('/quick', () => noContent);
    const response = await site.app.request('/quick', { method: 'POST' });
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect((await site.app.request('/quick')).headers.getSetCookie()).toEqual([]);
  });

  it('that opens a socket is passed on as it is', async () => {
    const site = application();
    const handshake = new Response(null); // as Deno makes it: of status 101, which no program can, and unchangeable
    Object.defineProperty(handshake, 'status', { value: 101 });
    const frozen = Response.error().headers;
    Object.defineProperty(handshake, 'headers', { value: frozen });
    site.app.get('/socket', () => handshake);
    const response = await site.app.request('/socket', asAda(await site.login()));
    expect(response).toBe(handshake);
  });

  it('to a refused request says why', async () => {
    const site = application();
    const response = await site.app.request('/login', {
      method: 'POST',
      headers: { Origin: 'https://evil.example' },
    });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('https://evil.example');
  });

  it('of an HTTPException keeps a login that came before it', async () => {
    const site = application();
    site.app.post('/teapot', async (c) => {
      await c.var.session.start('ada');
      throw new HTTPException(418);
    });
    const response = await site.app.request('/teapot', { method: 'POST' });
    expect(response.status).toBe(418);
    expect((await site.service.peek(tokenOf(cookieOf(response))))?.user).toBe('ada');
  });
});
