import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryUserIndex } from '../../src/adapters/memory/memory-user-index.ts';
import { AT_ONCE } from '../../src/domain/pace.ts';
import {
  type Session,
  type SessionEvent,
  type SessionId,
  type SessionPage,
  type SessionPolicyOptions,
  SessionService,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { until } from '../support/until.ts';

const START = Date.parse('2026-04-02T12:34:56Z');
const user = 'ada';

describe("a user's sessions", () => {
  let now = START;
  const clock = { now: () => now };
  let repository: MemorySessionRepository;
  let events: SessionEvent[];
  let mostAtOnce: number;

  beforeEach(() => {
    now = START;
    events = [];
    mostAtOnce = 0;
    repository = new MemorySessionRepository(clock);
    // As a store that takes a turn of the event loop for each answer.
    let atOnce = 0;
    for (const name of ['find', 'end'] as const) {
      const act = repository[name].bind(repository) as (...args: unknown[]) => Promise<never>;
      repository[name] = async (...args: unknown[]) => {
        atOnce += 1;
        mostAtOnce = Math.max(mostAtOnce, atOnce);
        await new Promise(setImmediate);
        atOnce -= 1;
        return act(...args);
      };
    }
  });

  function service(policy: SessionPolicyOptions = {}): SessionService {
    const observer = { notify: (event: SessionEvent) => void events.push(event) };
    return new SessionService({ repository, clock, policy, observer });
  }

  async function logins(app: SessionService, count: number): Promise<SessionId[]> {
    const ids: SessionId[] = [];
    for (let i = 0; i < count; i += 1) ids.push((await app.create({}, { user })).session.id);
    return ids;
  }

  const idsOf = (sessions: readonly Session[]) => sessions.map(({ id }) => id);

  async function indexed(): Promise<number> {
    let count = 0;
    for (let beyond: number | undefined; ; ) {
      const page = await repository.users.list(user, { from: 'oldest', beyond, limit: 1000 });
      count += page.length;
      beyond = page.at(-1)?.place;
      if (page.length < 1000) return count;
    }
  }

  describe('in pages', () => {
    it.each([1, 7, AT_ONCE, 249, 250, 251, 1000])('of %i, are all of them, once', async (limit) => {
      const app = service();
      const ids = await logins(app, 250);
      const listed: SessionId[] = [];
      const sizes: number[] = [];
      let page: SessionPage | undefined;
      do {
        page = await app.list(user, { limit, after: page?.next });
        listed.push(...idsOf(page.sessions));
        sizes.push(page.sessions.length);
      } while (page.next !== undefined);
      expect(listed).toEqual(ids);
      expect(sizes.slice(0, -1).every((size) => size === limit)).toBe(true);
      expect(sizes.at(-1)).toBeGreaterThan(0);
    });

    it('go on at the right place, whatever begins and ends meanwhile', async () => {
      const app = service();
      const ids = await logins(app, 30);
      const first = await app.list(user, { limit: 10 });
      for (const id of [ids[0], ids[9], ids[10]]) await app.end(id ?? '');
      const later = await logins(app, 2);
      const second = await app.list(user, { limit: 10, after: first.next });
      expect(idsOf(first.sessions)).toEqual(ids.slice(0, 10));
      expect(idsOf(second.sessions)).toEqual(ids.slice(11, 21));
      await app.deleteAll(user, { except: later[1] as SessionId });
      const last = await app.list(user, { after: second.next });
      expect(last).toEqual({
        sessions: [expect.objectContaining({ id: later[1] })],
        next: undefined,
      });
    });

    it('are full though most entries are of sessions that ran out, which are removed', async () => {
      const app = service();
      for (let i = 0; i < 500; i += 1) {
        await repository.users.add({
          user,
          id: `dead ${i}` as SessionId,
          keepMs: 1e9,
          max: undefined,
        });
      }
      now += 11_000;
      const ids = await logins(app, 20);
      const { sessions, next } = await app.list(user, { limit: 15 });
      expect(idsOf(sessions)).toEqual(ids.slice(0, 15));
      expect(idsOf((await app.list(user, { limit: 15, after: next })).sessions)).toEqual(
        ids.slice(15),
      );
      expect(await indexed()).toBe(20);
    });

    it.each([
      { limit: 0 },
      { limit: 1001 },
      { limit: 1.5 },
      { limit: Number.NaN },
      { limit: '5' as unknown as number },
      { after: '' },
      { after: '-1' },
      { after: '1e3' },
      { after: '9'.repeat(16) },
      { after: 5 as unknown as string },
      { after: 'A'.repeat(22) },
    ])('are refused by %o', async (page) => {
      await expect(service().list(user, page)).rejects.toMatchObject({ code: 'invalid_page' });
    });

    it('of nobody are empty', async () => {
      expect(await service().list(user, {})).toEqual({ sessions: [], next: undefined });
      expect(await service().list(user, { after: '0' })).toEqual({ sessions: [], next: undefined });
    });
  });

  it('are listed and ended a batch at a time, with turns of the event loop for others', async () => {
    const app = service();
    const ids = await logins(app, 1234);
    mostAtOnce = 0;
    expect(idsOf(await app.list(user))).toEqual(ids);
    expect(mostAtOnce).toBe(AT_ONCE);
    mostAtOnce = 0;
    let turns = 0;
    const ticking = setInterval(() => {
      turns += 1;
    }, 1);
    expect(await app.deleteAll(user)).toBe(1234);
    clearInterval(ticking);
    expect(mostAtOnce).toBe(AT_ONCE);
    expect(turns).toBeGreaterThan(10);
    expect(await indexed()).toBe(0);
    expect(await repository.count()).toBe(0);
    expect(events.filter(({ type }) => type === 'ended')).toHaveLength(1234);
  });

  it('all end, however many begin meanwhile, and those that began afterwards stay', async () => {
    const app = service();
    await logins(app, 500);
    const began: SessionId[] = [];
    const list = repository.users.list.bind(repository.users);
    let batches = 0;
    repository.users.list = async (...args) => {
      const page = await list(...args);
      batches += 1;
      if (batches > 1) began.push(...(await logins(app, 150))); // more than a batch ends
      return page;
    };
    expect(await app.deleteAll(user)).toBeGreaterThanOrEqual(500);
    repository.users.list = list;
    expect(batches).toBeLessThan(500 / AT_ONCE + 5);
    const alive = idsOf(await app.list(user));
    expect(began).toEqual(expect.arrayContaining(alive));
    expect(alive.length).toBeGreaterThanOrEqual(began.length - 150);
  });

  it('all end, also one that authenticates anew meanwhile', async () => {
    const app = service();
    await logins(app, 250);
    const { token } = await app.create({}, { user });
    const list = repository.users.list.bind(repository.users);
    let next: string | false | undefined;
    repository.users.list = async (...args) => {
      const page = await list(...args);
      next ??= await app.rotate(token, { reauthenticated: true });
      return page;
    };
    expect(await app.deleteAll(user)).toBe(251);
    expect(next).toBeTruthy();
    expect(await app.peek(next || '')).toBeUndefined();
    expect(await repository.count()).toBe(0);
  });

  it('leave no marks behind where they ran out long ago', async () => {
    const app = service({ ttl: 60 });
    await logins(app, 50);
    now += 61_000;
    let marks = 0;
    const end = repository.end.bind(repository);
    repository.end = (id, options) => {
      if (options.unbornMs > 0) marks += 1;
      return end(id, options);
    };
    expect(await app.deleteAll(user)).toBe(0);
    expect(marks).toBe(0);
    expect(await indexed()).toBe(0);
  });

  describe('in the index', () => {
    it('are at most twice as many as are alive, for who logs in every 10 s for a month', {
      tags: ['slow'],
      timeout: 120_000,
    }, async () => {
      const app = service({ ttl: 1800 });
      const alive = 1800 / 10;
      let most = 0;
      for (let login = 0; login < (30 * 24 * 3600) / 10; login += 1) {
        await app.create({}, { user });
        now += 10_000;
        if (login > alive && login % 97 === 0) most = Math.max(most, await indexed());
      }
      expect(most).toBeGreaterThanOrEqual(alive);
      expect(most).toBeLessThanOrEqual(2 * alive);
    });

    it('are never taken for ended while they may be just beginning', async () => {
      const app = service();
      for (let i = 0; i < 30; i += 1) {
        await repository.users.add({
          user,
          id: `begun ${i}` as SessionId,
          keepMs: 1e9,
          max: undefined,
        });
      }
      now += 9000;
      await logins(app, 100);
      expect(await indexed()).toBe(130);
      now += 2000;
      await logins(app, 100);
      expect(await indexed()).toBeLessThan(230);
    });

    it('of users who never come back do not stay in memory', async () => {
      const app = service({ ttl: 60, lifetime: 60 });
      const alone = (name: string) => app.create({}, { user: name });
      for (let i = 0; i < 5000; i += 1) await alone(`gone ${i}`);
      now += 1_000_000;
      for (let i = 0; i < 10_000; i += 1) await alone(`here ${i}`);
      expect((repository.users as MemoryUserIndex).heldUsers).toBe(10_000);
    });

    it('that cannot be looked at or removed keep nobody from logging in', async () => {
      const app = service();
      await logins(app, 5);
      now += 3_600_000;
      repository.find = () => Promise.reject(new Error('find'));
      await logins(app, 5);
      Reflect.deleteProperty(repository, 'find');
      repository.users.remove = () => Promise.reject(new Error('remove'));
      await logins(app, 5);
      expect(await repository.count()).toBe(10);
    });
  });

  describe('beyond a limit', () => {
    const max = 3;

    /** A login whose server dies after it entered the id. */
    async function dyingLogin(app: SessionService): Promise<void> {
      const create = repository.create;
      repository.create = () => Promise.reject(new Error('killed'));
      await expect(app.create({}, { user })).rejects.toThrow('killed');
      repository.create = create;
    }

    it('are not those of logins whose server died on the way', async () => {
      const app = service({ maxSessions: max });
      const answered: SessionId[] = [];
      for (let i = 0; i < 83; i += 1) {
        answered.push(...(await logins(app, 1)));
        now += 1500;
        if (i < 50) {
          await dyingLogin(app);
          now += 1500;
        }
        const alive = idsOf(await app.list(user));
        // What a login that died a moment ago took away is had again by the next one.
        expect(alive.length).toBeGreaterThanOrEqual(Math.min(i + 1, max - 1));
        expect(alive.length).toBeLessThanOrEqual(max);
      }
      expect(idsOf(await app.list(user))).toEqual(answered.slice(-max));
    });

    it('are taken from dead logins first, and these cannot come alive any more', async () => {
      const app = service({ maxSessions: max });
      const create = repository.create.bind(repository);
      let late = () => Promise.resolve<unknown>(undefined);
      repository.create = (session) =>
        new Promise((resolve) => {
          late = async () => resolve(await create(session));
        });
      const slow = app.create({}, { user });
      await until('it is entered', async () => (await indexed()) === 1);
      repository.create = create;
      now += 1500;
      const living = await logins(app, max);
      expect(idsOf(await app.list(user))).toEqual(living);
      await late();
      const { token } = await slow;
      expect(await app.peek(token)).toBeUndefined(); // as one that was evicted a moment later
      expect(idsOf(await app.list(user))).toEqual(living);
    });

    it('where logins are refused, dead ones do not count either', async () => {
      const app = service({ maxSessions: max, atMaxSessions: 'refuse' });
      for (let i = 0; i < max; i += 1) await dyingLogin(app);
      await expect(app.create({}, { user })).rejects.toMatchObject({ code: 'too_many_sessions' });
      now += 1500;
      await logins(app, max);
      await expect(app.create({}, { user })).rejects.toMatchObject({ code: 'too_many_sessions' });
      expect(await app.list(user)).toHaveLength(max);
    });

    it.each(['evict-oldest', 'refuse'] as const)(
      'end in batches where the limit is new and there are very many that ran out (%s)',
      async (atMaxSessions) => {
        for (let i = 0; i < 20_000; i += 1) {
          await repository.users.add({
            user,
            id: `dead ${i}` as SessionId,
            keepMs: 1e9,
            max: undefined,
          });
        }
        now += 100_000;
        const app = service({ maxSessions: max, atMaxSessions });
        mostAtOnce = 0;
        const [id] = await logins(app, 1);
        expect(idsOf(await app.list(user))).toEqual([id]);
        expect(mostAtOnce).toBeLessThanOrEqual(200); // those of the login, and those that it did not wait for
        await until('the rest is gone', async () => (await indexed()) === 1);
      },
    );

    it('end in batches where the limit is new and there are very many alive', async () => {
      const before = service();
      const ids = await logins(before, 12_000);
      const app = service({ maxSessions: max });
      mostAtOnce = 0;
      const [id] = await logins(app, 1);
      expect(mostAtOnce).toBe(AT_ONCE);
      expect(await repository.count()).toBeLessThan(7100); // it does not wait for all of them
      await until('the rest is ended', async () => (await repository.count()) === max);
      expect(idsOf(await app.list(user))).toEqual([...ids.slice(-(max - 1)), id]);
      expect(events.filter(({ type }) => type === 'ended')).toHaveLength(12_001 - max);
    });

    it.each(['evict-oldest', 'refuse'] as const)(
      'never end the session of another user, whose id somebody entered (%s)',
      async (atMaxSessions) => {
        const app = service({ maxSessions: max, atMaxSessions });
        const { session } = await app.create({}, { user: 'eve' });
        for (let i = 0; i < max; i += 1) {
          const id = i === 1 ? session.id : (`dead ${i}` as SessionId);
          await repository.users.add({ user, id, keepMs: 1e9, max: undefined });
        }
        now += 20_000;
        const ids = await logins(app, max);
        expect(idsOf(await app.list(user))).toEqual(ids);
        expect(idsOf(await app.list('eve'))).toEqual([session.id]);
      },
    );

    describe.each(['evict-oldest', 'refuse'] as const)('(%s)', (atMaxSessions) => {
      const limited = () => service({ maxSessions: max, atMaxSessions });
      const ended = () => events.filter(({ type }) => type === 'ended');

      it.each([0, 1, 2])('never are those that replace one of them: number %i', async (which) => {
        const app = limited();
        const ids = await logins(app, max);
        const replaces = ids[which];
        const { session } = await app.create({}, { user, replaces });
        expect(idsOf(await app.list(user))).toEqual([...ids, session.id]);
        expect(ended()).toEqual([]);
        await app.end(replaces ?? '');
        expect(idsOf(await app.list(user))).toEqual([
          ...ids.filter((id) => id !== replaces),
          session.id,
        ]);
      });

      it.each([
        ['another user’s session', (app: SessionService) => app.create({}, { user: 'eve' })],
        ['nobody’s session', (app: SessionService) => app.create()],
        [
          'a session that has ended',
          async (app: SessionService) => {
            const created = await app.create({}, { user });
            await app.delete(created.token);
            return created;
          },
        ],
      ])('are those that replace %s', async (_, begun) => {
        const app = limited();
        const { session: other } = await begun(app);
        const ids = await logins(app, max);
        const login = app.create({}, { user, replaces: other.id });
        if (atMaxSessions === 'refuse') {
          await expect(login).rejects.toMatchObject({ code: 'too_many_sessions' });
          expect(idsOf(await app.list(user))).toEqual(ids);
        } else {
          const { session } = await login;
          expect(idsOf(await app.list(user))).toEqual([...ids.slice(1), session.id]);
        }
        if (other.user === 'eve') expect(await app.list('eve')).toHaveLength(1);
      });

      it('are counted again where nobody ended the one that was replaced', async () => {
        const app = limited();
        const [replaces] = await logins(app, max);
        await app.create({}, { user, replaces });
        const login = app.create({}, { user });
        if (atMaxSessions === 'refuse') {
          await expect(login).rejects.toMatchObject({ code: 'too_many_sessions' });
          expect(await app.list(user)).toHaveLength(max + 1);
        } else {
          await login;
          expect(await app.list(user)).toHaveLength(max);
        }
      });

      it('never grow by more than one where nobody ever ends what was replaced', async () => {
        const app = limited();
        await logins(app, max);
        for (let i = 0; i < 12; i += 1) {
          const alive = idsOf(await app.list(user));
          const replaces = alive[i % alive.length];
          await app.create({}, { user, replaces }).catch(() => {});
          expect((await app.list(user)).length).toBeLessThanOrEqual(max + 1);
        }
      });

      it('include the replaced one only once, however many logins replace it at the same time', async () => {
        const app = limited();
        const ids = await logins(app, max);
        const replaces = ids[0] as SessionId;
        const answers = await Promise.allSettled(
          Array.from({ length: 8 }, () => app.create({}, { user, replaces })),
        );
        expect(ended().filter(({ id }) => id === replaces)).toEqual([]);
        expect(await app.end(replaces)).toBe(true);
        expect(await app.list(user)).toHaveLength(max);
        const entered = answers.filter(({ status }) => status === 'fulfilled');
        expect(entered).toHaveLength(atMaxSessions === 'refuse' ? 1 : 8);
      });

      it('do not include dead logins, and the dead ones are not the one that is replaced', async () => {
        const app = limited();
        for (let i = 0; i < max; i += 1) await dyingLogin(service());
        const ids = await logins(service(), max);
        now += 1500;
        const { session } = await app.create({}, { user, replaces: ids[0] });
        expect(idsOf(await app.list(user))).toEqual([...ids, session.id]);
        expect(ended()).toEqual([]);
      });

      it('end, or are refused, as ever where the limit is new, but never the replaced one', async () => {
        const app = limited();
        const ids = await logins(service(), max + 3);
        const replaces = ids[1] as SessionId;
        const login = app.create({}, { user, replaces });
        if (atMaxSessions === 'refuse') {
          await expect(login).rejects.toMatchObject({ code: 'too_many_sessions' });
          expect(idsOf(await app.list(user))).toEqual(ids);
          return;
        }
        const { session } = await login;
        expect(idsOf(await app.list(user))).toEqual([
          replaces,
          ...ids.slice(-(max - 1)),
          session.id,
        ]);
      });

      it('all end by “log out everywhere”, also the one that is replaced at this moment', async () => {
        const app = limited();
        const [replaces] = await logins(app, max);
        const create = repository.create.bind(repository);
        repository.create = async (session) => {
          repository.create = create;
          await app.deleteAll(user);
          return create(session);
        };
        await expect(app.create({}, { user, replaces })).rejects.toMatchObject({ code: 'revoked' });
        expect(await app.list(user)).toEqual([]);
        expect(ended()).toHaveLength(max);
      });
    });

    it('goes on at the next login where the store failed while nobody waited', async () => {
      await logins(service(), 6000);
      const app = service({ maxSessions: max });
      const end = repository.end.bind(repository);
      let ends = 0;
      repository.end = async (...args) => {
        ends += 1;
        if (ends > 5500) throw new Error('away');
        return end(...args);
      };
      await logins(app, 1);
      await until('it failed', async () => ends > 5500);
      repository.end = end;
      await logins(app, 1);
      expect(await app.list(user)).toHaveLength(max);
    });
  });
});
