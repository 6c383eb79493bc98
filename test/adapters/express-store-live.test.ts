import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { scanSessions } from '../../src/adapters/redis/inspect/scan-sessions.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SojournStore } from '../../src/express.ts';
import { SessionService } from '../../src/index.ts';
import { foreignApps, type Handlers } from '../support/foreign-apps.ts';
import { Browser, type HttpServer } from '../support/http-server.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';

/** Requests that wait in a handler until the test lets them go on. */
class Gate {
  #open = () => {};
  #arrive = () => {};
  #opened = Promise.resolve();
  arrived = Promise.resolve();

  close(): void {
    this.#opened = new Promise((resolve) => {
      this.#open = resolve;
    });
    this.arrived = new Promise((resolve) => {
      this.#arrive = resolve;
    });
  }

  pass(): Promise<void> {
    this.#arrive();
    return this.#opened;
  }

  open(): void {
    this.#open();
  }
}

const gate = new Gate();

const handlers: Handlers = {
  show: ({ session, sid }) => ({ ...session, sid, cookie: undefined, __sojourn: undefined }),
  keys: ({ session }) => Object.keys(JSON.parse(JSON.stringify(session))),
  set: ({ session }, query) => void Object.assign(session, query),
  remove: ({ session }, { key = '' }) => void delete session[key],
  nest: ({ session }) => {
    session.cart = { items: ['a', 'b'], at: new Date(0), nothing: undefined };
  },
  push: ({ session }) => void (session.cart as { items: string[] }).items.push('c'),
  slow: async ({ session }, query) => {
    await gate.pass();
    Object.assign(session, query);
  },
  age: ({ session }, { ms }) => {
    session.cookie.maxAge = Number(ms);
  },
  login: async (request) => {
    await new Promise<void>((resolve, reject) => {
      request.session.regenerate((error) => (error ? reject(error) : resolve()));
    });
    request.session.user = 'ada';
  },
  reload: async (request, query) => {
    Object.assign(request.session, { color: 'lost' });
    await gate.pass();
    await new Promise<void>((resolve, reject) => {
      request.session.reload((error) => (error ? reject(error) : resolve()));
    });
    Object.assign(request.session, query);
  },
  logout: ({ session }) =>
    new Promise<void>((resolve, reject) => {
      session.destroy((error) => (error ? reject(error) : resolve()));
    }),
  'save-twice': async ({ session }) => {
    for (const step of ['one', 'two']) {
      session.step = step;
      await new Promise((resolve) => session.save(resolve));
    }
  },
  'save-after-destroy': async ({ session }) => {
    session.secret = 'x';
    await new Promise((resolve) => session.destroy(resolve));
    await new Promise((resolve) => session.save(resolve));
  },
};

