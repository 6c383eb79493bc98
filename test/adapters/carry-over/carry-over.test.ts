import type { SessionData } from 'express-session';
import { describe, expect, it } from 'vitest';
import { SojournStore } from '../../../src/adapters/express/session-store.ts';
import { MemorySessionRepository } from '../../../src/adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from '../../../src/adapters/node/node-secrets.ts';
import { AT_ONCE } from '../../../src/domain/pace.ts';
import { mintSession } from '../../../src/domain/session-token.ts';
import {
  type Credential,
  carryOver,
  type MovableRepository,
  type MoveProgress,
  moveSessions,
  type SessionId,
  type SessionPolicyOptions,
  type SessionRepository,
  SessionService,
  StoreUnavailableError,
} from '../../../src/index.ts';
import { stepwise } from './step-by-step.ts';

let now = Date.parse('2026-04-02T12:34:56Z');
const clock = { now: () => now };

/** A store that can be taken away, and that tells which calls it got. */
function store(own = clock) {
  const calls: string[] = [];
  const memory = new MemorySessionRepository(own);
  const away = { is: false };
  const repository: MovableRepository = stepwise(memory, async (name) => {
    calls.push(name);
    if (away.is) throw new StoreUnavailableError('refused');
  });
  return { memory, repository, calls, away };
}

function setUp(policy: SessionPolicyOptions = {}, [ownFrom, ownTo] = [clock, clock]) {
  const from = store(ownFrom);
  const to = store(ownTo);
  const serve = (repository: SessionRepository) =>
    new SessionService({ repository, clock, policy });
  const two = { from: from.repository, to: to.repository };
  return {
    from,
    to,
    old: serve(from.repository),
    preparing: serve(carryOver({ ...two, phase: 'prepare' })),
    moving: serve(carryOver({ ...two, phase: 'move' })),
    plain: serve(to.repository),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a session that moves', () => {
  it('costs nothing more where it has moved, and two more round trips where it has not', async () => {
    const { from, to, old, moving } = setUp();
    const { token } = await old.create({ a: '1' });
    from.calls.length = 0;
    now += 60_000;
    const session = await moving.get(token);
    expect(session).toMatchObject({ fields: { a: '1' }, remainingMs: 1_800_000 });
    expect(session?.lastAccessedAt).not.toBe(session?.createdAt);
    // What was asked before the answer; the rest is done behind it.
    expect([...from.calls.slice(0, 1), ...to.calls.slice(0, 2)]).toEqual([
      'freeze',
      'access',
      'adopt',
    ]);
    await settled();
    from.calls.length = 0;
    to.calls.length = 0;
    expect(await moving.get(token)).toMatchObject({ fields: { a: '1' } });
    expect([to.calls, from.calls]).toEqual([['access'], []]);
  });

  it('is used for its whole idle timeout from then on, also where another server began to move it', async () => {
    const { from, to, old, moving, plain } = setUp();
    const { token, session } = await old.create();
    const frozen = await from.memory.moves.freeze(session.id);
    if (typeof frozen !== 'object' || !('copy' in frozen)) throw new Error('Not frozen.');
    await to.memory.moves.adopt(frozen.copy);
    now += 60_000;
    expect((await moving.get(token))?.remainingMs).toBe(1_800_000);
    await settled();
    expect((await plain.peek(token))?.remainingMs).toBe(1_800_000);
  });

  it('as a cold one keeps the time that was left, and is moved once', async () => {
    const { from, to, old, plain } = setUp();
    const begun = await Promise.all(Array.from({ length: 250 }, () => old.create()));
    const ids = begun.map(({ session }) => session.id);
    now += 60_000;
    const scan = async function* () {
      yield ids.slice(0, 200);
      yield ids.slice(100);
    };
    const two = { from: from.repository, to: to.repository, scan, fullSpeed: true };
    to.away.is = true;
    await expect(moveSessions(two).next()).rejects.toThrow(StoreUnavailableError);
    to.away.is = false;
    const progress: MoveProgress[] = [];
    for await (const step of moveSessions(two)) progress.push(step);
    const steps = progress.map(({ moved }, i) => moved - (progress[i - 1]?.moved ?? 0));
    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(250);
    expect(Math.max(...steps)).toBe(AT_ONCE);
    expect(progress.at(-1)?.seen).toBe(350);
    for (const { token } of begun) {
      expect((await plain.peek(token))?.remainingMs).toBe(1_740_000);
    }
    expect(await from.memory.count()).toBe(0);
  });

  it('leaves nothing behind, and is a session like any other there', async () => {
    const { from, old, moving, plain } = setUp();
    const { token, session } = await old.create(
      { a: '1' },
      { user: 'ada', device: { label: 'x' } },
    );
    expect(await moving.increment(token, 'n')).toBe(1);
    await settled();
    expect(await from.memory.count()).toBe(0);
    expect(await from.memory.users.list('ada', { from: 'oldest', limit: 9 })).toEqual([]);
    expect(await plain.list('ada')).toMatchObject([
      { id: session.id, device: { label: 'x' }, endsAt: session.endsAt, fields: { n: '1' } },
    ]);
  });

  it('is not claimed by a look, nor by servers that prepare', async () => {
    const { from, to, old, preparing, moving } = setUp();
    const { token } = await old.create({}, { user: 'ada' });
    now += 1000;
    for (const service of [moving, preparing]) {
      expect((await service.peek(token))?.remainingMs).toBe(1_799_000);
      expect(await service.list('ada')).toHaveLength(1);
    }
    await preparing.update(token, { set: { a: '1' } });
    expect(await to.memory.count()).toBe(0);
    expect(await from.memory.count()).toBe(1);
  });

  it('is found by servers that prepare, which go on with what others began', async () => {
    const { from, old, preparing, moving } = setUp();
    const { token } = await old.create({ a: '1' });
    expect(await moving.get(token)).toBeDefined();
    expect(await preparing.increment(token, 'a')).toBe(2);
    expect(await moving.delete(token)).toBe(true);
    expect(await preparing.get(token)).toBeUndefined();
    await settled();
    expect(await from.memory.count()).toBe(0);
  });

  it('that was rotated stays open to requests under way, and a reused token stays one', async () => {
    const { old, moving, preparing } = setUp({ endOnReuse: false });
    const { token: first } = await old.create();
    const second = (await old.rotate(first)) || '';
    const third = (await old.rotate(second, { grace: 10 })) || '';
    expect(await moving.increment(second, 'n')).toBe(1);
    await settled();
    expect(await moving.increment(third, 'n')).toBe(2);
    expect(await preparing.get(second)).toBeDefined();
    expect(await moving.get(first)).toBeUndefined();
    now += 10_000;
    expect(await moving.get(second)).toBeUndefined();
    expect(await moving.get(third)).toBeDefined();
  });

  it('ends a reused token’s session in whichever place it is', async () => {
    for (const isMoved of [false, true]) {
      const { old, moving } = setUp({ endOnReuse: true });
      const { token: first } = await old.create();
      const second = (await old.rotate(first)) || '';
      if (isMoved) await moving.get(second);
      await settled();
      expect(await moving.get(first)).toBeUndefined();
      expect(await moving.get(second)).toBeUndefined();
    }
  });

  it('keeps its end where the clocks of the stores differ', async () => {
    const HOUR = 3_600_000;
    const ahead = { now: () => now + HOUR };
    const { old, moving, plain } = setUp({ lifetime: 3600 }, [ahead, clock]);
    const { token, session } = await old.create({}, { user: 'ada' });
    now += 1000;
    expect((await moving.get(token))?.endsAt).toBe((session.endsAt ?? 0) - HOUR);
    await settled();
    expect(await plain.list('ada')).toHaveLength(1);
    now += 1_790_000;
    expect(await moving.get(token)).toBeDefined();
    now += 1_790_000;
    expect(await moving.get(token)).toBeDefined();
    now += 20_000;
    expect(await moving.get(token)).toBeUndefined();
  });
});

