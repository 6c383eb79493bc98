import { once } from 'node:events';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import fastify from 'fastify';
import { describe, expect, it, vi } from 'vitest';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { AT_ONCE } from '../../src/domain/pace.ts';
import { deriveCredential } from '../../src/domain/session-token.ts';
import { SojournStore, type SojournStoreOptions } from '../../src/express.ts';
import {
  type SessionEvent,
  type SessionId,
  SessionService,
  type StoreOperation,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemoryJournal, MemorySessionRepository } from '../../src/memory.ts';
import { foreignApps, type Handlers } from '../support/foreign-apps.ts';
import { Browser } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

type Data = Parameters<SojournStore['set']>[1];

const SID = 'the-session-id-of-a-framework';

function setUp(options: Partial<SojournStoreOptions> = {}) {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const events: SessionEvent[] = [];
  const store = new SojournStore({
    repository: new MemorySessionRepository(clock),
    clock,
    observer: { notify: (event) => void events.push(event) },
    ...options,
  });
  const elapse = (ms: number) => {
    now += ms;
  };
  return { store, events, elapse, clock };
}

function data(fields: object, cookie: object = {}): Data {
  return { cookie: { originalMaxAge: null, expires: null, ...cookie }, ...fields } as Data;
}

/** The callback's arguments as a promise. */
function call<T>(run: (done: (error: unknown, value?: T) => void) => void): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    run((error, value) => (error ? reject(error) : resolve(value)));
  });
}

const set = (store: SojournStore, session: Data) => call((done) => store.set(SID, session, done));
const get = (store: SojournStore) => call<Data | null>((done) => store.get(SID, done));

