import { describe, expect, it } from 'vitest';
import { SojournStore } from '../../src/express.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { foreignApps, type Handlers, type Settings } from '../support/foreign-apps.ts';
import { Browser } from '../support/http-server.ts';

const handlers: Handlers = {
  show: ({ session }) => ({ user: session.user, cart: session.cart, step: session.step }),
  set: ({ session }, query) => void Object.assign(session, query),
  login: async (request) => {
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()));
    });
    request.session.user = 'ada';
  },
  logout: ({ session }) => new Promise((resolve) => session.destroy(resolve)),
  unset: (request) => {
    request.session = null as never; // as applications do with `unset: 'destroy'`
  },
  'save-at-once': async ({ session }) => {
    const saves = [1, 2, 3].map((step) => {
      session.step = step;
      return new Promise((resolve) => session.save(resolve));
    });
    return { errors: (await Promise.all(saves)).filter(Boolean) };
  },
};

async function setUp(start: (typeof foreignApps)[number][1], settings: Settings) {
  const repository = new MemorySessionRepository();
  const userOf = (session: object) => (session as { user?: string }).user;
  const store = new SojournStore({ repository, userOf });
  const http = await start({ store, handlers, settings });
  const browser = new Browser(http.url);
  const get = async (path: string) => (await browser.request(path)).json();
  const service = new SessionService({ repository });
  return { http, get, browser, repository, sessions: () => service.list('ada') };
}

describe.each(foreignApps)('SojournStore under %s', (_name, start) => {
  it.each<[Settings]>([
    [{}],
    [{ resave: true }],
    [{ rolling: true }],
    [{ rolling: false }],
    [{ saveUninitialized: true }],
    [{ resave: true, saveUninitialized: true, rolling: true }],
  ])('keeps, enters for the user and ends sessions with %j', async (settings) => {
    const { http, get, repository, sessions } = await setUp(start, settings);
    try {
      await get('/set?cart=tea');
      expect(await get('/show')).toEqual({ cart: 'tea' });
      await get('/login');
      expect(await get('/show')).toEqual({ user: 'ada' });
      await get('/set?cart=milk');
      expect(await get('/show')).toEqual({ user: 'ada', cart: 'milk' });
      expect(await sessions()).toHaveLength(1);
      expect(await repository.count()).toBe(1);
      await get('/logout');
      expect(await sessions()).toEqual([]);
      expect(await get('/show')).toEqual({});
    } finally {
      await http.close();
    }
  });

  it('saves a session several times at once', async () => {
    const { http, get, repository } = await setUp(start, {});
    try {
      expect(await get('/save-at-once')).toEqual({ errors: [] });
      expect(await get('/show')).toEqual({ step: 3 });
      expect(await repository.count()).toBe(1);
    } finally {
      await http.close();
    }
  });
});

describe.each([foreignApps[0], foreignApps[2]])('SojournStore under %s', (_name, start) => {
  it('ends a session that the application unsets, and leaves nothing of a visitor who has none', async () => {
    const { http, get, repository } = await setUp(start, { unset: 'destroy' });
    try {
      await get('/unset');
      expect(await repository.count()).toBe(0);
      await get('/set?cart=tea');
      expect(await repository.count()).toBe(1);
      await get('/unset');
      expect(await repository.count()).toBe(0);
      expect(await get('/show')).toEqual({});
    } finally {
      await http.close();
    }
  });
});
