import { Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { stream } from 'hono/streaming';
import { describe, expect, it } from 'vitest';
import { type ActiveSession, type SessionsEnv, sessions } from '../../src/hono.ts';
import {
  SessionError,
  type SessionRepository,
  SessionService,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

/** Is given the session of the request, and what opens it for another request. */
type Handler = (session: ActiveSession, token: string) => unknown;

/** An application on a store whose calls can be held up or made to fail, before they act and before they answer. */
function application() {
  const store = {
    before: async (_call: string) => {},
    after: async (_call: string) => {},
  };
  const clock = { now: () => Date.parse('2026-04-02T00:00:00Z') };
  const real = new MemorySessionRepository(clock);
  const repository: SessionRepository = new Proxy(real, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name, target);
      if (typeof member !== 'function') return member;
      return async (...args: unknown[]) => {
        await store.before(String(name));
        const answer: unknown = await member.apply(target, args);
        await store.after(String(name));
        return answer;
      };
    },
  });
  const service = new SessionService({ repository, clock });
  const warnings: string[] = [];
  let handler: (session: ActiveSession) => unknown = () => {};
  const app = new Hono<SessionsEnv>();
  const onWarning = (message: string) => warnings.push(message);
  app.use(sessions({ service, cookie: { secure: false }, onWarning }));
  app.post('/login', async (c) => {
    await c.var.session.start('ada', { a: '1', n: '0' });
    return c.text('');
  });
  app.post('/act', async (c) => {
    await handler(c.var.session.required());
    return c.text('');
  });
  app.post('/stream', (c) =>
    stream(c, async (out) => {
      await out.write('first');
      await handler(c.var.session.required());
    }),
  );

  /** What a request comes to whose handler is given the session of somebody who is logged in. */
  async function act(given: Handler, path: '/act' | '/stream' = '/act') {
    const cookie = cookieOf(await app.request('/login', { method: 'POST' }));
    const former = cookie.slice('sid='.length);
    let failure: unknown;
    handler = async (session) => {
      try {
        await given(session, former);
      } catch (error) {
        failure = error;
        throw error;
      }
    };
    const response = await app.request(path, { method: 'POST', headers: { Cookie: cookie } });
    await response.text();
    if (failure !== undefined && !(failure instanceof StoreUnavailableError)) throw failure;
    const token = (cookieOf(response) || cookie).slice('sid='.length);
    return { response, session: await service.peek(token), live: await service.list('ada') };
  }
  return { store, warnings, service, act };
}

function cookieOf(response: Response): string {
  return response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
}

const aMoment = () => new Promise((resolve) => setTimeout(resolve, 2));

const verbs: Record<string, (session: ActiveSession) => Promise<unknown>> = {
  start: (session) => session.start('ada', { b: '1' }),
  'start with the data': (session) => session.start('ada', {}, { carry: true }),
  rotate: (session) => session.rotate(),
  'rotate after a proof': (session) => session.rotate({ reauthenticated: true }),
  end: (session) => session.end(),
  commit: (session) => session.commit(),
  increment: (session) => session.increment('n'),
  replace: (session) => session.replace('a', '1', '2'),
  take: (session) => session.take('a'),
  setTtl: (session) => session.setTtl(100),
  refresh: (session) => session.refresh(),
};

/** What a verb that is being awaited comes to, in a form that compares. */
async function outcomeOf(verb: Promise<unknown> | undefined): Promise<unknown> {
  try {
    const answer = await verb;
    return typeof answer === 'object' ? 'a session' : answer;
  } catch (error) {
    if (error instanceof HTTPException) return error.status;
    return error instanceof SessionError ? error.code : error;
  }
}

describe('two verbs at once in one request come to what they do one after the other', () => {
  type Delay = { readonly at: 'before' | 'after'; readonly call: number };

  /** What two verbs come to, told with that of `one` first; without a delay the first is awaited before the other begins. */
  async function run(one: string, other: string, delay?: Delay) {
    const site = application();
    const outcomes: Record<string, unknown> = {};
    const { session, live, response } = await site.act(async (session) => {
      let calls = 0;
      if (delay !== undefined) {
        site.store[delay.at] = async () => {
          if (calls++ === delay.call) await aMoment();
        };
      }
      const first = outcomeOf(verbs[one]?.(session));
      if (delay === undefined) await first;
      const second = outcomeOf(verbs[other]?.(session));
      outcomes[`first ${one}`] = await first;
      outcomes[`second ${other}`] = await second;
      const { lost, user, current } = session;
      Object.assign(outcomes, { lost, user, ttl: current?.ttl, seen: { ...current?.fields } });
    });
    return {
      ...outcomes,
      warnings: site.warnings,
      status: response.status,
      clears: /Max-Age=0/.test(response.headers.get('Set-Cookie') ?? ''),
      opens: session && { ...session.fields },
      live: live.map(({ id }) => id === session?.id),
    };
  }

  const changeToken = ['start', 'start with the data', 'rotate', 'rotate after a proof', 'end'];
  const names = Object.keys(verbs);

  it.each(
    names.flatMap((one) =>
      names
        .filter((other) => changeToken.includes(one) || changeToken.includes(other))
        .map((other) => [one, other] as const),
    ),
  )('%s and %s', async (one, other) => {
    const expected = await run(one, other);
    for (const at of ['before', 'after'] as const) {
      for (const call of [0, 1, 2]) expect(await run(one, other, { at, call })).toEqual(expected);
    }
  });
});

