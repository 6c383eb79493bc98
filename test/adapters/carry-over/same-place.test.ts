import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  carryOver,
  type MovableRepository,
  type MoveProgress,
  moveSessions,
  type SessionCopy,
  type SessionId,
  SessionService,
  StoreUnavailableError,
} from '../../../src/index.ts';
import { MemorySessionRepository } from '../../../src/memory.ts';
import { RedisSessionRepository, scanSessions } from '../../../src/redis.ts';
import { describeLive, redisUrl, useTestPrefix } from '../../support/live-redis.ts';

const SAME = { name: 'SessionError', code: 'invalid_option' };

async function moveAll(
  from: MovableRepository,
  to: MovableRepository,
  ids: readonly SessionId[],
): Promise<MoveProgress | undefined> {
  const scan = async function* () {
    yield ids;
  };
  let last: MoveProgress | undefined;
  for await (const progress of moveSessions({ from, to, scan, fullSpeed: true })) last = progress;
  return last;
}

/** `one` and `other` are two objects for the same place. */
function staysAlive(open: () => { one: MovableRepository; other: MovableRepository }): void {
  async function sessions() {
    const { one, other } = open();
    const service = new SessionService({ repository: one });
    const began: Awaited<ReturnType<SessionService['create']>>[] = [];
    for (const i of [1, 2, 3, 4, 5]) {
      began.push(await service.create({ i: String(i) }, { user: 'ada' }));
    }
    const ids = began.map(({ session }) => session.id);
    const alive = async () => {
      const found = await Promise.all(began.map(({ token }) => service.get(token)));
      return found.map((session) => session?.fields.i);
    };
    return { one, other, service, began, ids, alive };
  }
  const ALL = ['1', '2', '3', '4', '5'];

  it('all sessions stay in use, and whoever moves them is told', async () => {
    const { one, other, service, ids, alive } = await sessions();
    await expect(moveAll(one, other, ids)).rejects.toMatchObject(SAME);
    expect(await alive()).toEqual(ALL);
    expect(await service.list('ada')).toHaveLength(5);
  });

  it('also if several programs move them at once', async () => {
    const { one, other, ids, alive } = await sessions();
    const runs = await Promise.allSettled([1, 2, 3, 4].map(() => moveAll(one, other, ids)));
    for (const run of runs) expect(run).toMatchObject({ status: 'rejected', reason: SAME });
    expect(await alive()).toEqual(ALL);
  });

  it('also one whose move died half-way, which the next use or move puts back into use', async () => {
    const { one, other, began, ids, alive } = await sessions();
    const [first, second] = ids as [SessionId, SessionId];
    for (const id of [first, second]) await one.moves.freeze(id);
    const moving = new SessionService({
      repository: carryOver({ from: one, to: other, phase: 'move' }),
    });
    await expect(moving.get(began[0]?.token ?? '')).rejects.toMatchObject(SAME);
    await expect(moveAll(one, other, [second])).rejects.toMatchObject(SAME);
    expect(await alive()).toEqual(ALL);
  });

  it.each(['prepare', 'move'] as const)('servers in the phase %s serve them', async (phase) => {
    const { one, other, service, began, ids, alive } = await sessions();
    const serving = new SessionService({ repository: carryOver({ from: one, to: other, phase }) });
    for (const [i, { token }] of began.entries()) {
      expect((await serving.get(token))?.fields.i).toBe(ALL[i]);
      expect(await serving.update(token, { set: { more: 'x' } })).toBe(true);
    }
    expect((await serving.list('ada')).map(({ id }) => id)).toEqual(ids);
    expect(await alive()).toEqual(ALL);
    const { token, session } = await serving.create({}, { user: 'ada' });
    expect(await serving.end(session.id)).toBe(true);
    expect(await service.get(token)).toBeUndefined();
    expect(await serving.deleteAll('ada')).toBe(5);
  });
}

describe('a move from a place onto itself', () => {
  describe('in memory', () => {
    staysAlive(() => {
      const one = new MemorySessionRepository();
      // Another object for the same sessions.
      const other = new Proxy(one, {
        get(target, name) {
          const value = Reflect.get(target, name);
          return typeof value === 'function' ? value.bind(target) : value;
        },
      });
      return { one, other };
    });
  });

  it('of one and the same repository is refused at once', async () => {
    const one = new MemorySessionRepository();
    for (const phase of ['prepare', 'move'] as const) {
      expect(() => carryOver({ from: one, to: one, phase })).toThrow(expect.objectContaining(SAME));
    }
    await expect(moveAll(one, one, [])).rejects.toMatchObject(SAME);
  });
});

