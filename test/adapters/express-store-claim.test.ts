import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SojournStore, type SojournStoreOptions } from '../../src/express.ts';
import {
  type SessionEvent,
  type SessionRepository,
  SessionService,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';

type Data = Parameters<SojournStore['set']>[1];
type Fields = Record<string, unknown>;

const SID = 'the-session-id-of-a-framework';
const data = (fields: Fields) => ({ cookie: { originalMaxAge: null }, ...fields }) as Data;

describe('A login on a session that was saved without a user', () => {
  describe('in memory', () => suite(() => new MemorySessionRepository()));

  describeLive('in Redis', () => {
    const prefix = useTestPrefix();
    let client: Redis;
    let places = 0;
    beforeAll(() => {
      client = new Redis(redisUrl());
    });
    afterAll(() => client.disconnect());
    suite(() => {
      places += 1;
      return new RedisSessionRepository({ client, prefix: `${prefix}${places}:` });
    });
  });
});

function suite(open: () => SessionRepository): void {
  /** A session with a cart that is saved, and on which its request then logs ada in. */
  async function saved(policy?: SojournStoreOptions['policy']) {
    const repository = open();
    const events: string[] = [];
    const store = new SojournStore({
      ...{ repository, ...(policy && { policy }) },
      userOf: (session) => (session as { user?: string }).user,
      observer: { notify: (event: SessionEvent) => void events.push(event.type) },
    });
    const service = new SessionService({ repository });
    const session = data({ cart: 'book' });
    await store.set(SID, session);
    events.length = 0;
    const login = (fields: Fields = { user: 'ada' }) => {
      Object.assign(session, fields);
      return store.set(SID, session);
    };
    const users = async () => (await service.list('ada')).map(({ id }) => id);
    return { repository, store, service, session, login, users, events };
  }

  const refusals: [string, SojournStoreOptions['policy'], Fields, string][] = [
    [
      'a user who has enough sessions',
      { maxSessions: 1, atMaxSessions: 'refuse' },
      {},
      'too_many_sessions',
    ],
    ['a user who is no text', {}, { user: 42 }, 'invalid_user'],
    ['a user without a name', {}, { user: '' }, 'invalid_user'],
    ['too many fields', { limits: { maxFields: 4 } }, { a: 1, b: 2, c: 3 }, 'too_many_fields'],
    ['too many bytes', { limits: { maxTotalBytes: 200 } }, { a: 'x'.repeat(150) }, 'too_large'],
    [
      'a value that is too long',
      { limits: { maxValueBytes: 50 } },
      { a: 'x'.repeat(60) },
      'invalid_value',
    ],
    ['a cookie without a time', {}, { cookie: { originalMaxAge: Number.NaN } }, 'invalid_ttl'],
  ];

  it.each(refusals)('is refused for %s, and changes nothing', async (_, policy, fields, code) => {
    const { store, session, login, users, events } = await saved(policy);
    await store.set('another', data({ user: 'ada' }));
    events.length = 0;
    await expect(login({ user: 'ada', ...fields })).rejects.toMatchObject({ code });
    const there = await store.get(SID);
    expect(there).toMatchObject({ cart: 'book' });
    expect(there).not.toHaveProperty('user');
    expect(events).toEqual([]);

    await store.destroy('another');
    for (const name of Object.keys(fields)) delete (session as unknown as Fields)[name];
    await login({ user: 'ada', cookie: { originalMaxAge: null } });
    expect(await store.get(SID)).toMatchObject({ cart: 'book', user: 'ada' });
    expect(await users()).toEqual([store.idOf(SID)]);
  });

  it('is refused too if only the writes of another request make it too large', async () => {
    const { store, login } = await saved({ limits: { maxFields: 4 } });
    const other = (await store.get(SID)) as unknown as Fields;
    await store.set(SID, Object.assign(other, { b: 1, c: 2 }) as unknown as Data);
    await expect(login()).rejects.toMatchObject({ code: 'too_many_fields' });
    expect(await store.get(SID)).toMatchObject({ cart: 'book', b: 1, c: 2 });
  });

  it('keeps what other requests saved meanwhile, and removes what its own removed', async () => {
    const { store, repository, session, login, users } = await saved();
    await store.set(SID, Object.assign(session, { old: 'x' }));
    const other = (await store.get(SID)) as unknown as Fields;
    await store.set(SID, Object.assign(other, { note: 'first' }) as unknown as Data);
    before(repository.users, 'add', async () => {
      await store.set(SID, Object.assign(other, { note: 'second' }) as unknown as Data);
    });
    delete (session as unknown as Fields).old;
    await login({ user: 'ada', cart: 'two books' });
    const there = await store.get(SID);
    expect(there).toMatchObject({ cart: 'two books', note: 'second', user: 'ada' });
    expect(there).not.toHaveProperty('old');
    expect(await users()).toEqual([store.idOf(SID)]);
  });

  it('never leaves a user more sessions than allowed, whoever logs in meanwhile', async () => {
    const { store, repository, login, users } = await saved({ maxSessions: 2 });
    const log = (sid: string) => store.set(sid, data({ user: 'ada' }));
    await log('one');
    before(repository, 'end', async () => {
      await log('two');
      await log('three');
    });
    await login();
    expect(await users()).toEqual(['two', 'three'].map((sid) => store.idOf(sid)));
    expect(await store.get(SID)).toBeNull();
  });

  it.each([
    ['add', 'refused'],
    ['read', 'refused'],
    ['end', 'refused'],
    ['end', 'unknown'],
    ['create', 'refused'],
    ['create', 'unknown'],
  ] as const)(
    'that fails in %s (%s) leaves the session, and can be repeated',
    async (verb, outcome) => {
      const { store, repository, login, users, events } = await saved();
      const on = verb === 'add' ? repository.users : repository;
      const failure = new StoreUnavailableError(outcome);
      before(on, verb, () => Promise.reject(failure));
      await expect(login()).rejects.toBe(failure);
      const there = await store.get(SID);
      expect(there).toMatchObject({ cart: 'book' });
      expect(there).not.toHaveProperty('user');
      expect(events).not.toContain('ended');
      await login();
      expect(await store.get(SID)).toMatchObject({ cart: 'book', user: 'ada' });
      expect(await users()).toEqual([store.idOf(SID)]);
    },
  );

  it.each(['end', 'create'] as const)(
    'whose %s is done and not answered can be repeated',
    async (verb) => {
      const { store, repository, login, users } = await saved();
      const act = repository[verb].bind(repository) as unknown as Act;
      const failure = new StoreUnavailableError('unknown');
      before(repository, verb, async (...args) => {
        await act(...args);
        throw failure;
      });
      await expect(login()).rejects.toBe(failure);
      expect(await store.get(SID)).toMatchObject({ cart: 'book' });
      await login();
      expect(await store.get(SID)).toMatchObject({ cart: 'book', user: 'ada' });
      expect(await users()).toEqual([store.idOf(SID)]);
    },
  );

  it('that meets an outage begins the session anew when it is repeated', async () => {
    const { store, repository, login, users, events } = await saved();
    const failure = new StoreUnavailableError('refused');
    before(repository, 'create', () => {
      before(repository, 'create', () => Promise.reject(failure)); // putting it back fails as well
      return Promise.reject(failure);
    });
    await expect(login()).rejects.toBe(failure);
    expect(await store.get(SID)).toBeNull();
    await login();
    expect(await store.get(SID)).toMatchObject({ cart: 'book', user: 'ada' });
    expect(await users()).toEqual([store.idOf(SID)]);
    expect(events).toEqual(['ended', 'created']);
  });

  it.each(['add', 'read', 'end', 'create'] as const)(
    'brings nobody back who logs out before its %s',
    async (verb) => {
      const { store, repository, login, users } = await saved();
      const on = verb === 'add' ? repository.users : repository;
      before(on, verb, () => store.destroy(SID));
      await login();
      await login({ more: 1 });
      expect(await store.get(SID)).toBeNull();
      expect(await users()).toEqual([]);
    },
  );

  it.each(['add', 'read', 'end'] as const)(
    'brings nobody back whom another process logs out before its %s',
    async (verb) => {
      const { store, repository, service, login, users } = await saved();
      const on = verb === 'add' ? repository.users : repository;
      before(on, verb, () => service.end(store.idOf(SID)));
      await login();
      await login({ more: 1 });
      expect(await store.get(SID)).toBeNull();
      expect(await users()).toEqual([]);
    },
  );

  it('brings nobody back who logs out while it fails', async () => {
    const { store, repository, login } = await saved();
    const failure = new StoreUnavailableError('refused');
    before(repository, 'create', async () => {
      await store.destroy(SID);
      throw failure;
    });
    await expect(login()).rejects.toBe(failure);
    expect(await store.get(SID)).toBeNull();
    await login();
    expect(await store.get(SID)).toBeNull();
  });
}

type Act = (...args: unknown[]) => Promise<unknown>;

/** The next call of that verb does this first; the call itself follows unless this throws. */
function before(on: SessionRepository | SessionRepository['users'], verb: string, act: Act): void {
  const verbs = on as unknown as Record<string, Act>;
  const call = verbs[verb]?.bind(on) as Act;
  verbs[verb] = async (...args) => {
    verbs[verb] = call;
    await act(...args);
    return call(...args);
  };
}
