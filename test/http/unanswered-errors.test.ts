import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { type FetchSessionOptions, type RequestSession, sessionHandler } from '../../src/fetch.ts';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService, StoreUnavailableError } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

type Act = (session: RequestSession) => unknown;

let service: SessionService;
let warnings: string[];
let cookie: string;

beforeEach(async () => {
  service = new SessionService({
    repository: new MemorySessionRepository(),
    policy: { endOnReuse: true, maxSessions: 2, atMaxSessions: 'refuse' },
  });
  warnings = [];
  cookie = `sid=${(await service.create({}, { user: 'ada' })).token}`;
});

const options = () => ({
  service,
  cookie: { secure: false },
  onWarning: (_message: string, kind: string) => warnings.push(kind),
});

const post = () =>
  new Request('http://site.example/', { method: 'POST', headers: { Cookie: cookie } });

/** What `sessionHandler` makes of a request whose handler does this. */
function fetched(act: Act, more: Partial<FetchSessionOptions> = {}): Promise<Response> {
  return sessionHandler({ ...options(), ...more })(post(), async (session) => {
    await act(session);
    return new Response('done');
  });
}

/** What Hono makes of it where the application's `onError` throws the error on, or what it makes of it. */
async function thrownOn(act: Act, map = (error: Error): unknown => error): Promise<Response> {
  const app = new Hono<SessionsEnv>();
  app.use(sessions(options()));
  app.post('/', async (c) => {
    await act(c.var.session);
    return c.text('done');
  });
  app.onError((error) => {
    throw map(error);
  });
  return app.fetch(post());
}

/** Takes over the cookie as the browser would, and returns whom the next request finds logged in. */
async function nextUser(response?: Response): Promise<string | undefined> {
  const set = response?.headers.getSetCookie().at(-1)?.split(';')[0];
  return (await service.get((set ?? cookie).slice('sid='.length)))?.user;
}

/** Two sessions of bob's, and as many are allowed. */
async function logInBob(session: Parameters<Act>[0]): Promise<void> {
  for (let i = 0; i < 2; i += 1) await service.create({}, { user: 'bob' });
  await session.start('bob');
}

const getResponse = () => new Response('Conflict', { status: 409 });

const bug = new Error('the mail server is down');

const changePassword: Act = async (session) => {
  await session.requiredUser().rotate({ reauthenticated: true });
  throw bug;
};
const logIn: Act = async (session) => {
  await session.start('grace');
  throw bug;
};
const logOut: Act = async (session) => {
  await session.end();
  throw bug;
};