describe.each(foreignApps)('SojournStore under %s', (_name, start) => {
  describeLive('in Redis', () => {
    const prefix = useTestPrefix();
    let redis: Redis;
    let store: SojournStore;
    let service: SessionService;
    let http: HttpServer;
    let http5: HttpServer;
    let browser: Browser;

    beforeAll(async () => {
      redis = new Redis(redisUrl());
      const repository = new RedisSessionRepository({ client: redis, prefix });
      service = new SessionService({ repository });
      store = new SojournStore({
        repository,
        userOf: (session) => (session as { user?: string }).user,
        scan: () => scanSessions({ client: redis, prefix }),
      });
      http = await start({ store, handlers });
      const another = new SojournStore({ repository });
      http5 = await start({ store: another, handlers, maxAge: 5 * 60_000 });
    });
    afterAll(async () => {
      await http.close();
      await http5.close();
      await redis.quit();
    });
    afterEach(() => new Promise((resolve) => store.clear(resolve)));

    const key = async (of = browser) => prefix + store.idOf((await get('/show', of)).sid);
    async function get(path: string, of = browser) {
      const response = await of.request(path);
      expect(response.status).toBe(200);
      // biome-ignore lint/suspicious/noExplicitAny: whatever the handler returned
      return (await response.json()) as any;
    }
    /** Asks for that path, and does something else while the request has its session and has not written it yet. */
    async function whileBusy(path: string, meanwhile: () => Promise<unknown>): Promise<void> {
      gate.close();
      const slow = get(path, browser.clone());
      await gate.arrived;
      await meanwhile();
      gate.open();
      await slow;
    }
    async function visitor(at = http): Promise<Browser> {
      browser = new Browser(at.url);
      await get('/set?color=green&size=L');
      return browser;
    }

    it('keeps each top-level key as a field of its own, as JSON', async () => {
      await visitor();
      await get('/nest');
      const hash = await redis.hgetall(await key());
      expect(hash).toMatchObject({
        color: '"green"',
        size: '"L"',
        cart: '{"items":["a","b"],"at":"1970-01-01T00:00:00.000Z"}',
        session_ttl: '86400',
      });
      expect(JSON.parse(hash.cookie ?? '')).toMatchObject({ originalMaxAge: null, path: '/' });
      await get('/push');
      expect(await get('/show')).toMatchObject({ cart: { items: ['a', 'b', 'c'] } });
      await get('/remove?key=color');
      expect(await redis.hexists(await key(), 'color')).toBe(0);
      expect((await get('/keys')).sort()).toEqual(['cart', 'cookie', 'size']);
    });

    it('never stores the id that opens the session', async () => {
      await visitor();
      const { sid } = await get('/show');
      const dump = JSON.stringify([await key(), await redis.hgetall(await key())]);
      expect(dump).not.toContain(sid);
    });

    it('lets two requests that change different keys both win', async () => {
      await visitor();
      await whileBusy('/slow?size=XL', async () => {
        await get('/set?color=red');
        await get('/remove?key=gone');
      });
      expect(await get('/show')).toMatchObject({ color: 'red', size: 'XL' });
    });

    it('does not bring back a key that another request removed', async () => {
      await visitor();
      await whileBusy('/slow?size=XL', () => get('/remove?key=color'));
      expect(await redis.hkeys(await key())).not.toContain('color');
    });

    it('never revives a session that was destroyed while a request was busy with it', async () => {
      await visitor();
      const name = await key();
      await whileBusy('/slow?size=XL', () => get('/logout', browser.clone()));
      expect(await redis.exists(name)).toBe(0);
      expect(await get('/show')).not.toHaveProperty('size');
    });

    it('never stores a session that was destroyed before it was stored', async () => {
      browser = new Browser(http.url);
      await get('/save-after-destroy');
      const hashes = await Promise.all((await redis.keys(`${prefix}*`)).map((k) => redis.hkeys(k)));
      expect(hashes.flat()).not.toContain('secret');
      expect(await count(store)).toBe(0);
    });

    it('leaves nothing in Redis of visitors who log out and have no session', async () => {
      const visitors = Array.from({ length: 100 }, () => new Browser(http.url));
      await Promise.all(visitors.map((one) => get('/logout', one)));
      expect(await redis.keys(`${prefix}*`)).toEqual([]);
    });

    it('keeps a destroyed session dead in 100 races of write and logout', async () => {
      for (let i = 0; i < 100; i += 1) {
        const one = await visitor();
        const name = await key();
        await Promise.all([
          get('/set?color=red', one.clone()),
          get('/logout', one.clone()),
          get('/set?size=M', one.clone()),
        ]);
        expect(await redis.hexists(name, 'created_at')).toBe(0);
      }
    });

    it('gives a new id at regenerate and ends the old session', async () => {
      await visitor();
      const [before, thief] = [await key(), browser.clone()];
      await get('/login');
      expect(await get('/show')).toMatchObject({ user: 'ada' });
      expect(await get('/show')).not.toHaveProperty('color');
      expect(await redis.exists(before)).toBe(0);
      expect(await get('/show', thief)).not.toHaveProperty('user');
    });

    it('enters the session for its user at login', async () => {
      await visitor();
      await get('/login');
      const [session, ...others] = await service.list('ada');
      expect([prefix + session?.id, others]).toEqual([await key(), []]);
      expect(await service.deleteAll('ada')).toBe(1);
      expect(await get('/show')).not.toHaveProperty('user');
    });

    it('sees after a reload what others wrote, and writes its own changes since then', async () => {
      await visitor();
      await whileBusy('/reload?size=XL', () => get('/set?color=red&shape=round'));
      expect(await get('/show')).toMatchObject({ color: 'red', shape: 'round', size: 'XL' });
    });

    it('saves a session twice in one request', async () => {
      browser = new Browser(http.url);
      await get('/save-twice');
      expect(await get('/show')).toMatchObject({ step: 'two' });
    });

    it('lets a session idle as long as its cookie, and each request slides it', async () => {
      await visitor(http5);
      const name = await key();
      expect(await redis.hget(name, 'session_ttl')).toBe('300');
      await redis.pexpire(name, 60_000);
      await get('/show');
      expect(await redis.pttl(name)).toBeGreaterThan(250_000);
      expect(await redis.hget(name, 'cookie')).not.toContain('expires');
    });

    it('takes another idle timeout from the cookie and keeps it', async () => {
      await visitor(http5);
      const name = await key();
      await get('/age?ms=3600000');
      expect(await redis.hget(name, 'session_ttl')).toBe('3600');
      await get('/set?color=red');
      expect(await redis.hget(name, 'session_ttl')).toBe('3600');
      expect(await redis.pttl(name)).toBeGreaterThan(3_500_000);
    });

    it('keeps names that Sojourn uses itself, and odd ones', async () => {
      browser = new Browser(http.url);
      const odd = { session_user: 'eve', created_at: 'never', '.x': '1', 'a b': '2', '': '3' };
      await get(`/set?${new URLSearchParams(odd)}`);
      expect(await get('/show')).toMatchObject(odd);
      expect(await redis.hget(await key(), 'session_user')).toBeNull();
    });

    it('lists, counts and ends all sessions', async () => {
      const ids = [await visitor(), await visitor(), await visitor()];
      const all = await new Promise<{ id: string; color: string }[]>((resolve, reject) =>
        store.all((error, sessions) => (error ? reject(error) : resolve(sessions as never))),
      );
      expect(all.map(({ color }) => color)).toEqual(['green', 'green', 'green']);
      expect(all.map(({ id }) => prefix + id)).toContain(await key(ids[0]));
      expect(await count(store)).toBe(3);
      await new Promise((resolve) => store.clear(resolve));
      expect(await count(store)).toBe(0);
      expect(await get('/show', ids[0])).not.toHaveProperty('color');
    });
  });
});

function count(store: SojournStore): Promise<number | undefined> {
  return new Promise((resolve, reject) =>
    store.length((error, length) => (error ? reject(error) : resolve(length))),
  );
}