describe('a store that is away', () => {
  it('the old one: sessions that have moved are served, new ones begin, and all others are unavailable', async () => {
    const { from, old, moving } = setUp();
    const moved = await old.create({}, { user: 'ada' });
    const cold = await old.create({}, { user: 'bob' });
    expect(await moving.get(moved.token)).toBeDefined();
    await settled();
    from.away.is = true;
    expect(await moving.increment(moved.token, 'n')).toBe(1);
    expect(await moving.peek(moved.token)).toBeDefined();
    const rotated = (await moving.rotate(moved.token)) || '';
    expect(await moving.end(moved.session.id)).toBe(true);
    expect(rotated).toBeTruthy();
    const fresh = await moving.create({}, { user: 'ada' });
    expect(await moving.delete(fresh.token)).toBe(true);
    const other = await moving.create();
    const durably = await moving.durably((own) => own.increment(other.token, 'n'));
    expect(durably.answer).toBe(1);
    const { token } = cold;
    await expect(moving.get(token)).rejects.toThrow(StoreUnavailableError);
    await expect(moving.peek(token)).rejects.toThrow(StoreUnavailableError);
    await expect(moving.delete(token)).rejects.toThrow(StoreUnavailableError);
    await expect(moving.end(cold.session.id)).rejects.toThrow(StoreUnavailableError);
    await expect(moving.deleteAll('bob')).rejects.toThrow(StoreUnavailableError);
    from.away.is = false;
    expect(await moving.get(token)).toBeDefined();
  });

  it('the new one, or full, in the middle: whoever used the old one goes on there', async () => {
    const { from, old, preparing } = setUp();
    const { token } = await old.create({ a: '1' });
    const full = store();
    let isFull = true;
    const to = stepwise(full.memory, async (name) => {
      if (isFull && name === 'adopt') throw new StoreUnavailableError('refused');
    });
    const repository = carryOver({ from: from.repository, to, phase: 'move' });
    const moving = new SessionService({ repository, clock });
    await expect(moving.get(token)).rejects.toThrow(StoreUnavailableError);
    await expect(moving.increment(token, 'a')).rejects.toMatchObject({ outcome: 'refused' });
    expect(await moving.peek(token)).toMatchObject({ fields: { a: '1' } });
    expect(await preparing.increment(token, 'a')).toBe(2);
    isFull = false;
    expect(await moving.increment(token, 'a')).toBe(3);
    await settled();
    expect(await from.memory.count()).toBe(0);
  });

  it('the new one: servers that prepare serve what is in the old one', async () => {
    const { to, old, preparing } = setUp();
    const { token } = await old.create({}, { user: 'ada' });
    to.away.is = true;
    expect(await preparing.get(token)).toBeDefined();
    expect(await preparing.delete(token)).toBe(true);
    const fresh = await preparing.create();
    expect(await preparing.get(fresh.token)).toBeDefined();
    await expect(preparing.get(token)).rejects.toThrow(StoreUnavailableError);
  });
});