describe.each([
  ['sessionHandler', fetched],
  ['sessions, beneath an onError that throws,', thrownOn],
] as const)('%s', (_which, run) => {
  it('throws an error on, and discards what was collected', async () => {
    const handled = run((session) => {
      session.required().set('a', '1');
      throw bug;
    });
    await expect(handled).rejects.toBe(bug);
    expect((await service.peek(cookie.slice('sid='.length)))?.fields).toEqual({});
    expect(warnings).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['a text', 'nothing'],
  ])('throws on what is no error: %s', async (_what, thrown) => {
    const handled = run(async (session) => {
      await session.start('grace');
      throw thrown;
    });
    await expect(handled).rejects.toBe(thrown);
    expect(await service.list('grace')).toEqual([]);
  });

  it('leaves no session behind that nobody can use', async () => {
    for (let i = 0; i < 3; i += 1) await expect(run(logIn)).rejects.toBe(bug);
    expect(await service.list('grace')).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('leaves none behind that was started and rotated', async () => {
    const handled = run(async (session) => {
      const started = await session.start('grace');
      await started.rotate();
      throw bug;
    });
    await expect(handled).rejects.toBe(bug);
    expect(await service.list('grace')).toEqual([]);
    expect(warnings).toEqual([]);
  });

  it('tells of the token that nobody got', async () => {
    await expect(run(changePassword)).rejects.toBe(bug);
    expect(warnings).toEqual(['lost_cookie']);
  });

  it('logs out for good', async () => {
    await expect(run(logOut)).rejects.toBe(bug);
    expect(await nextUser()).toBeUndefined();
    expect(warnings).toEqual([]);
  });

  it('throws the error on while the started session cannot be ended', async () => {
    const handled = run(async (session) => {
      await session.start('grace');
      vi.spyOn(service, 'delete').mockRejectedValue(new StoreUnavailableError('refused'));
      throw bug;
    });
    await expect(handled).rejects.toBe(bug);
  });
});

describe('onError of sessionHandler', () => {
  const answering = { onError: () => new Response('Sorry.', { status: 500 }) };

  it.each([
    ['a rotation', changePassword, 'ada'],
    ['a login', logIn, 'grace'],
    ['a logout', logOut, undefined],
  ])('sends the cookie of %s with its response', async (_which, act, user) => {
    const response = await fetched(act, answering);
    expect(response.status).toBe(500);
    expect(await response.text()).toBe('Sorry.');
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(response.headers.getSetCookie()).toHaveLength(1);
    expect(await nextUser(response)).toBe(user);
    expect(warnings).toEqual([]);
  });

  it('gets the request and the error, and what was collected is discarded', async () => {
    const seen: unknown[] = [];
    const response = await fetched(
      (session) => {
        session.required().set('a', '1');
        throw bug;
      },
      {
        onError: async (request, error) => {
          seen.push(request.url, error);
          return new Response(null, { status: 404 });
        },
      },
    );
    expect(response.status).toBe(404);
    expect(seen).toEqual(['http://site.example/', bug]);
    expect((await service.peek(cookie.slice('sid='.length)))?.fields).toEqual({});
  });

  it('gets a change that the store refuses', async () => {
    const response = await fetched(async (session) => {
      const started = await session.start('grace');
      for (let n = 0; n < 65; n += 1) started.set(`n${n}`, 'x');
    }, answering);
    expect(response.status).toBe(500);
    expect(await nextUser(response)).toBe('grace');
  });

  it('leaves an error to the framework', async () => {
    await expect(fetched(logIn, { onError: () => undefined })).rejects.toBe(bug);
    expect(await service.list('grace')).toEqual([]);
  });

  it('may throw itself', async () => {
    const worse = new Error('worse');
    const handled = fetched(logIn, { onError: () => Promise.reject(worse) });
    await expect(handled).rejects.toBe(worse);
    expect(await service.list('grace')).toEqual([]);
  });

  it.each<[number, Act]>([
    [401, async (session) => session.end().then(() => session.required())],
    [409, logInBob],
  ])('is not asked for a response of %s', async (status, act) => {
    const response = await fetched(act, answering);
    expect(response.status).toBe(status);
  });
});

it('sessionHandler keeps no login whose response cannot be sent', async () => {
  const response = new Response('read already');
  await response.text();
  const handled = sessionHandler(options())(post(), async (session) => {
    await session.start('grace');
    return response;
  });
  await expect(handled).rejects.toThrow(TypeError);
  expect(await service.list('grace')).toEqual([]);
});

describe('an onError of Hono that throws', () => {
  it.each<[number, Act]>([
    [401, async (session) => session.end().then(() => session.required())],
    [409, logInBob],
    [503, () => Promise.reject(new StoreUnavailableError('refused'))],
    [
      418,
      () => Promise.reject(new HTTPException(418, { res: new Response('tea', { status: 418 }) })),
    ],
  ])('changes nothing about a response of %s', async (status, act) => {
    expect((await thrownOn(act)).status).toBe(status);
  });

  it.each([
    ['the same exception', (error: Error) => error],
    ['another one', () => new HTTPException(409, { message: 'Conflict' })],
    ['one of another copy of Hono', () => Object.assign(new Error(), { getResponse })],
  ])('beneath an HTTPException, %s, loses neither changes nor cookie', async (_which, map) => {
    const response = await thrownOn(async (session) => {
      session.required().set('a', '1');
      await session.required().rotate();
      throw new HTTPException(409, { message: 'Conflict' });
    }, map);
    expect(response.status).toBe(409);
    expect(await response.text()).toBe('Conflict');
    expect(response.headers.getSetCookie()).toHaveLength(1);
    const token = response.headers.getSetCookie()[0]?.split(';')[0]?.slice('sid='.length) ?? '';
    expect((await service.peek(token))?.fields).toEqual({ a: '1' });
    expect(warnings).toEqual([]);
  });

  it.each<[string, () => Response | undefined]>([
    ['by the context', () => undefined],
    ['by a response of its own', () => new Response('Sorry.', { status: 500 })],
  ])('leaves the cookie to a middleware further out that responds %s', async (_how, own) => {
    const app = new Hono<SessionsEnv>();
    app.use(async (c, next) => {
      try {
        await next();
        return;
      } catch {
        return own() ?? c.text('Sorry.', 500);
      }
    });
    app.use(sessions(options()));
    app.post('/', async (c) => {
      await changePassword(c.var.session);
      return c.text('done');
    });
    app.onError((error) => {
      throw error;
    });
    const response = await app.fetch(post());
    expect(response.status).toBe(500);
    expect(await nextUser(response)).toBe('ada');
  });
});
