import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { AT_ONCE } from '../../src/domain/pace.ts';
import {
  type SessionError,
  type SessionEvent,
  type SessionPolicyOptions,
  type SessionRepository,
  SessionService,
} from '../../src/index.ts';
import { Keyspace } from '../support/keyspace.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { type SessionStore, sessionStores } from '../support/session-stores.ts';

const CONNECTIONS = 8;

describeWithServers.each(sessionStores)("a user's sessions in Redis, on $name", ({ start }) => {
  const prefix = 'session:';
  let redis: SessionStore;
  let everything: Keyspace;
  let admin: Redis | Cluster;
  let repositories: SessionRepository[];
  let users = 0;

  beforeAll(async () => {
    redis = await start();
    admin = await redis.connect();
    everything = new Keyspace(admin);
    repositories = await Promise.all(Array.from({ length: CONNECTIONS }, () => redis.open()));
  });
  afterAll(() => redis?.stop());
  afterEach(async () => {
    expect(await everything.keysWithoutExpiry()).toEqual([]);
  });

  function newUser(): string {
    users += 1;
    return `user-${users}`;
  }

  /** One service for each connection, as one app server each. */
  function services(
    policy: SessionPolicyOptions = {},
    events: SessionEvent[] = [],
  ): SessionService[] {
    const observer = { notify: (event: SessionEvent) => void events.push(event) };
    return repositories.map((repository) => new SessionService({ repository, policy, observer }));
  }

  function service(policy: SessionPolicyOptions = {}, events: SessionEvent[] = []): SessionService {
    return services(policy, events)[0] as SessionService;
  }

  it('lists 20 concurrent logins as 20, and leaves 0 alive when all are ended', async () => {
    const user = newUser();
    const apps = services();
    const logins = await Promise.all(
      Array.from({ length: 20 }, (_, i) => apps[i % CONNECTIONS]?.create({}, { user })),
    );
    const [app] = apps as [SessionService];
    const listed = await app.list(user);
    expect(new Set(listed.map(({ id }) => id))).toEqual(
      new Set(logins.map((login) => login?.session.id)),
    );
    expect(await app.deleteAll(user)).toBe(20);
    expect(await app.list(user)).toEqual([]);
    for (const login of logins) expect(await app.peek(login?.token ?? '')).toBeUndefined();
  });

  it('spares the session that is excepted, and the sessions of others', async () => {
    const [user, other] = [newUser(), newUser()];
    const app = service();
    const mine = await app.create({}, { user });
    await app.create({}, { user });
    const theirs = await app.create({}, { user: other });
    expect(await app.deleteAll(user, { except: mine.session.id })).toBe(1);
    expect((await app.list(user)).map(({ id }) => id)).toEqual([mine.session.id]);
    expect(await app.peek(theirs.token)).toBeDefined();
  });

  it('ends one by its id, and not the one of another user', async () => {
    const [user, other] = [newUser(), newUser()];
    const events: SessionEvent[] = [];
    const app = service({}, events);
    const { token, session } = await app.create({}, { user });
    expect(await app.end(session.id, { user: other })).toBe(false);
    expect(await app.peek(token)).toBeDefined();
    expect(await app.end('nonsense')).toBe(false);
    expect(await app.end(session.id, { user })).toBe(true);
    expect(await app.end(session.id, { user })).toBe(false);
    expect(await app.peek(token)).toBeUndefined();
    expect(await app.list(user)).toEqual([]);
    const { id } = session;
    expect(events).toContainEqual({ type: 'ended', id, why: 'revoked', user, by: 'user' });
  });

  it('keeps a session listed through rotations, and unlists it at logout', async () => {
    const user = newUser();
    const app = service();
    const first = await app.create({}, { user });
    const second = await app.rotate(first.token, { grace: 30 });
    const third = await app.rotate(second || '', { reauthenticated: true });
    expect((await app.list(user)).map(({ id }) => id)).toEqual([first.session.id]);
    expect(await app.delete(third || '')).toBe(true);
    expect(await admin.exists(`${prefix}user:${user}`)).toBe(0);
  });

  it('ends every login that had begun before all were ended, or refuses it, 500 times', async () => {
    let refused = 0;
    let ended = 0;
    for (let round = 0; round < 500; round += 1) {
      const user = newUser();
      const app = service();
      const other = services()[1] as SessionService;
      let tell = () => {};
      const begun = new Promise<void>((resolve) => {
        tell = resolve;
      });
      const watched = new SessionService({
        repository: afterAdd(repositories[2] as SessionRepository, async () => {
          tell();
          await turns(round % 2 === 0 ? round % 50 : 0);
        }),
      });
      // The login goes on while all are ended from another connection; one of them is some turns of the event loop late.
      const login = watched.create({}, { user }).catch((error: SessionError) => error.code);
      await begun;
      await turns(round % 2 === 1 ? round % 6 : 0);
      await other.deleteAll(user);
      const outcome = await login;
      if (typeof outcome === 'string') {
        expect(outcome).toBe('revoked');
        refused += 1;
      } else {
        expect(await app.peek(outcome.token)).toBeUndefined();
        ended += 1;
      }
      expect(await app.list(user)).toEqual([]);
    }
    // Both ways were taken, so the race was one.
    expect(refused).toBeGreaterThan(0);
    expect(ended).toBeGreaterThan(0);
  });

  it('never has a sixth session alive where five are allowed, with thirty concurrent logins', async () => {
    const user = newUser();
    const apps = services({ maxSessions: 5 });
    const alive: number[] = [];
    let done = false;
    const watch = (async () => {
      const [app] = apps as [SessionService];
      while (!done) alive.push((await app.list(user)).length);
    })();
    const logins = await Promise.all(
      // No more than a list looks at in one moment: sessions of several moments are not alive at one time.
      Array.from({ length: AT_ONCE }, (_, i) => apps[i % CONNECTIONS]?.create({}, { user })),
    );
    done = true;
    await watch;
    expect(Math.max(...alive)).toBeLessThanOrEqual(5);
    const [app] = apps as [SessionService];
    const opened = await Promise.all(logins.map((login) => app.peek(login?.token ?? '')));
    const open = opened.filter((session) => session !== undefined).map(({ id }) => id);
    expect(open.length).toBeGreaterThan(0);
    expect(open.length).toBeLessThanOrEqual(5);
    expect(new Set((await app.list(user)).map(({ id }) => id))).toEqual(new Set(open));
  });

  it('evicts the oldest, one after the other', async () => {
    const user = newUser();
    const events: SessionEvent[] = [];
    const app = service({ maxSessions: 3 }, events);
    const ids: string[] = [];
    for (let i = 0; i < 6; i += 1) ids.push((await app.create({}, { user })).session.id);
    expect((await app.list(user)).map(({ id }) => id)).toEqual(ids.slice(3));
    const evicted = events.filter((event) => event.type === 'ended');
    const why = { why: 'evicted', user, by: 'policy' };
    expect(evicted).toEqual(ids.slice(0, 3).map((id) => ({ type: 'ended', id, ...why })));
  });

  it('refuses a login beyond the limit where the policy says so, until there is room', async () => {
    const user = newUser();
    const app = service({ maxSessions: 2, atMaxSessions: 'refuse' });
    const first = await app.create({}, { user });
    await app.create({}, { user });
    await expect(app.create({}, { user })).rejects.toMatchObject({ code: 'too_many_sessions' });
    await app.delete(first.token);
    await app.create({}, { user });
    expect(await app.list(user)).toHaveLength(2);
  });

  it('refuses exactly what is too much of 20 concurrent logins', async () => {
    const user = newUser();
    const apps = services({ maxSessions: 4, atMaxSessions: 'refuse' });
    const outcomes = await Promise.allSettled(
      Array.from({ length: 20 }, (_, i) => apps[i % CONNECTIONS]?.create({}, { user })),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(4);
    expect(await apps[0]?.list(user)).toHaveLength(4);
  });

  it.each(['users.add', 'create', 'delete', 'end', 'users.remove', 'rotate'])(
    'leaves no session unlisted and no index without expiry where the process dies after %s',
    async (step) => {
      const user = newUser();
      const app = service();
      const before = await app.create({}, { user });
      const dying = new SessionService({
        repository: dyingAfter(repositories[1] as SessionRepository, step),
        policy: { maxSessions: 1 },
      });
      await dying.create({}, { user }).catch(() => {});
      await dying.rotate(before.token).catch(() => {});
      await dying.delete(before.token).catch(() => {});
      await dying.deleteAll(user).catch(() => {});
      const listed = new Set((await app.list(user)).map(({ id }) => id));
      expect(await sessionsOf(user)).toEqual(listed);
    },
  );

  /** Every session of that user that there is, by looking at all keys as only a test may. */
  async function sessionsOf(user: string): Promise<Set<string>> {
    const ids = new Set<string>();
    for (const key of await everything.keys()) {
      const id = key.slice(prefix.length);
      if (id.startsWith('user:')) continue;
      if ((await admin.hget(key, 'session_user')) === user) ids.add(id);
    }
    return ids;
  }
});

/** The repository, with something to do once an id has been entered in the index. */
function afterAdd(repository: SessionRepository, then: () => Promise<void>): SessionRepository {
  return wrap(repository, async (step, call) => {
    const answer = await call();
    if (step === 'users.add') await then();
    return answer;
  });
}

/** The repository of a process that dies as soon as that step was done: nothing after it happens. */
function dyingAfter(repository: SessionRepository, last: string): SessionRepository {
  let dead = false;
  return wrap(repository, async (step, call) => {
    if (dead) throw new Error('dead');
    const answer = await call();
    if (step !== last) return answer;
    dead = true;
    throw new Error('dead');
  });
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

type Around = (step: string, call: () => Promise<unknown>) => Promise<unknown>;

function wrap(repository: SessionRepository, around: Around): SessionRepository {
  const users = wrapMethods(repository.users, (step, call) => around(`users.${step}`, call));
  const wrapped = wrapMethods(repository, around);
  return new Proxy(wrapped, {
    get: (target, name) => (name === 'users' ? users : Reflect.get(target, name)),
  });
}

function wrapMethods<T extends object>(target: T, around: Around): T {
  return new Proxy(target, {
    get(real, name) {
      const member: unknown = Reflect.get(real, name, real);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => around(String(name), () => member.apply(real, args));
    },
  });
}
