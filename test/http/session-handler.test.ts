import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  type FetchSessionOptions,
  type RequestSession,
  sessionHandler,
  type WithSession,
} from '../../src/fetch.ts';
import {
  integer,
  SessionError,
  type SessionRepository,
  SessionService,
  StoreUnavailableError,
  text,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const URL_OF_SITE = 'http://site.example/';

function site(options: Partial<FetchSessionOptions> = {}, policy = {}) {
  const calls: string[] = [];
  const store = { down: false };
  const repository: SessionRepository = new Proxy(new MemorySessionRepository(), {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        calls.push(String(name));
        if (store.down) throw new StoreUnavailableError('refused');
        return member.apply(target, args);
      };
    },
  });
  const service = new SessionService({ repository, policy });
  const withSession = sessionHandler({ service, cookie: { secure: false }, ...options });
  const ask = (
    respond: (session: RequestSession, request: Request) => Response | Promise<Response>,
    { cookie = '', method = 'POST', headers = {} as Record<string, string> } = {},
  ) => {
    const request = new Request(URL_OF_SITE, {
      method,
      headers: { ...(cookie !== '' && { Cookie: cookie }), ...headers },
    });
    return withSession(request, (session) => respond(session, request));
  };
  const login = async () =>
    cookieOf(
      await ask(async (session) => {
        await session.start('ada', { a: '1' });
        return new Response('');
      }),
    );
  return { ask, calls, login, service, store, withSession };
}

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

const userOf = (session: RequestSession) => Response.json(session.user ?? null);

describe('withSession', () => {
  it('gives a request the session of its cookie, and an anonymous one costs no call', async () => {
    const { ask, calls, login } = site();
    const cookie = await login();
    calls.length = 0;
    expect(await (await ask(userOf, { method: 'GET' })).json()).toBeNull();
    expect(calls).toEqual([]);
    const response = await ask(userOf, { method: 'GET', cookie });
    expect(await response.json()).toBe('ada');
    expect(calls).toEqual(['access']);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });

  it('writes what was changed before it hands the response on', async () => {
    const { ask, login, service } = site();
    const cookie = await login();
    await ask(
      (session) => {
        session.required().set('b', '2');
        return new Response('');
      },
      { cookie },
    );
    expect((await service.peek(cookie.slice('sid='.length)))?.fields).toEqual({ a: '1', b: '2' });
  });

  it('looks without sliding where it is told to', async () => {
    const { ask, calls, login } = site({ refresh: (request) => !request.url.endsWith('/') });
    const cookie = await login();
    calls.length = 0;
    await ask(userOf, { cookie });
    expect(calls).toEqual(['read']);
  });

  it('acts once a request, however often it is called for it', async () => {
    const { ask, calls, login, withSession } = site();
    const cookie = await login();
    calls.length = 0;
    const response = await ask(
      (outer, request) =>
        withSession(request, async (inner) => {
          expect(inner).toBe(outer);
          await inner.required().rotate();
          return new Response('');
        }),
      { cookie },
    );
    expect(calls).toEqual(['access', 'rotate']);
    expect(response.headers.getSetCookie()).toHaveLength(1);
  });

  it('keeps the sessions of two cookies apart', async () => {
    const { ask, login, service } = site();
    const admin = sessionHandler({ service, cookie: { name: 'admin', secure: false } });
    const response = await ask(
      (outer, request) =>
        admin(request, async (inner) => {
          expect(outer.user).toBe('ada');
          await inner.start('root');
          return new Response('');
        }),
      { cookie: await login() },
    );
    expect(cookieOf(response)).toMatch(/^admin=/);
  });

  it('refuses to pass the session of one service on to another', async () => {
    const { ask, login } = site();
    const other = site().withSession;
    const asked = ask((_session, request) => other(request, userOf), { cookie: await login() });
    await expect(asked).rejects.toMatchObject({ code: 'invalid_option' });
  });

  it('refuses what a foreign site caused, in words', async () => {
    const { ask } = site();
    const response = await ask(userOf, { headers: { Origin: 'https://evil.example' } });
    expect(response.status).toBe(403);
    expect(await response.text()).toContain('https://evil.example');
  });
});