describe('a user’s sessions in both stores', () => {
  it('are listed once each, oldest first and in pages, wherever they are', async () => {
    const { old, moving, preparing } = setUp();
    const ids: string[] = [];
    const tokens: string[] = [];
    for (let i = 0; i < 12; i += 1) {
      now += 10;
      const service = i < 4 ? old : i < 8 ? preparing : moving;
      const { token, session } = await service.create({}, { user: 'ada' });
      ids.push(session.id);
      tokens.push(token);
    }
    for (let i = 0; i < 12; i += 1) {
      for (const service of [moving, preparing]) {
        expect((await service.list('ada')).map(({ id }) => id)).toEqual(ids);
        const paged: string[] = [];
        let after: string | undefined;
        do {
          const page = await service.list('ada', { limit: 5, after });
          paged.push(...page.sessions.map(({ id }) => id));
          after = page.next;
        } while (after !== undefined);
        expect(paged).toEqual(ids);
      }
      await moving.get(tokens[i] ?? '');
      await settled();
    }
    expect(await preparing.deleteAll('ada')).toBe(12);
    for (const token of tokens) expect(await moving.get(token)).toBeUndefined();
  });

  it('are listed once where a move has entered one in the new index and not removed it from the old', async () => {
    const { from, to, old, moving, preparing } = setUp();
    const ids: SessionId[] = [];
    for (let i = 0; i < 5; i += 1) {
      now += 1;
      ids.push((await old.create({}, { user: 'ada' })).session.id);
    }
    for (const id of ids.slice(1, 4)) {
      const place = (await from.memory.moves.placeOf('ada', id)) ?? 0;
      await to.memory.moves.enter({ user: 'ada', id, place, endsAt: undefined });
    }
    for (const { users } of [moving, preparing].map(repositoryOf)) {
      for (const limit of [1, 2, 3, 9]) {
        for (const end of ['oldest', 'newest'] as const) {
          const listed: SessionId[] = [];
          let beyond: number | undefined;
          for (;;) {
            const page = await users.list('ada', { from: end, beyond, limit });
            listed.push(...page.map(({ id }) => id));
            beyond = page.at(-1)?.place;
            if (page.length < limit) break;
          }
          expect(listed, `${limit} ${end}`).toEqual(end === 'oldest' ? ids : ids.toReversed());
        }
      }
    }

    function repositoryOf(service: SessionService): SessionRepository {
      const phase = service === moving ? 'move' : 'prepare';
      return carryOver({ from: from.repository, to: to.repository, phase });
    }
  });

  it('end all, also those that are half-way', async () => {
    const { from, to, old, moving, preparing } = setUp();
    for (const service of [moving, preparing]) {
      const { token, session } = await old.create({}, { user: 'ada' });
      const frozen = await from.memory.moves.freeze(session.id);
      if (typeof frozen !== 'object' || !('copy' in frozen)) throw new Error('Not frozen.');
      await to.memory.moves.adopt(frozen.copy);
      expect(await service.list('ada')).toHaveLength(1);
      expect(await service.deleteAll('ada')).toBe(1);
      expect(await from.memory.moves.release(session.id, frozen.copy.claim)).toBe(false);
      expect(await to.memory.find(session.id)).toBeUndefined();
      expect(await moving.get(token)).toBeUndefined();
    }
  });

  it.each(['evict-oldest', 'refuse'] as const)(
    'are never more than there may be: %s',
    async (atMaxSessions) => {
      const { old, moving, preparing } = setUp({ maxSessions: 3, atMaxSessions });
      const tokens: string[] = [];
      const login = async (service: SessionService) => {
        now += 2000;
        const { token } = await service.create({}, { user: 'ada' });
        tokens.push(token);
      };
      for (const service of [old, old, preparing]) await login(service);
      await moving.get(tokens[0] ?? '');
      await settled();
      for (const service of [moving, preparing, moving, moving]) {
        if (atMaxSessions === 'refuse') {
          await expect(login(service)).rejects.toMatchObject({ code: 'too_many_sessions' });
        } else await login(service);
        expect(await moving.list('ada')).toHaveLength(3);
      }
      const alive = await Promise.all(tokens.map((token) => moving.peek(token)));
      expect(alive.map((session) => session !== undefined)).toEqual(
        tokens.map((_, i) => i >= tokens.length - 3),
      );
      await moving.delete(tokens.at(-1) ?? '');
      await login(moving);
      expect(await preparing.list('ada')).toHaveLength(3);
    },
  );

  it.each(
    (['evict-oldest', 'refuse'] as const).flatMap((policy) =>
      (['preparing', 'moving'] as const).flatMap((phase) =>
        [0, 1, 2].map((which) => ({ policy, phase, which })),
      ),
    ),
  )('leave room for what replaces one of them, in either place: %o', async (given) => {
    const { old, moving, ...services } = setUp({ maxSessions: 3, atMaxSessions: given.policy });
    const service = { ...services, moving }[given.phase];
    const ids: SessionId[] = [];
    for (let i = 0; i < 3; i += 1) {
      now += 2000;
      const { token, session } = await old.create({}, { user: 'ada' });
      ids.push(session.id);
      if (i === 0) await moving.get(token);
    }
    await settled();
    now += 2000;
    const replaces = ids[given.which] as SessionId;
    const { session } = await service.create({}, { user: 'ada', replaces });
    expect(await service.end(replaces)).toBe(true);
    expect((await service.list('ada')).map(({ id }) => id)).toEqual([
      ...ids.filter((id) => id !== replaces),
      session.id,
    ]);
  });
});

