import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { scanSessions } from '../../src/adapters/redis/inspect/scan-sessions.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/session-token.ts';
import { SojournStore } from '../../src/express.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';

type Data = Parameters<SojournStore['set']>[1];

const data = (fields: object, cookie: object = {}) =>
  ({ cookie: { originalMaxAge: null, ...cookie }, ...fields }) as Data;

describeLive('SojournStore in the hands of a tool', () => {
  const prefix = useTestPrefix();
  let redis: Redis;
  let store: SojournStore;

  beforeAll(() => {
    redis = new Redis(redisUrl());
    store = new SojournStore({
      repository: new RedisSessionRepository({ client: redis, prefix }),
      scan: () => scanSessions({ client: redis, prefix }),
    });
  });
  beforeEach(() => store.clear());
  afterAll(() => redis.quit());

  const key = (sid: string) => prefix + store.idOf(sid);
  const inSeconds = (seconds: number) => new Date(Date.now() + seconds * 1000);

  it('takes sessions through a life that connect-redis would know', async () => {
    await store.set('browser', data({ color: 'green' }));
    expect(await store.get('browser')).toEqual(data({ color: 'green' }));
    expect(await redis.ttl(key('browser'))).toBe(86_400);

    const expires = inSeconds(60);
    await store.set('fixed', data({}, { expires }));
    expect(await redis.ttl(key('fixed'))).toBe(60);
    await store.touch('fixed', data({}, { expires: inSeconds(90) }));
    expect(await redis.ttl(key('fixed'))).toBe(90);

    const all = (await store.all()).sort((a) => ('color' in a ? -1 : 1));
    expect(all).toEqual([
      { id: store.idOf('browser'), ...data({ color: 'green' }) },
      { id: store.idOf('fixed'), ...data({}, { expires: expires.toISOString() }) },
    ]);

    await store.destroy('fixed');
    expect(await store.length()).toBe(1);
    await store.set('browser', data({}, { expires: inSeconds(-1) }));
    expect(await store.length()).toBe(0);
    expect(await redis.keys(`${prefix}*`)).toEqual([]);
  });

  it('counts and ends a thousand sessions', async () => {
    const sids = Array.from({ length: 1000 }, (_, i) => `visitor ${i}`);
    await Promise.all(sids.map((sid) => store.set(sid, data({}))));
    expect(await store.length()).toBe(1000);
    await store.clear();
    expect(await store.length()).toBe(0);
  });

  it.each([
    ['a field that holds no JSON', 2, 'HSET', 'color', 'green'],
    ['a cookie that holds no JSON', 2, 'HSET', 'cookie', '{'],
    ['bytes that are no text', 2, 'HSET', Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0x00])],
    // A hash without Sojourn's own fields, or with broken ones, is no session.
    ['no creation', 1, 'HDEL', 'created_at'],
    ['no timeout', 1, 'HDEL', 'session_ttl'],
    ['a timeout that is no number', 1, 'HSET', 'session_ttl', 'soon'],
  ])('lists what it can read beside a session with %s, and counts %d', async (...damage) => {
    const [, count, command, ...args] = damage;
    await store.set('sound', data({ color: 'red' }));
    await store.set('damaged', data({ color: 'green' }));
    await redis.call(command as string, key('damaged'), ...(args as string[]));
    expect(await store.length()).toBe(count);
    expect((await store.all()).map(({ cookie, ...rest }) => rest)).toContainEqual({
      id: store.idOf('sound'),
      color: 'red',
    });
  });
});

describe('SojournStore#all', () => {
  it('fails where the store does, rather than answer with the sessions that it reached', async () => {
    class Away extends MemorySessionRepository {
      override find(): Promise<never> {
        return Promise.reject(new StoreUnavailableError('unknown', { failure: 'timeout' }));
      }
    }
    const repository = new Away();
    const store: SojournStore = new SojournStore({
      repository,
      scan: async function* (): AsyncGenerator<SessionId[]> {
        yield [store.idOf('a')];
      },
    });
    await store.set('a', data({}));
    await expect(store.all()).rejects.toMatchObject({ failure: 'timeout', status: 503 });
    await expect(store.length()).rejects.toMatchObject({ failure: 'timeout', status: 503 });
  });
});