describe('a response', () => {
  it.each<[string, () => Response, number]>([
    ['with a body', () => new Response('own', { status: 201, headers: { 'X-Own': 'yes' } }), 201],
    ['that redirects', () => Response.redirect('http://site.example/next', 303), 303],
    ['without a body', () => new Response(null, { status: 204 }), 204],
    ['that streams', () => new Response(new Blob(['own']).stream()), 200],
  ])('%s gets the cookie and keeps the rest', async (_which, answer, status) => {
    const { ask } = site();
    const response = await ask(async (session) => {
      await session.start('ada');
      return answer();
    });
    expect(response.status).toBe(status);
    expect(cookieOf(response)).toMatch(/^sid=/);
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    const own = answer();
    expect(await response.text()).toBe(await own.text());
    for (const name of ['X-Own', 'Location']) {
      expect(response.headers.get(name)).toBe(own.headers.get(name));
    }
  });

  it('keeps the cookies of the application, all of them', async () => {
    const { ask } = site();
    const response = await ask(async (session) => {
      await session.start('ada');
      const headers = new Headers();
      headers.append('Set-Cookie', 'a=1');
      headers.append('Set-Cookie', 'b=2');
      return new Response('', { headers });
    });
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2', expect.stringMatching(/^sid=/)]);
  });

  it('that the application uses for everybody does not pass a cookie on', async () => {
    const { ask } = site();
    const shared = new Response(null, { status: 204 });
    await ask(async (session) => {
      await session.start('ada');
      return shared;
    });
    expect(shared.headers.getSetCookie()).toEqual([]);
  });

  it('that is none is an error in words', async () => {
    const { ask } = site();
    await expect(ask(() => undefined as unknown as Response)).rejects.toThrow(/return a Response/);
  });
});