it('creates no session under an id that lives in the other store', async () => {
  const { from, to } = setUp();
  const two = { from: from.repository, to: to.repository };
  const begin = (repository: SessionRepository, credential: Credential) =>
    repository.create({
      ...{ credential, user: undefined, fields: new Map(), ttl: 60, lifetime: undefined },
      ...{ device: {}, persistent: false, at: '2026-04-02T12:34:56+00:00' },
    });
  const { credential: inOld } = mintSession(nodeSecrets);
  const { credential: inNew } = mintSession(nodeSecrets);
  await begin(from.memory, inOld);
  await begin(to.memory, inNew);
  for (const phase of ['prepare', 'move'] as const) {
    const repository = carryOver({ ...two, phase });
    expect(await begin(repository, inOld)).toBeUndefined();
    expect(await begin(repository, inNew)).toBeUndefined();
  }
});

it('refuses a phase that there is not', () => {
  const from = new MemorySessionRepository();
  const to = new MemorySessionRepository();
  expect(() => carryOver({ from, to, phase: 'both' as never })).toThrow(/'prepare' or 'move'/);
});

it('carries what SojournStore keeps for express-session, under the same session ids', async () => {
  const { from, to } = setUp();
  const userOf = () => 'ada';
  const two = { from: from.repository, to: to.repository };
  const [old, moving, plain] = [
    from.repository,
    carryOver({ ...two, phase: 'move' }),
    to.repository,
  ].map((repository) => new SojournStore({ repository, userOf, clock }));
  if (!old || !moving || !plain) throw new Error('There are three.');
  const session = { cookie: { originalMaxAge: 60_000 }, cart: ['a'] } as never;
  await old.set('sid', session);
  const loaded = (await moving.get('sid')) as { cart: string[] } & SessionData;
  expect(loaded.cart).toEqual(['a']);
  expect(await to.memory.count()).toBe(0);
  loaded.cart.push('b');
  await moving.set('sid', loaded);
  await settled();
  expect(await plain.get('sid')).toMatchObject({ cart: ['a', 'b'] });
  expect(await from.memory.count()).toBe(0);
  await old.set('other', session);
  await moving.destroy('other');
  expect(await moving.get('other')).toBeNull();
  await moving.destroy('sid');
  expect(await moving.get('sid')).toBeNull();
});