describe('SojournStore', () => {
  it('answers null, and no error, for a session that is not there', async () => {
    const { store } = setUp();
    expect(await get(store)).toBeNull();
    await call((done) => store.touch(SID, data({}), done));
    await call((done) => store.destroy(SID, done));
  });

  it('tells the cookie when its session ends', async () => {
    const { store, elapse, clock } = setUp();
    await set(store, data({}, { originalMaxAge: 60_000, expires: new Date(clock.now() + 60_000) }));
    elapse(10_000);
    expect((await get(store))?.cookie.expires).toEqual(new Date(clock.now() + 50_000));
    elapse(50_000);
    expect(await get(store)).toBeNull();
  });

  it('keeps a fixed end that the cookie names', async () => {
    const { store, elapse, clock } = setUp();
    const expires = new Date(clock.now() + 60_000);
    await set(store, data({ a: 1 }, { expires }));
    elapse(30_000);
    const session = (await get(store)) as Data;
    expect(session.cookie.expires).toBe(expires.toISOString());
    await set(store, Object.assign(session, { a: 2 }));
    elapse(30_000);
    expect(await get(store)).toBeNull();
  });

  it('ends a session whose cookie has ended', async () => {
    const { store, clock } = setUp();
    await set(store, data({}));
    await set(store, data({}, { expires: new Date(clock.now() - 1) }));
    expect(await get(store)).toBeNull();
  });

  it('does not bring back a session that ran out while a request was busy with it', async () => {
    const { store, elapse } = setUp();
    await set(store, data({}, { originalMaxAge: 60_000 }));
    const session = (await get(store)) as Data;
    elapse(60_000);
    await set(store, Object.assign(session, { a: 1 }));
    expect(await get(store)).toBeNull();
  });

  it('writes nothing of a session that did not change, as `resave` has it saved', async () => {
    const { store } = setUp();
    await set(store, data({ a: 1, b: 1 }));
    const [unchanged, changed] = [(await get(store)) as Data, (await get(store)) as Data];
    await set(store, Object.assign(changed, { a: 2 }));
    await set(store, unchanged);
    expect(await get(store)).toMatchObject({ a: 2, b: 1 });
  });

  it('replaces a live session where somebody sets data that was never loaded', async () => {
    const { store } = setUp();
    await set(store, data({ a: 1, b: 1 }));
    await set(store, data({ a: 2 }));
    expect(await get(store)).toMatchObject({ a: 2 });
    expect(await get(store)).not.toHaveProperty('b');
  });

  it('ends a busy session at the end of its lifetime, if it was given one', async () => {
    const { store, elapse } = setUp({ policy: { lifetime: 100 } });
    await set(store, data({}, { originalMaxAge: 60_000 }));
    elapse(59_000);
    await call((done) => store.touch(SID, data({}, { originalMaxAge: 60_000 }), done));
    elapse(41_000);
    expect(await get(store)).toBeNull();
  });

  it('reports what passes a limit and changes nothing', async () => {
    const { store } = setUp({ policy: { limits: { maxTotalBytes: 200, maxFields: 3 } } });
    await expect(set(store, data({ a: 'x'.repeat(180) }))).rejects.toMatchObject({
      code: 'too_large',
    });
    await set(store, data({ a: 1, b: 1 }));
    const session = (await get(store)) as Data;
    const more = Object.assign(session, { a: 2, c: 1 });
    await expect(set(store, more)).rejects.toMatchObject({ code: 'too_many_fields' });
    const huge = data({ a: 'x'.repeat(300) });
    await expect(set(store, huge)).rejects.toMatchObject({ code: 'invalid_value' });
    expect(await get(store)).toMatchObject({ a: 1 });
  });

  it('reports a key that JSON cannot hold by its name, and changes nothing', async () => {
    const { store } = setUp();
    await set(store, data({ a: 1 }));
    const cycle: Record<string, unknown> = { secret: 'hunter2' };
    cycle.self = cycle;
    for (const bad of [1n, cycle, { toJSON: () => BigInt(1) }]) {
      await expect(set(store, data({ a: 2, bad }))).rejects.toMatchObject({
        code: 'invalid_value',
        message: expect.stringMatching(/^The value of "bad" must be (?!.*hunter2)/),
      });
    }
    expect(await get(store)).toMatchObject({ a: 1 });
  });

  it('keeps keys that every object inherits', async () => {
    const { store } = setUp();
    const own = { constructor: 1, toString: 'x', hasOwnProperty: null };
    await set(store, data({ ...own, other: 1 }));
    const session = (await get(store)) as Data;
    expect(session).toMatchObject(own);
    Object.assign(session, { constructor: 2, other: undefined });
    await set(store, session);
    const found = await get(store);
    expect(found).toMatchObject({ ...own, constructor: 2 });
    expect(found).not.toHaveProperty('other');
  });

  it('sends no store more than any policy allows', async () => {
    const asked: string[] = [];
    const storeAsked = ({ name }: StoreOperation) => {
      asked.push(name);
      return () => {};
    };
    const { store } = setUp({ observer: { notify() {}, storeAsked } });
    await set(store, data({ a: 1 }));
    const session = (await get(store)) as Data;
    const names = Array.from({ length: 200_000 }, (_, i) => [`k${i}`, i]);
    Object.assign(session, Object.fromEntries(names));
    await expect(set(store, session)).rejects.toMatchObject({ code: 'too_many_fields' });
    expect(asked).toEqual(['create', 'read']);
  });

  it('reports a field that holds no JSON without quoting it', async () => {
    const repository = new MemorySessionRepository();
    const { store } = setUp({ repository });
    await set(store, data({ a: 1 }));
    await repository.update(deriveCredential(SID, nodeSecrets), {
      ...{ set: new Map([['a', 'private']]), unset: [], at: '2026-04-02T12:34:56+00:00' },
      limits: { maxFields: 9, maxTotalBytes: 999 },
    });
    await expect(get(store)).rejects.toThrow(/^The session field "a" holds no JSON\.$/);
  });

  it('refuses a cookie whose maxAge is no number, and stores nothing without an end', async () => {
    const { store } = setUp();
    const noTime = { originalMaxAge: Number.NaN, expires: new Date('') };
    const refusal = { name: 'SessionError', code: 'invalid_ttl' };
    await expect(set(store, data({}, noTime))).rejects.toMatchObject(refusal);
    await expect(set(store, data({}, { expires: new Date('') }))).rejects.toMatchObject(refusal);
    expect(await get(store)).toBeNull();
    await set(store, data({ a: 1 }));
    const session = (await get(store)) as Data;
    const broken = Object.assign(session, { a: 2, ...data({}, noTime) });
    await expect(set(store, broken)).rejects.toMatchObject(refusal);
    await expect(call((done) => store.touch(SID, broken, done))).rejects.toMatchObject(refusal);
    expect(await get(store)).toMatchObject({ a: 1 });
  });

  it('does not let a key named __proto__ reach a prototype', async () => {
    const { store } = setUp();
    await set(store, { ...data({}), ...JSON.parse('{"__proto__":{"admin":true}}') });
    const evil = data({});
    Object.defineProperty(evil, '__proto__', { value: { admin: true }, enumerable: true });
    await set(store, evil);
    expect(((await get(store)) as unknown as { admin: boolean }).admin).toBeUndefined();
  });

  it('tells the observer what began and what ended', async () => {
    const { store, events } = setUp();
    await set(store, data({}));
    await set(store, data({ a: 1 }));
    await call((done) => store.destroy(SID, done));
    await call((done) => store.destroy(SID, done));
    const id = store.idOf(SID);
    expect(events).toEqual([
      { type: 'created', id, user: undefined },
      { type: 'ended', id, why: 'logout', by: 'user' },
    ]);
  });

  it('enters a session for its user, to be listed and ended with all others', async () => {
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository });
    const { store } = setUp({
      repository,
      userOf: (session) => (session as { user?: string }).user,
      policy: { maxSessions: 2 },
    });
    const log = (sid: string) =>
      call((done) => store.set(sid, data({ user: 'ada' }), done)).then(() => store.idOf(sid));
    const ids = [await log('phone'), await log('laptop'), await log('tablet')];
    expect((await service.list('ada')).map(({ id }) => id)).toEqual(ids.slice(1));
    await call((done) => store.destroy('laptop', done));
    expect(await service.list('ada')).toHaveLength(1);
    const session = await call<Data | null>((done) => store.get('tablet', done));
    expect(await service.deleteAll('ada')).toBe(1);
    await call((done) => store.set('tablet', session as Data, done));
    expect(await call((done) => store.get('tablet', done))).toBeNull();
  });

  it('answers a login that is evicted while it is stored as it answers one that is evicted afterwards', async () => {
    const repository = new MemorySessionRepository();
    const { store, events } = setUp({
      repository,
      userOf: (session) => (session as { user?: string }).user,
      policy: { maxSessions: 1 },
    });
    const log = (sid: string) => call((done) => store.set(sid, data({ user: 'ada' }), done));
    const create = repository.create.bind(repository);
    repository.create = async (session) => {
      repository.create = create;
      await log('phone');
      return create(session);
    };
    await log('laptop');
    const [phone, laptop] = [store.idOf('phone'), store.idOf('laptop')];
    expect(await call((done) => store.get('laptop', done))).toBeNull();
    expect(await call((done) => store.get('phone', done))).not.toBeNull();
    expect(events).toEqual([
      { type: 'created', id: phone, user: 'ada' },
      { type: 'created', id: laptop, user: 'ada' },
      { type: 'ended', id: laptop, why: 'evicted', user: 'ada', by: 'policy' },
    ]);
  });

  it('keeps a journal for the users that it is told of', async () => {
    const journal = new MemoryJournal();
    const userOf = (session: Data) => (session as { user?: string }).user;
    const { store } = setUp({ journal, userOf, requestId: () => 'r-1' });
    await set(store, data({ user: 'ada' }));
    await call((done) => store.set('of nobody', data({}), done));
    await call((done) => store.destroy(SID, done));
    const [id, requestId] = [store.idOf(SID), 'r-1'];
    expect(await journal.read('ada')).toMatchObject([
      { event: 'ended', sessionId: id, why: 'logout', by: 'user', requestId },
      { event: 'started', sessionId: id, requestId },
    ]);
  });

  it('enters a session for its user that was stored before anybody could say whose it is', async () => {
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository });
    const userOf = (session: Data) => (session as { user?: string }).user;
    const { store, events } = setUp({ repository, userOf });
    const session = data({});
    await set(store, session); // as `regenerate` of @fastify/session does
    await set(store, Object.assign(session, { user: 'ada' }));
    const id = store.idOf(SID);
    expect((await service.list('ada')).map((listed) => listed.id)).toEqual([id]);
    expect(events).toEqual([
      { type: 'created', id, user: undefined },
      { type: 'ended', id, why: 'revoked' },
      { type: 'created', id, user: 'ada' },
    ]);
    await service.deleteAll('ada');
    await set(store, Object.assign(session, { late: true }));
    expect(await get(store)).toBeNull();

    const other = data({});
    await set(store, other);
    await call((done) => store.destroy(SID, done));
    await set(store, Object.assign(other, { user: 'ada' }));
    expect(await get(store)).toBeNull();
    expect(await service.list('ada')).toEqual([]);
  });

  describe('with very many sessions', () => {
    /** A store whose scan finds some ids twice and one that is gone, and what it asks of the repository at once. */
    async function full(count: number) {
      const repository = new MemorySessionRepository();
      const ids: SessionId[] = [];
      const store = new SojournStore({
        repository,
        async *scan() {
          for (let i = 0; i < ids.length; i += 1000) yield ids.slice(Math.max(0, i - 3), i + 1000);
          yield ['gone' as SessionId];
        },
      });
      for (let i = 0; i < count; i += 1) {
        await store.set(`sid ${i}`, data({ i }));
        ids.push(store.idOf(`sid ${i}`));
      }
      const asked = { atOnce: 0, most: 0 };
      for (const name of ['find', 'end'] as const) {
        const act = repository[name].bind(repository) as (...args: unknown[]) => Promise<never>;
        repository[name] = async (...args: unknown[]) => {
          asked.atOnce += 1;
          asked.most = Math.max(asked.most, asked.atOnce);
          await new Promise(setImmediate);
          asked.atOnce -= 1;
          return act(...args);
        };
      }
      return { store, repository, asked, ids };
    }

    it('reads and ends them a batch at a time', async () => {
      const { store, repository, asked } = await full(2345);
      expect(new Set((await store.all()).map((session) => Reflect.get(session, 'i'))).size).toBe(
        2345,
      );
      expect(await store.all()).toHaveLength(2345);
      expect(await store.length()).toBeGreaterThanOrEqual(2345);
      await store.clear();
      expect(asked.most).toBe(AT_ONCE);
      expect(await repository.count()).toBe(0);
    });

    it('says how many ended where the store fails half-way, and the next call goes on', async () => {
      const { store, repository, ids } = await full(1500);
      const end = repository.end;
      repository.end = (id, options) => {
        if (id !== ids[1234]) return end(id, options);
        return Promise.reject(new StoreUnavailableError('refused', { failure: 'full' }));
      };
      const failure = await store.clear().catch((error) => error);
      expect(failure).toBeInstanceOf(StoreUnavailableError);
      expect(failure).toMatchObject({ outcome: 'unknown', failure: 'full', status: 503 });
      expect(await repository.count()).toBe(1500 - failure.ended);
      expect(Math.abs(failure.ended - 1234)).toBeLessThan(AT_ONCE); // the rest of its batch was not kept waiting
      repository.end = end;
      await store.clear();
      expect(await repository.count()).toBe(0);
    });
  });

  it('says that it cannot go through all sessions without a scan', async () => {
    const { store } = setUp();
    await expect(call((done) => store.length(done))).rejects.toThrow('needs the option `scan`');
  });

  it('answers by a promise where it gets no callback', async () => {
    const { store } = setUp();
    await store.set(SID, data({ a: 1 }));
    expect(await store.get(SID)).toMatchObject({ a: 1 });
    await store.touch(SID, data({ a: 1 }));
    await store.destroy(SID);
    expect(await store.get(SID)).toBeNull();
    await expect(store.length()).rejects.toThrow('needs the option `scan`');
  });

  it('ends no process by a rejection that nobody looks at', async () => {
    const { store } = setUp();
    const unhandled: unknown[] = [];
    const hear = (reason: unknown) => void unhandled.push(reason);
    process.on('unhandledRejection', hear);
    try {
      store.clear();
      await new Promise((resolve) => store.clear(resolve));
      await new Promise((resolve) => setImmediate(resolve)); // by then Node would have reported it
      expect(unhandled).toEqual([]);
    } finally {
      process.off('unhandledRejection', hear);
    }
  });

  it('calls back once, and what the callback throws is not its own failure', async () => {
    const { store } = setUp();
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    try {
      const thrown = once(process, 'uncaughtException');
      let calls = 0;
      store.get(SID, () => {
        calls += 1;
        throw new Error('of the application');
      });
      expect((await thrown)[0]).toMatchObject({ message: 'of the application' });
      expect(calls).toBe(1);
    } finally {
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});

describe('SojournStore under a Fastify handler that forgets to return the reply', () => {
  it('ends no process, and says once what to do', async () => {
    const app = fastify();
    await app.register(fastifyCookie);
    const { store } = setUp();
    const secret = 'a secret of at least thirty-two characters';
    await app.register(fastifySession, { store, secret, cookie: { secure: false } });
    app.get('/', async (_request, reply) => {
      reply.send('hello');
    });
    const uncaught: unknown[] = [];
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    process.on('uncaughtException', (error) => uncaught.push(error));
    try {
      const url = await app.listen({ port: 0, host: '127.0.0.1' });
      for (let i = 0; i < 3; i += 1) expect(await (await fetch(url)).text()).toBe('hello');
      await app.close();
      expect(uncaught).toEqual([]);
      expect(warn.mock.calls).toEqual([[expect.stringContaining('must return the reply')]]);
    } finally {
      warn.mockRestore();
      process.removeAllListeners('uncaughtException');
      for (const listener of listeners) process.on('uncaughtException', listener);
    }
  });
});

describeWithServers('SojournStore while Redis is away', () => {
  it.each(foreignApps)(
    'has %s answer 503, and the session is there again afterwards',
    async (_name, start) => {
      const redis = await startRedisServer({ binary: redisBinary() });
      const connection = await connectRedis({ kind: 'url', url: redis.url });
      const repository = new RedisSessionRepository({ client: connection.client });
      const handlers: Handlers = {
        show: ({ session }) => ({ color: session.color }),
        set: ({ session }) => {
          session.color = 'green';
        },
      };
      const http = await start({ store: new SojournStore({ repository }), handlers });
      try {
        const browser = new Browser(http.url);
        await browser.request('/set');
        redis.pause();
        expect((await browser.request('/show')).status).toBe(503);
        redis.resume();
        await expect
          .poll(async () => (await browser.request('/show')).json())
          .toEqual({ color: 'green' });
      } finally {
        await http.close();
        await connection.close();
        await redis.stop();
      }
    },
  );
});
