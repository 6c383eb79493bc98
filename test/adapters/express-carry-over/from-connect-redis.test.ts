import { randomBytes } from 'node:crypto';
import { RedisStore } from 'connect-redis';
import session, { type SessionData } from 'express-session';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nodeSecrets } from '../../../src/adapters/node/node-secrets.ts';
import { deriveCredential } from '../../../src/domain/session-token.ts';
import { fromConnectRedis, SojournStore, type SojournStoreOptions } from '../../../src/express.ts';
import { SessionService, StoreUnavailableError } from '../../../src/index.ts';
import { MemorySessionRepository } from '../../../src/memory.ts';
import { RedisSessionRepository, scanSessions } from '../../../src/redis.ts';
import { describeLive, redisUrl, useTestPrefix } from '../../support/live-redis.ts';

type Data = SessionData & Record<string, unknown>;
type Phase = 'prepare' | 'move';

describeLive('sessions of connect-redis that SojournStore carries over', () => {
  const test = useTestPrefix();
  let node: Awaited<ReturnType<typeof openNode>>;
  let redis: Redis;
  const openNode = () => createClient({ url: redisUrl() }).connect();
  beforeAll(async () => {
    node = await openNode();
    redis = new Redis(redisUrl());
  });
  afterAll(() => {
    node.destroy();
    redis.disconnect();
  });

  interface Setup extends Partial<SojournStoreOptions> {
    readonly old?: object;
    readonly on?: 'redis' | 'node';
  }

  /** Both stores, in places of their own. */
  function place(name = randomBytes(6).toString('hex')) {
    const [prefix, own] = [`${test}${name}:sess:`, `${test}${name}:web:`];
    return {
      ...{ prefix, own },
      plain: (options = {}) => new RedisStore({ client: node, prefix, ...options }),
      store(phase: Phase, { old, on = 'redis', ...options }: Setup = {}) {
        const client = on === 'redis' ? redis : node;
        return new SojournStore({
          repository: new RedisSessionRepository({ client, prefix: own }),
          scan: () => scanSessions({ client, prefix: own }),
          carryOver: fromConnectRedis({ ...{ client, prefix, phase }, ...old }),
          ...options,
        });
      },
    };
  }

  describe.each(['redis', 'node'] as const)('by a client of %s', (on) => {
    it('one moves at its first use, with its data, cookie and what is left of its time', async () => {
      const { plain, store, prefix, own } = place();
      const sid = newSid();
      await plain().set(sid, data(3600, { cart: { n: 1 }, user: 'ada', session_ttl: 'x', '': 0 }));
      const moving = store('move', { on });
      const found = (await moving.get(sid)) as Data;
      expect(found).toMatchObject({ cart: { n: 1 }, user: 'ada', session_ttl: 'x', '': 0 });
      expect(found.cookie).toMatchObject({ originalMaxAge: 3_600_000, httpOnly: true, path: '/' });
      expect(await redis.exists(prefix + sid)).toBe(1); // a look moves nothing
      await moving.touch(sid, found);
      await gone(prefix + sid);
      expect(await redis.ttl(own + moving.idOf(sid))).toBeGreaterThan(3590);
      expect(await moving.get(sid)).toMatchObject({ cart: { n: 1 }, session_ttl: 'x' });
      expect(await plain().get(sid)).toBeNull();
    });

    it('one of servers that prepare is read and written by connect-redis, and the other way round', async () => {
      const { plain, store, prefix } = place();
      const preparing = store('prepare', { on });
      const sid = newSid();
      await preparing.set(sid, data(600, { a: 1 }));
      const there = await plain().get(sid);
      expect(there).toMatchObject({ a: 1, cookie: { originalMaxAge: 600_000 } });
      expect(new Date(there.cookie.expires).getTime() - Date.now()).toBeGreaterThan(595_000);
      await plain().set(sid, { ...there, b: 2 });
      const loaded = (await preparing.get(sid)) as Data;
      expect(loaded).toMatchObject({ a: 1, b: 2 });
      await plain().set(sid, { ...there, b: 3, c: 4 });
      loaded.a = 5;
      delete loaded.c;
      await preparing.set(sid, loaded);
      expect(await plain().get(sid)).toMatchObject({ a: 5, b: 3, c: 4 }); // only what this request changed
      await redis.expire(prefix + sid, 10);
      await preparing.touch(sid, (await preparing.get(sid)) as Data);
      expect(await redis.ttl(prefix + sid)).toBeGreaterThan(590);
      await preparing.destroy(sid);
      expect(await plain().get(sid)).toBeNull();
      await preparing.set(sid, loaded);
      expect(await plain().get(sid)).toBeNull(); // no revival
    });
  });

  it('saves of one session at once all succeed on servers that prepare', async () => {
    const { plain, store } = place();
    const servers = [1, 2, 3, 4].map(() => store('prepare'));
    const sid = newSid();
    await plain().set(sid, data(600));
    const names = Array.from({ length: 60 }, (_, i) => `k${i}`);
    const save = async (name: string, i: number) => {
      const server = servers[i % servers.length] as SojournStore;
      await server.set(sid, Object.assign((await server.get(sid)) as Data, { [name]: i }));
    };
    await Promise.all(names.map(save));
    expect(Object.keys((await plain().get(sid)) as Data)).toEqual(expect.arrayContaining(names));
  });

  it('a server that prepares finds what has moved, and none of them brings back what another has destroyed', async () => {
    const { plain, store } = place();
    const [preparing, moving] = [store('prepare'), store('move')];
    const sid = newSid();
    await plain().set(sid, data(600, { a: 1 }));
    const held = (await preparing.get(sid)) as Data;
    await moving.set(sid, Object.assign((await moving.get(sid)) as Data, { b: 2 }));
    held.c = 3;
    await preparing.set(sid, held);
    expect(await moving.get(sid)).toMatchObject({ a: 1, b: 2, c: 3 });
    const late = (await moving.get(sid)) as Data;
    await preparing.destroy(sid);
    late.d = 4;
    await moving.set(sid, late);
    await preparing.set(sid, held);
    for (const store of [preparing, moving]) expect(await store.get(sid)).toBeNull();
  });

  it('a session that began in the new place is found by servers that prepare', async () => {
    const { store, plain } = place();
    const sid = newSid();
    await store('move').set(sid, data(600, { a: 1 }));
    expect(await plain().get(sid)).toBeNull();
    expect(await store('prepare').get(sid)).toMatchObject({ a: 1 });
  });

  it('a logout reaches both places, also where a server of connect-redis has written the old key anew', async () => {
    for (const phase of ['prepare', 'move'] as const) {
      const { plain, store } = place();
      const sid = newSid();
      await plain().set(sid, data(600));
      const moving = store('move');
      await moving.touch(sid, (await moving.get(sid)) as Data);
      await plain().set(sid, data(600)); // which should not run any more
      await store(phase).destroy(sid);
      expect(await plain().get(sid)).toBeNull();
      for (const other of ['prepare', 'move'] as const)
        expect(await store(other).get(sid)).toBeNull();
    }
  });

  it('a session whose cookie ends with the browser idles as long as it did, and then as the policy says', async () => {
    const { plain, store, own } = place();
    const sid = newSid();
    await plain({ ttl: 7200 }).set(sid, data(undefined, { a: 1 }));
    const moving = store('move', { old: { ttl: 7200 }, policy: { ttl: 900 } });
    for await (const progress of moving.moveSessions()) expect(progress.moved).toBe(1);
    const key = own + moving.idOf(sid);
    expect(await redis.hget(key, 'session_ttl')).toBe('7200');
    expect(await redis.ttl(key)).toBeGreaterThan(7190);
    await moving.touch(sid, (await moving.get(sid)) as Data);
    expect(await redis.ttl(key)).toBeLessThanOrEqual(900);
    const other = newSid();
    await plain({ ttl: 50 }).set(other, data(undefined));
    const byFunction = store('move', { old: { ttl: () => 50 } });
    for await (const _ of byFunction.moveSessions());
    expect(await redis.hget(own + byFunction.idOf(other), 'session_ttl')).toBe('50');
  });

  it('a session without an end keeps none while servers prepare, and has one from its move on', async () => {
    const { plain, store, prefix, own } = place();
    const sid = newSid();
    const old = { disableTTL: true };
    await plain(old).set(sid, data(undefined, { a: 1 }));
    expect(await redis.ttl(prefix + sid)).toBe(-1);
    const preparing = store('prepare', { old });
    const held = (await preparing.get(sid)) as Data;
    await preparing.touch(sid, held);
    held.a = 2;
    await preparing.set(sid, held);
    expect(await redis.ttl(prefix + sid)).toBe(-1);
    const begun = newSid();
    await preparing.set(begun, data(undefined));
    expect(await redis.ttl(prefix + begun)).toBe(-1);
    const moving = store('move', { old });
    for await (const _ of moving.moveSessions());
    expect(await redis.ttl(own + moving.idOf(sid))).toBeGreaterThan(86_000);
    expect(await redis.keys(`${prefix}*`)).toEqual([]);
  });

  it('with disableTouch a use puts no end off until the session moves', async () => {
    const { plain, store, prefix, own } = place();
    const sid = newSid();
    const old = { disableTouch: true };
    await plain(old).set(sid, data(600));
    await redis.expire(prefix + sid, 100);
    const preparing = store('prepare', { old });
    await preparing.touch(sid, (await preparing.get(sid)) as Data);
    expect(await redis.ttl(prefix + sid)).toBeLessThanOrEqual(100);
    const moving = store('move', { old });
    await moving.touch(sid, (await moving.get(sid)) as Data);
    expect(await redis.ttl(own + moving.idOf(sid))).toBeGreaterThan(590);
  });

  it('a serializer of one’s own reads and writes the old place', async () => {
    const { plain, store, prefix } = place();
    const serializer = {
      parse: async (text: string) => JSON.parse(Buffer.from(text, 'base64').toString()),
      stringify: (value: object) => Buffer.from(JSON.stringify(value)).toString('base64'),
    };
    const sid = newSid();
    await plain({ serializer }).set(sid, data(600, { a: 'ü' }));
    const preparing = store('prepare', { old: { serializer } });
    const held = (await preparing.get(sid)) as Data;
    held.b = 2;
    await preparing.set(sid, held);
    expect(await plain({ serializer }).get(sid)).toMatchObject({ a: 'ü', b: 2 });
    const moving = store('move', { old: { serializer } });
    await moving.touch(sid, (await moving.get(sid)) as Data);
    await gone(prefix + sid);
    expect(await moving.get(sid)).toMatchObject({ a: 'ü', b: 2 });
  });

  it.each(['{"cookie":', '"text"', '[]', '7'])(
    'one that is damaged fails its own requests alone, and stays where it is: %s',
    async (text) => {
      const { plain, store, prefix } = place();
      const [sid, sound] = [newSid(), newSid()];
      await redis.set(prefix + sid, text, 'EX', 600);
      await plain().set(sound, data(600, { a: 1 }));
      for (const phase of ['prepare', 'move'] as const) {
        const error = await store(phase)
          .get(sid)
          .catch((error: unknown) => error);
        expect(error).toBeInstanceOf(TypeError);
        expect(String(error)).not.toContain('cookie');
        await expect(store(phase).set(sid, data(600))).rejects.toThrow('cannot be read');
      }
      const moving = store('move');
      expect(await moving.all()).toHaveLength(1);
      expect(await moving.length()).toBe(2);
      let last = {};
      for await (const progress of moving.moveSessions()) last = progress;
      expect(last).toEqual({ moved: 1, seen: 2, taken: 0, unreadable: 1 });
      expect(await redis.get(prefix + sid)).toBe(text);
      expect(await redis.ttl(prefix + sid)).toBeGreaterThan(590);
      await moving.destroy(sid);
      expect(await redis.exists(prefix + sid)).toBe(0);
    },
  );

  it.each(['{"beta":true}', '{"cookie":null}', '{"cookie":"chocolate"}'])(
    'a string that is no session, %s, is not moved by a program',
    async (text) => {
      const { plain, store, prefix } = place();
      const moving = store('move');
      await redis.set(prefix + newSid(), text);
      await plain().set(newSid(), data(600, { a: 1 }));
      let last = {};
      for await (const progress of moving.moveSessions()) last = progress;
      expect(last).toEqual({ moved: 1, seen: 2, taken: 0, unreadable: 1 });
      const keys = await redis.keys(`${prefix}*`);
      expect(await redis.mget(keys)).toEqual([text]);
      expect(await redis.ttl(keys[0] as string)).toBe(-1);
    },
  );

  it('a text that stands for no session is none, as to connect-redis', async () => {
    const { plain, store, prefix } = place();
    for (const text of ['', 'null']) {
      const sid = newSid();
      await redis.set(prefix + sid, text, 'EX', 600);
      expect(await plain().get(sid)).toBeNull();
      for (const phase of ['prepare', 'move'] as const) {
        expect(await store(phase).get(sid)).toBeNull();
      }
    }
  });

  it('is its user’s from the move on: listed, and ended with the user’s others', async () => {
    const { plain, store, own, prefix } = place();
    const userOf = (session: SessionData) => (session as Data).user as string | undefined;
    const service = new SessionService({
      repository: new RedisSessionRepository({ client: redis, prefix: own }),
    });
    const sids = [newSid(), newSid(), newSid()];
    for (const sid of sids) await plain().set(sid, data(600, { user: 'ada' }));
    const moving = store('move', { userOf, policy: { lifetime: 300 } });
    expect(await service.list('ada')).toEqual([]);
    for await (const _ of moving.moveSessions());
    const listed = await service.list('ada');
    expect(listed.map(({ id }) => id).sort()).toEqual(sids.map((sid) => moving.idOf(sid)).sort());
    for (const { endsAt, remainingMs } of listed) {
      expect(endsAt).toBeLessThanOrEqual(Date.now() + 300_000);
      expect(remainingMs).toBeLessThanOrEqual(300_000);
    }
    expect(await service.deleteAll('ada')).toBe(3);
    for (const sid of sids) expect(await moving.get(sid)).toBeNull();
    expect(await redis.keys(`${prefix}*`)).toEqual([]);
  });

  it('where nothing can be made of its user, the error says so, and the session stays', async () => {
    const { plain, store, prefix } = place();
    const sid = newSid();
    await plain().set(sid, data(600, { user: 7 }));
    const userOf = (session: SessionData) => (session as Data).user as string;
    const moving = store('move', { userOf });
    const held = (await moving.get(sid)) as Data;
    await expect(moving.touch(sid, held)).rejects.toMatchObject({ code: 'invalid_user' });
    expect(await plain().get(sid)).toMatchObject({ user: 7 });
    expect(await redis.type(prefix + sid)).toBe('string');
  });

  it('one over the limits of the new place moves as it is; only what is written must be within them', async () => {
    const { plain, store } = place();
    const sid = newSid();
    await plain().set(sid, data(600, { large: 'x'.repeat(40_000) }));
    const moving = store('move');
    const held = (await moving.get(sid)) as Data;
    await moving.touch(sid, held);
    expect(((await moving.get(sid)) as Data).large).toHaveLength(40_000);
    held.more = 'x'.repeat(10);
    await expect(moving.set(sid, held)).rejects.toMatchObject({ name: 'SessionError' });
  });

  it('all, length and clear tell of both places', async () => {
    for (const phase of ['prepare', 'move'] as const) {
      const { plain, store, prefix, own } = place();
      const both = store(phase);
      const moved = newSid();
      await plain().set(moved, data(600, { n: 1 }));
      const moving = store('move');
      await moving.touch(moved, (await moving.get(moved)) as Data);
      const still = newSid();
      await plain().set(still, data(600, { n: 2 }));
      const all = (await both.all()) as (Data & { id: string })[];
      expect(all.map(({ id, n }) => [id, n]).sort()).toEqual(
        [
          [both.idOf(moved), 1],
          [both.idOf(still), 2],
        ].sort(),
      );
      expect(await both.length()).toBe(2);
      await both.clear();
      expect(await redis.keys(`${prefix}*`)).toEqual([]);
      expect(await redis.keys(`${own}*`)).toEqual([]);
    }
  });

  it('one prefix for both places is possible', async () => {
    const { plain, prefix } = place();
    const sid = newSid();
    await plain().set(sid, data(600, { a: 1 }));
    const moving = new SojournStore({
      repository: new RedisSessionRepository({ client: redis, prefix }),
      scan: () => scanSessions({ client: redis, prefix }),
      carryOver: fromConnectRedis({ client: redis, prefix, phase: 'move' }),
    });
    await moving.touch(sid, (await moving.get(sid)) as Data);
    expect(await moving.length()).toBe(1);
    for await (const { moved } of moving.moveSessions()) expect(moved).toBe(0);
    expect(await moving.get(sid)).toMatchObject({ a: 1 });
  });

  it('while the old place is away sessions that have moved are served, and all others are unavailable', async () => {
    const { own } = place();
    const away = new Redis({
      port: 1,
      lazyConnect: true,
      maxRetriesPerRequest: 0,
      enableOfflineQueue: false,
    });
    away.on('error', () => {});
    const store = new SojournStore({
      repository: new RedisSessionRepository({ client: redis, prefix: own }),
      carryOver: fromConnectRedis({ client: away, phase: 'move' }),
    });
    const sid = newSid();
    await store.set(sid, data(600, { a: 1 }));
    expect(await store.get(sid)).toMatchObject({ a: 1 });
    await expect(store.get(newSid())).rejects.toMatchObject({ status: 503 });
    await expect(store.destroy(newSid())).rejects.toMatchObject({ status: 503 });
    away.disconnect();
  });

  it('while the new place is away a server that prepares ends what is in the old one', async () => {
    const { plain, prefix } = place();
    const away = new MemorySessionRepository();
    away.end = away.find = async () => {
      throw new StoreUnavailableError('refused');
    };
    const carryOver = fromConnectRedis({ client: redis, prefix, phase: 'prepare' });
    const store = new SojournStore({ repository: away, carryOver });
    const sid = newSid();
    await plain().set(sid, data(600));
    await store.destroy(sid);
    expect(await plain().get(sid)).toBeNull();
    await expect(store.destroy(sid)).rejects.toMatchObject({ status: 503 }); // it may be in the new one
  });

  it.each([
    ['the cookie has an age', 3600],
    ['the cookie ends with the browser', undefined],
  ])('a function says how long sessions idle in the old place, where %s', async (_name, age) => {
    const { plain, store, prefix } = place();
    const ttl = (session: SessionData) => ((session as Data).user === 'ada' ? 50 : 500);
    const preparing = store('prepare', { old: { ttl } });
    const old = plain({ ttl });
    const left = (sid: string) => redis.ttl(prefix + sid);
    const [theirs, ours] = [newSid(), newSid()];
    await old.set(theirs, data(age, { user: 'ada' }));
    expect(await left(theirs)).toBeGreaterThan(45);
    await redis.expire(prefix + theirs, 20);
    await preparing.touch(theirs, (await preparing.get(theirs)) as Data);
    expect(await left(theirs)).toBeGreaterThan(45);
    expect(await left(theirs)).toBeLessThanOrEqual(50);
    await preparing.set(ours, data(age, { user: 'ada' }));
    expect(await left(ours)).toBeLessThanOrEqual(50);
    const loaded = (await preparing.get(ours)) as Data;
    await preparing.set(ours, Object.assign(loaded, { user: 'eve' }));
    expect(await left(ours)).toBeGreaterThan(495);
    expect(await left(ours)).toBeLessThanOrEqual(500);
    const { cookie } = JSON.parse((await redis.get(prefix + ours)) ?? '{}');
    if (age !== undefined) {
      expect(new Date(cookie.expires).getTime() - Date.now()).toBeGreaterThan((age - 60) * 1000);
    }
  });

  it('a session knows nothing of another one’s id', async () => {
    const { plain, store, prefix, own } = place();
    const other = store('move').idOf(newSid());
    const mine = newSid();
    await plain().set(mine, data(600));
    const { from, repository } = fromConnectRedis({ client: redis, prefix, phase: 'move' })
      .onTheWayTo(new RedisSessionRepository({ client: redis, prefix: own }), {
        ...{ clock: Date, userOf: () => undefined, lifetime: undefined },
      })
      .of(mine, deriveCredential(mine, nodeSecrets));
    expect(await from.find(other)).toBeUndefined();
    expect(await repository.end(other, { unbornMs: 0 })).toBeUndefined();
    expect(await plain().get(mine)).not.toBeNull();
    expect(await from.find(store('move').idOf(mine))).toBeDefined();
  });

  it('options that make no sense are refused', () => {
    const repository = new MemorySessionRepository();
    const make = (carryOver: unknown) =>
      new SojournStore({ repository, carryOver } as SojournStoreOptions);
    expect(() => make({ phase: 'move' })).toThrow('fromConnectRedis');
    const options = { client: redis, phase: 'move' } as const;
    const { moves: _, ...without } = { ...repository, moves: repository.moves };
    expect(
      () =>
        new SojournStore({
          repository: Object.setPrototypeOf(without, { ...methods(repository) }),
          carryOver: fromConnectRedis(options),
        }),
    ).toThrow('`moves`');
    for (const wrong of [
      { phase: 'later' },
      { prefix: 7 },
      { ttl: 0 },
      { ttl: '1d' },
      { serializer: { parse: JSON.parse } },
      { client: {} },
    ]) {
      expect(() => fromConnectRedis({ ...options, ...wrong } as never)).toThrow(TypeError);
    }
    const none = new SojournStore({ repository });
    return expect(none.moveSessions().next()).rejects.toThrow('phase `move`');
  });

  async function gone(key: string): Promise<void> {
    await expect.poll(() => redis.exists(key)).toBe(0);
  }
});

/** A session as express-session hands it to a store. */
function data(seconds: number | undefined, values: object = {}): Data {
  const cookie = new session.Cookie();
  if (seconds !== undefined) cookie.maxAge = seconds * 1000;
  return { cookie, ...values } as Data;
}

function methods(repository: object): object {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(repository));
  return Object.fromEntries(names.map((name) => [name, Reflect.get(repository, name)]));
}

function newSid(): string {
  return randomBytes(24).toString('base64url');
}