describeLive('a move from a place of Redis onto itself', () => {
  const prefix = useTestPrefix();
  const clients: Redis[] = [];
  beforeAll(() => {
    for (let i = 0; i < 2; i += 1) clients.push(new Redis(redisUrl()));
  });
  afterAll(() => {
    for (const client of clients) client.disconnect();
  });
  const client = (i: number) => clients[i] as Redis;
  let places = 0;

  describe('by another connection', () => {
    staysAlive(() => {
      places += 1;
      const at = `${prefix}${places}:`;
      return {
        one: new RedisSessionRepository({ client: client(0), prefix: at }),
        other: new RedisSessionRepository({ client: client(1), prefix: at }),
      };
    });
  });

  const [OLD, NEW] = [`${prefix}old:`, `${prefix}new:`];
  const two = () => ({
    from: new RedisSessionRepository({ client: client(0), prefix: OLD }),
    to: new RedisSessionRepository({ client: client(1), prefix: NEW }),
  });

  describe.each<[string, (key: string) => Promise<unknown>, (key: string) => Promise<unknown>]>([
    ['a string', (key) => client(0).set(key, 'x'), (key) => client(0).get(key)],
    ['a list', (key) => client(0).rpush(key, 'x'), (key) => client(0).lrange(key, 0, -1)],
    ['another hash', (key) => client(0).hset(key, 'a', 'b'), (key) => client(0).hgetall(key)],
    [
      'a damaged session',
      (key) =>
        client(0).hset(key, {
          ...{ created_at: 'x', last_accessed_at: 'y', session_ttl: 'abc' },
          session_secret: 'z'.repeat(43),
        }),
      (key) => client(0).hgetall(key),
    ],
  ])('the new place has %s under the key of a session', (_, put, look) => {
    it('the session stays where it was, and is not counted as moved', async () => {
      const { from, to } = two();
      const old = new SessionService({ repository: from });
      const stays = await old.create({ a: '1' });
      const moves = await old.create({ b: '2' });
      const key = NEW + stays.session.id;
      await put(key);
      const before = await look(key);
      const last = await moveAll(from, to, [stays.session.id, moves.session.id]);
      expect(last).toEqual({ moved: 1, seen: 2, taken: 1 });
      expect((await old.get(stays.token))?.fields).toEqual({ a: '1' });
      expect((await new SessionService({ repository: to }).get(moves.token))?.fields).toEqual({
        b: '2',
      });
      expect(await look(key)).toEqual(before);
    });

    it('servers that would move it say that the store is unavailable, and why', async () => {
      const { from, to } = two();
      const old = new SessionService({ repository: from });
      const { token, session } = await old.create({ a: '1' });
      await put(NEW + session.id);
      const moving = new SessionService({ repository: carryOver({ from, to, phase: 'move' }) });
      for (const use of [() => moving.get(token), () => moving.rotate(token)]) {
        const error = await use().catch((error: unknown) => error);
        expect(error).toBeInstanceOf(StoreUnavailableError);
        expect(error).toMatchObject({
          outcome: 'refused',
          cause: { message: expect.stringContaining('something else under the key') },
        });
      }
      expect((await old.get(token))?.fields).toEqual({ a: '1' });
    });
  });

  it('a session that is in use in the new place stays, and what the old one still has is ended', async () => {
    const { from, to } = two();
    const { token, session } = await new SessionService({ repository: from }).create({ a: '1' });
    const answer = await from.moves.freeze(session.id);
    const { copy } = answer as { copy: SessionCopy };
    // As a Redis does that lost the release in a crash.
    await to.moves.adopt(copy);
    await to.moves.thaw(session.id, copy.claim);
    expect(await moveAll(from, to, [session.id])).toEqual({ moved: 0, seen: 1, taken: 0 });
    expect((await new SessionService({ repository: to }).get(token))?.fields).toEqual({ a: '1' });
    expect(await client(0).exists(OLD + session.id)).toBe(0);
  });

  it('moves by a scan refuse the place before they end anything', async () => {
    const at = `${prefix}scan:`;
    const place = (i: number) => new RedisSessionRepository({ client: client(i), prefix: at });
    const [from, to] = [place(0), place(1)];
    const service = new SessionService({ repository: from });
    const { token } = await service.create();
    const scan = () => scanSessions({ client: client(0), prefix: at });
    await expect(moveSessions({ from, to, scan }).next()).rejects.toMatchObject(SAME);
    expect(await service.get(token)).toBeDefined();
  });
});