describe('what respond throws', () => {
  it('as a Response is thrown on, with the cookie, and what was collected is written', async () => {
    const { ask, login, service } = site();
    const cookie = await login();
    let rotated = '';
    const thrown = await ask(
      async (session) => {
        session.required().set('b', '2');
        await session.required().rotate();
        throw Response.redirect('http://site.example/next', 302);
      },
      { cookie },
    ).catch((error: Response) => error);
    rotated = cookieOf(thrown);
    expect(thrown.status).toBe(302);
    expect((await service.peek(rotated.slice('sid='.length)))?.fields.b).toBe('2');
  });

  it('as a bug is passed on, and what was collected is not written', async () => {
    const { ask, calls, login } = site();
    const cookie = await login();
    const bug = new Error('a bug');
    const asked = ask(
      (session) => {
        session.required().set('b', '2');
        throw bug;
      },
      { cookie },
    );
    await expect(asked).rejects.toBe(bug);
    expect(calls).not.toContain('update');
  });

  it.each(['required', 'requiredUser'] as const)('by %s becomes 401', async (verb) => {
    const { ask } = site();
    const response = await ask((session) => Response.json(session[verb]().id));
    expect(response.status).toBe(401);
    const thrown = await ask((session) => {
      try {
        return Response.json(session[verb]().id);
      } catch (error) {
        return Response.json(error);
      }
    });
    expect(await thrown.json()).toMatchObject({ code: 'unauthenticated', status: 401 });
  });

  it('as a refused login becomes 409', async () => {
    const { ask, login } = site({}, { maxSessions: 1, atMaxSessions: 'refuse' });
    await login();
    const response = await ask(async (session) => {
      await session.start('ada');
      return new Response('');
    });
    expect(response.status).toBe(409);
    expect(await response.json()).toMatchObject({ code: 'too_many_sessions' });
  });

  it('is no login on a device that is logged in', async () => {
    const { ask, login, service } = site({}, { maxSessions: 1, atMaxSessions: 'refuse' });
    const cookie = await login();
    const again = async (session: RequestSession) => {
      await session.start('ada');
      return userOf(session);
    };
    expect((await ask(again, { cookie })).status).toBe(200);
    expect(await service.list('ada')).toHaveLength(1);
  });

  describe('and made a 500 of by the framework', () => {
    /** As SvelteKit and React Router do: what a handler throws never reaches the middleware. */
    const swallowing =
      (respond: (session: RequestSession) => Promise<Response>) =>
      async (session: RequestSession) =>
        respond(session).catch(() => new Response('Internal Error', { status: 500 }));

    it.each(['required', 'requiredUser'] as const)(
      'by %s becomes 401 all the same',
      async (verb) => {
        const { ask } = site();
        const response = await ask(
          swallowing(async (session) => Response.json(session[verb]().id)),
        );
        expect(response.status).toBe(401);
        expect(await response.json()).toEqual({ error: expect.any(String) });
      },
    );

    it('as a refused login becomes 409', async () => {
      const { ask, login } = site({}, { maxSessions: 1, atMaxSessions: 'refuse' });
      await login();
      const response = await ask(
        swallowing(async (session) => Response.json((await session.start('ada')).id)),
      );
      expect(response.status).toBe(409);
    });

    it('as an outage becomes 503, and what was collected is discarded', async () => {
      const { ask, calls, login, store } = site();
      const cookie = await login();
      const respond = swallowing(async (session) => {
        store.down = true;
        await session
          .required()
          .increment('n')
          .catch((error: unknown) => {
            store.down = false;
            session.required().set('b', '2');
            throw error;
          });
        return new Response('');
      });
      const response = await ask(respond, { cookie });
      expect(response.status).toBe(503);
      expect(response.headers.get('Retry-After')).toBe('1');
      expect(calls).not.toContain('update');
    });

    it('from elsewhere stays 500, and so does an answer of another status', async () => {
      const { ask } = site();
      const bug = swallowing(() => Promise.reject(new Error('a bug')));
      expect((await ask(bug)).status).toBe(500);
      const wrong = swallowing(() => Promise.reject(new SessionError('invalid_user', 'wrong')));
      expect((await ask(wrong)).status).toBe(500);
      const handled = await ask(async (session) => {
        await expect(async () => session.required()).rejects.toThrow();
        return new Response('Log in first', { status: 200 });
      });
      expect(handled.status).toBe(200);
    });
  });
});

describe('while the store is away', () => {
  it.each(['at the beginning', 'in between', 'at the end'])(
    'a request is answered 503 %s, and its cookie stays',
    async (when) => {
      const { ask, login, store } = site();
      const cookie = await login();
      store.down = when === 'at the beginning';
      const response = await ask(
        async (session) => {
          store.down = true;
          if (when === 'in between') await session.end();
          else session.required().set('b', '2');
          return new Response('done');
        },
        { cookie },
      );
      expect(response.status).toBe(503);
      expect(response.headers.get('Retry-After')).toBe('1');
      expect(response.headers.get('Cache-Control')).toBe('no-store');
      expect(response.headers.has('Set-Cookie')).toBe(false);
      expect((await ask(userOf, { method: 'GET' })).status).toBe(200);
    },
  );

  it('the application may answer otherwise', async () => {
    const { ask, login, store } = site({ onUnavailable: () => new Response('', { status: 599 }) });
    const cookie = await login();
    store.down = true;
    expect((await ask(userOf, { cookie })).status).toBe(599);
  });
});

it('a declared field has its type, without a declaration', () => {
  const service = new SessionService({ repository: new MemorySessionRepository() });
  const fields = { name: text(), visits: integer() };
  const withSession = sessionHandler({ service, fields });
  expectTypeOf(withSession).toEqualTypeOf<WithSession<typeof fields>>();
  expectTypeOf(withSession).parameter(1).parameter(0).toHaveProperty('requiredUser');
});
