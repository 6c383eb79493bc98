import expressSession from 'express-session';
import { describe, expect, it } from 'vitest';
import { SojournStore, type SojournStoreOptions } from '../../src/express.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

type Data = Parameters<SojournStore['set']>[1];

const SID = 'the-session-id-of-a-framework';

function setUp(options: Partial<SojournStoreOptions> = {}) {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const repository = new MemorySessionRepository(clock);
  const store = new SojournStore({ repository, clock, ...options });
  const set = (session: unknown, sid = SID) => store.set(sid, session as Data);
  const touch = (session: unknown) => store.touch(SID, session as Data);
  const get = () => store.get<Record<string, unknown>>(SID);
  /** Seconds until the session ends if nobody uses it. */
  const secondsLeft = async () => {
    const found = await repository.find(store.idOf(SID));
    return found && found.remainingMs / 1000;
  };
  const elapse = (ms: number) => {
    now += ms;
  };
  return { store, clock, set, touch, get, secondsLeft, elapse };
}

describe('SojournStore and a cookie that neither framework made', () => {
  it.each([
    ['none', { foo: 'bar' }],
    ['undefined', { foo: 'bar', cookie: undefined }],
    ['null', { foo: 'bar', cookie: null }],
    ['a text', { foo: 'bar', cookie: 'sid=1' }],
    ['a number', { foo: 'bar', cookie: 7 }],
    ['false', { foo: 'bar', cookie: false }],
    ['a list', { foo: 'bar', cookie: [] }],
    ['an empty object', { foo: 'bar', cookie: {} }],
    ['one without times', { foo: 'bar', cookie: { path: '/', secure: true } }],
    ['times that are none', { foo: 'bar', cookie: { originalMaxAge: '5', expires: false } }],
    ['an object as end', { foo: 'bar', cookie: { expires: {} } }],
    ['0 as end', { foo: 'bar', cookie: { expires: 0 } }],
    ['an empty text as end', { foo: 'bar', cookie: { expires: '' } }],
    ['null as end', { foo: 'bar', cookie: { originalMaxAge: null, expires: null } }],
  ])(
    'stores and gives back %s, and lets the session idle for the policy',
    async (_what, session) => {
      const { set, get, touch, secondsLeft, elapse } = setUp({ policy: { ttl: 600 } });
      await set(session);
      expect(await get()).toEqual(JSON.parse(JSON.stringify(session)));
      expect(await secondsLeft()).toBe(600);
      elapse(10_000);
      await touch(session);
      expect(await secondsLeft()).toBe(600);
    },
  );

  it.each([
    ['maxAge', { maxAge: 60_000 }],
    ['originalMaxAge beside maxAge', { maxAge: 1, originalMaxAge: 60_000 }],
    ['an end as a number', { expires: Date.parse('2026-04-02T12:35:56Z') }],
    ['an end as a text', { expires: '2026-04-02T12:35:56Z' }],
    ['an end as a Date', { expires: new Date('2026-04-02T12:35:56Z') }],
  ])('takes the time from %s', async (_what, cookie) => {
    const { set, secondsLeft } = setUp();
    await set({ cookie });
    expect(await secondsLeft()).toBe(60);
  });

  it('makes no request session of one without a cookie, and says what is missing', async () => {
    const { store, set } = setUp();
    await set({ foo: 'bar' });
    const data = (await store.get(SID)) as Data;
    expect(() => store.createSession({ sessionID: SID } as never, data)).toThrow(
      /stored without one\. Pass `set` a session with a `cookie`/,
    );
  });

  it('can be set over, and set back again, at once', async () => {
    const { set, get } = setUp();
    await set({ a: 1 });
    await set({ cookie: { expires: '2020-01-01T00:00:00Z' } });
    expect(await get()).toBeNull();
    await set({ a: 2 });
    expect(await get()).toEqual({ a: 2 });
  });

  it('can be set after one was set whose end had passed', async () => {
    const { set, get } = setUp();
    await set({ cookie: { originalMaxAge: -1 } });
    expect(await get()).toBeNull();
    await set({ a: 1 });
    expect(await get()).toEqual({ a: 1 });
  });
});

describe('SojournStore and what is no session', () => {
  it.each([undefined, null, 'text', 7, true])('refuses to set %s', async (session) => {
    const { set } = setUp();
    await expect(set(session)).rejects.toMatchObject({
      name: 'SessionError',
      code: 'invalid_value',
      message: 'A session must be an object.',
    });
  });

  it.each([undefined, null, 7, {}])('finds nothing by the id %s', async (sid) => {
    const { store, set } = setUp();
    const odd = sid as string;
    expect(await store.get(odd)).toBeNull();
    await store.touch(odd, { cookie: { originalMaxAge: null } } as Data);
    await store.destroy(odd);
    await expect(store.set(odd, {} as Data)).rejects.toMatchObject({
      code: 'invalid_value',
      message: 'A session id must be text.',
    });
    await set({ a: 1 });
  });
});