describe('a login', () => {
  it('ends the session that it replaces, also where another request has rotated it', async () => {
    const { service, act } = application();
    const { live, session } = await act(async (session, token) => {
      await service.rotate(token);
      await session.start('ada');
    });
    expect(live.map(({ id }) => id)).toEqual([session?.id]);
  });

  it('and where this request has learned of that already', async () => {
    const { service, act } = application();
    const { live, session } = await act(async (session, token) => {
      await service.rotate(token);
      expect(await session.refresh()).toBe(false);
      await session.start('ada');
    });
    expect(live.map(({ id }) => id)).toEqual([session?.id]);
  });

  it('takes what is collected after it, awaited or not', async () => {
    const { act, warnings } = application();
    const { session } = await act((session) => {
      session.set('old', 'yes');
      void session.start('ada');
      session.set('new', 'yes');
    });
    expect({ ...session?.fields }).toEqual({ new: 'yes' });
    expect(warnings).toEqual([]);
  });

  it('whose session has ended before its request can be logged out', async () => {
    const { service, act } = application();
    const { response } = await act(async (session) => {
      await session.start('ada');
      await service.deleteAll('ada');
      expect(await session.commit()).toBe(false);
      expect(await session.end()).toBe(false);
    });
    expect(response.headers.get('Set-Cookie')).toContain('Max-Age=0');
  });
});

describe('a logout', () => {
  it('ends the session also where this request has learned that its token was rotated', async () => {
    const { service, act } = application();
    const { live, response } = await act(async (session, token) => {
      await service.rotate(token);
      expect(await session.refresh()).toBe(false);
      expect(await session.end()).toBe(true);
      expect(await session.end()).toBe(false);
    });
    expect(live).toEqual([]);
    expect(response.headers.get('Set-Cookie')).toContain('Max-Age=0');
  });

  it('loses nothing: who has logged out is nobody, and has lost no session', async () => {
    await application().act(async (session) => {
      expect(await session.end()).toBe(true);
      expect([session.lost, session.id, session.user]).toEqual([false, undefined, undefined]);
    });
  });
});

it('a replacement that came too late is not what the request sees', async () => {
  await application().act(async (session) => {
    expect(await session.replace('a', 'other', '2')).toBe(false);
    expect(session.get('a')).toBe('1');
    expect(await session.replace('a', '1', undefined)).toBe(true);
    expect(session.get('a')).toBeUndefined();
  });
});

describe('a rotation after a re-authentication', () => {
  it('gives the browser its token also where the store fails just afterwards', async () => {
    const { store, act } = application();
    const { response, session } = await act(async (session) => {
      store.before = async (call) => {
        if (call !== 'rotate') return;
        store.before = async () => {
          throw new StoreUnavailableError('refused');
        };
      };
      const rotated = session.rotate({ reauthenticated: true });
      await rotated.finally(() => {
        store.before = async () => {};
      });
    });
    expect(response.status).toBe(503);
    expect(session?.user).toBe('ada');
  });

  it('of a session that has ended meanwhile says so', async () => {
    const { service, store, act } = application();
    await act(async (session) => {
      store.after = async (call) => {
        if (call !== 'rotate') return;
        store.after = async () => {};
        await service.deleteAll('ada');
      };
      expect(await session.rotate({ reauthenticated: true })).toBeUndefined();
      expect(session.lost).toBe(true);
      expect(session.current).toBeUndefined();
    });
  });
});

it('take tells a field that is missing from a session that has ended', async () => {
  const { service, act } = application();
  await act(async (session) => {
    expect(await session.take('missing')).toBeUndefined();
    expect(session.lost).toBe(false);
    await service.deleteAll('ada');
    expect(await session.take('a')).toBeUndefined();
    expect(session.lost).toBe(true);
  });
});

it('a commit that waits for a late write does not answer true where that has failed', async () => {
  const { store, act, warnings } = application();
  const outcomes: unknown[] = [];
  await act(async (session) => {
    await aMoment(); // the response has left
    let calls = 0;
    store.before = async (call) => {
      if (call !== 'update') return;
      calls += 1;
      if (calls === 1) outcomes.push(outcomeOf(session.commit()));
      await aMoment();
      throw new StoreUnavailableError('refused');
    };
    session.set('late', 'yes');
    await expect.poll(() => calls, { interval: 5 }).toBe(2);
  }, '/stream');
  expect(await outcomes[0]).toBeInstanceOf(StoreUnavailableError);
  expect(warnings).toEqual([]);
});

it('a response that showed a session which has ended meanwhile is kept by no cache', async () => {
  const { service, act } = application();
  const { response } = await act(async (session) => {
    await service.deleteAll('ada');
    expect(await session.refresh()).toBe(false);
  });
  expect(response.headers.get('Cache-Control')).toBe('no-store');
});