describe('SojournStore and values that JSON cannot say', () => {
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  const throwing = {
    toJSON() {
      throw new Error('secret');
    },
  };

  it.each([
    ['a BigInt', 1n],
    ['a BigInt further down', { list: [{ n: 2n }] }],
    ['a cycle', cycle],
    ['a toJSON that throws', throwing],
  ])('refuses %s by the name of its key, and changes nothing', async (_what, value) => {
    const { store, set, get } = setUp();
    await set({ a: 1 });
    const session = (await store.get(SID)) as Data;
    const refusal = {
      name: 'SessionError',
      code: 'invalid_value',
      message: expect.stringMatching(/^The value of "cart" must be a value that JSON can hold/),
    };
    await expect(set(Object.assign(session, { a: 2, cart: value }))).rejects.toMatchObject(refusal);
    await expect(set({ cart: value }, 'another')).rejects.not.toThrow('secret');
    expect(await get()).toEqual({ a: 1 });
  });

  it('refuses it in a cookie as well', async () => {
    const { set, touch } = setUp();
    const session = { cookie: { originalMaxAge: 5n } };
    await expect(set(session)).rejects.toMatchObject({ code: 'invalid_value' });
    await expect(touch(session)).resolves.toBeUndefined(); // there is nothing to touch
  });

  it('keeps what JSON keeps of everything else', async () => {
    const { set, get } = setUp();
    const session = {
      at: new Date(0),
      nothing: undefined,
      list: [undefined, Number.NaN],
      method() {},
      [Symbol('s')]: 1,
      constructor: 'c',
      toString: 't',
      __sojourn: 'mine',
    };
    await set(session);
    const stored = JSON.parse(JSON.stringify(session));
    expect(await get()).toEqual(stored);
    await set(Object.assign((await get()) as object, { more: 1 }));
    expect(await get()).toEqual({ ...stored, more: 1 });
  });
});

describe('SojournStore#get', () => {
  it('adds nothing that can be seen in the data', async () => {
    const { store, set } = setUp();
    await set({ a: 1, cookie: { originalMaxAge: null } });
    const session = (await store.get(SID)) as Data;
    expect(Object.keys(session)).toEqual(['a', 'cookie']);
    expect(Reflect.ownKeys(session)).toEqual(['a', 'cookie']);
    expect(JSON.stringify(session)).toBe('{"a":1,"cookie":{"originalMaxAge":null}}');
    expect({ ...session }).not.toHaveProperty('__sojourn');
    expect(structuredClone(session)).not.toHaveProperty('__sojourn');
  });

  it('gives express-session nothing to copy but the data', async () => {
    const { store, set } = setUp();
    await set({ a: 1, cookie: { originalMaxAge: null } });
    const loaded = await new Promise<object>((resolve, reject) => {
      store.load(SID, (error, session) => (error ? reject(error) : resolve(session as object)));
    });
    expect(loaded).toBeInstanceOf(expressSession.Session);
    const keys: string[] = [];
    for (const key in loaded) keys.push(key);
    expect(keys.sort()).toEqual(['a', 'cookie']);
  });

  it('lets data that was copied key by key be saved as a change of what was loaded', async () => {
    const { store, set, get } = setUp();
    await set({ a: 1, b: 1 });
    const copy: Record<string, unknown> = {};
    const loaded = (await get()) as Record<string, unknown>;
    for (const key in loaded) copy[key] = loaded[key]; // as @fastify/session does
    await set(Object.assign((await get()) as object, { a: 2 }));
    await set(Object.assign(copy, { b: 2 }));
    expect(await get()).toEqual({ a: 2, b: 2 });
    await store.destroy(SID);
    await set(Object.assign(copy, { b: 3 }));
    expect(await get()).toBeNull();
  });
});

describe('SojournStore#touch of an object that this store did not load', () => {
  const cookie = { path: '/', originalMaxAge: 60_000 };

  it('takes the idle timeout from it, shorter and longer, and keeps it', async () => {
    const { set, touch, get, secondsLeft, clock } = setUp();
    await set({ a: 1, cookie });
    await touch({ cookie: { originalMaxAge: 300_000 } });
    expect(await secondsLeft()).toBe(300);
    expect(await get()).toEqual({
      a: 1,
      cookie: { path: '/', originalMaxAge: 300_000, expires: new Date(clock.now() + 300_000) },
    });
    await touch({ cookie: { originalMaxAge: 30_000 } });
    expect(await secondsLeft()).toBe(30);
  });

  it('takes a fixed end from it', async () => {
    const { set, touch, secondsLeft, clock } = setUp();
    await set({ cookie: { originalMaxAge: null } });
    await touch({ cookie: { originalMaxAge: null, expires: new Date(clock.now() + 90_000) } });
    expect(await secondsLeft()).toBe(90);
  });

  it('ends a session whose cookie has ended', async () => {
    const { set, touch, get, clock } = setUp();
    await set({ cookie });
    await touch({ cookie: { expires: new Date(clock.now() - 1) } });
    expect(await get()).toBeNull();
  });

  it('takes nothing but the time from it', async () => {
    const { set, touch, get } = setUp();
    await set({ a: 1, cookie });
    await touch({ a: 2, b: 2, cookie: { path: '/x', originalMaxAge: 60_000 } });
    expect(await get()).toMatchObject({ a: 1, cookie: { path: '/' } });
    expect(await get()).not.toHaveProperty('b');
  });

  it('slides a session by its own time where the object has none', async () => {
    const { set, touch, secondsLeft, elapse } = setUp();
    await set({ cookie });
    elapse(30_000);
    await touch({});
    expect(await secondsLeft()).toBe(60);
  });

  it('brings nothing to life', async () => {
    const { touch, get } = setUp();
    await touch({ cookie });
    expect(await get()).toBeNull();
  });
});
