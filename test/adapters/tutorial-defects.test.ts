import type { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { Keyspace } from '../support/keyspace.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { type SessionStore, sessionStores } from '../support/session-stores.ts';
import { until } from '../support/until.ts';

const CONNECTIONS = 16;
const ROUNDS = 200;

/** What the tutorial's session store gets wrong, each on real Redis, with many connections where it is a race. */
describeWithServers.each(sessionStores)("none of the tutorial's defects, on $name", ({ start }) => {
  let redis: SessionStore;
  let admin: Redis | Cluster;
  let everything: Keyspace;
  let services: SessionService[];

  beforeAll(async () => {
    redis = await start();
    admin = await redis.connect();
    everything = new Keyspace(admin);
    const repositories = Array.from({ length: CONNECTIONS }, () => redis.open());
    services = (await Promise.all(repositories)).map(
      (repository) => new SessionService({ repository }),
    );
  });
  afterAll(() => redis?.stop());
  beforeEach(() => everything.clear()); // servers of our own
  afterEach(async () => {
    expect(await everything.keysWithoutExpiry()).toEqual([]);
  });

  /** A key's fields and time left, of one moment. */
  async function look(key: string): Promise<[hash: Record<string, string>, left: number]> {
    const [hash, left] = (await admin.multi().hgetall(key).pttl(key).exec()) ?? [];
    return [hash?.[1] as Record<string, string>, left?.[1] as number];
  }

  const app = (i = 0) => services[i % CONNECTIONS] as SessionService;

  const verbs: [string, (service: SessionService, token: string) => Promise<unknown>][] = [
    ['get', (service, token) => service.get(token)],
    ['update', (service, token) => service.update(token, { set: { a: '1' }, unset: ['b'] })],
    ['increment', (service, token) => service.increment(token, 'n')],
    ['replace', (service, token) => service.replace(token, 'c', undefined, '1')],
    ['take', (service, token) => service.take(token, 'b')],
    ['setTtl', (service, token) => service.setTtl(token, 600)],
    ['rotate', (service, token) => service.rotate(token, { grace: 5 })],
  ];

  it.each(verbs)(
    '1: a logout beats every %s that races it; nothing is recreated',
    async (_name, verb) => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const { token } = await app().create({ b: 'x' });
        const [ended] = await Promise.all([
          app(1).delete(token),
          ...Array.from({ length: 6 }, (_, i) => verb(app(i + 2), token)),
        ]);
        // A rotation that came first has another token out, and the logout came with the old one, in its grace.
        expect(ended).toBe(true);
        expect(await everything.size()).toBe(0);
        expect([undefined, false]).toContain(await verb(app(), token));
        expect(await everything.size()).toBe(0);
      }
    },
  );

  it.each(verbs)(
    '1 and 2: an expiry that races %s leaves nothing, or a session with an expiry',
    async (_name, verb) => {
      const outcomes = new Set<number>();
      const absent: unknown[] = [undefined, false];
      for (let round = 0; round < ROUNDS; round += 1) {
        const { token, session } = await app().create({ b: 'x' });
        const key = `session:${session.id}`;
        // The slower the machine, the later the race; the faster, the longer until it.
        await admin.pexpire(key, 1 + (round % 8) ** 2);
        for (let looks = 0; looks < round % 29; looks += 1) await look(key);
        const answers = await Promise.all(Array.from({ length: 6 }, (_, i) => verb(app(i), token)));
        const [hash, left] = await look(key);
        expect(left).not.toBe(-1);
        const named = [
          hash.created_at,
          hash.last_accessed_at,
          hash.session_ttl,
          hash.session_secret,
        ];
        expect([0, 4]).toContain(named.filter((value) => value !== undefined).length);
        // Whoever came when it was gone was told so.
        if (left === -2) expect([undefined, false]).toContain(await verb(app(), token));
        await admin.del(key);
        outcomes.add(answers.filter((answer) => !absent.includes(answer)).length);
      }
      expect(outcomes.size).toBeGreaterThan(1); // both ends of the race were seen
    },
  );

  it('3: many readers of one session do not disturb each other', async () => {
    const { token } = await app().create({ a: '1' });
    const reads = await Promise.all(Array.from({ length: 400 }, (_, i) => app(i).get(token)));
    expect(reads.every((session) => session?.fields.a === '1')).toBe(true);
  });

  it.each([0, -1, 1.5, 1e21, Number.NaN, Infinity, 2 ** 53, 2_592_001, 'abc', '', '10', null])(
    '4: a ttl of %s is refused before anything is written',
    async (ttl) => {
      const bad = ttl as number;
      const { token, session } = await app().create();
      const before = await admin.hgetall(`session:${session.id}`);
      // null stands for no argument to create, which takes the default
      await expect(app().create({}, { ttl: bad ?? Number.NaN })).rejects.toMatchObject({
        code: 'invalid_ttl',
      });
      await expect(app().setTtl(token, bad)).rejects.toMatchObject({ code: 'invalid_ttl' });
      expect(await everything.size()).toBe(1);
      expect(await admin.hgetall(`session:${session.id}`)).toEqual(before);
    },
  );

  it.each(['session_ttl', 'created_at', 'last_accessed_at', 'session_secret', 'session_anything'])(
    '5: increment cannot touch %s, nor take, nor replace; update ignores it',
    async (name) => {
      const { token, session } = await app().create();
      const before = await admin.hgetall(`session:${session.id}`);
      const reserved = { code: 'reserved_field' };
      await expect(app().increment(token, name)).rejects.toMatchObject(reserved);
      await expect(app().take(token, name)).rejects.toMatchObject(reserved);
      await expect(app().replace(token, name, undefined, 'x')).rejects.toMatchObject(reserved);
      await app().update(token, { set: { [name]: 'x' }, unset: [name] });
      const after = await admin.hgetall(`session:${session.id}`);
      expect({ ...after, last_accessed_at: '' }).toEqual({ ...before, last_accessed_at: '' });
    },
  );

  it('5: an increment that fails does not slide the expiry', async () => {
    const { token, session } = await app().create({ n: 'x' });
    await admin.pexpire(`session:${session.id}`, 5000);
    await expect(app().increment(token, 'n')).rejects.toMatchObject({ code: 'not_an_integer' });
    expect(await admin.pttl(`session:${session.id}`)).toBeLessThanOrEqual(5000);
  });

  it('6: a token reaches no other prefix, no other type of key and no foreign hash', async () => {
    const other = new SessionService({
      repository: new RedisSessionRepository({ client: admin, prefix: 'session:app-a:' }),
    });
    const theirs = await other.create({ a: '1' });
    const id = 'A'.repeat(22);
    const secret = `${'B'.repeat(42)}A`;
    const key = `session:${id}`;
    for (const token of [
      `app-a:${theirs.token}`,
      theirs.token,
      `${id}.`,
      id,
      '',
      '*',
      `../${theirs.token}`,
      `${theirs.token}x`,
      'A'.repeat(40_000),
    ]) {
      expect(await app().get(token)).toBeUndefined();
      expect(await app().delete(token)).toBe(false);
    }
    const plants: (() => Promise<unknown>)[] = [
      () => admin.set(key, 'text', 'EX', 60),
      () => admin.lpush(key, 'a'),
      () => admin.zadd(key, 1, 'a'),
      () => admin.hset(key, 'some', 'hash'),
      () =>
        admin.hset(key, {
          created_at: 'x',
          last_accessed_at: 'x',
          session_ttl: 'abc',
          session_secret: 'x',
        }),
    ];
    for (const plant of plants) {
      await plant();
      await admin.expire(key, 60);
      const before = await admin.dump(key);
      for (const [, verb] of verbs)
        expect([undefined, false]).toContain(await verb(app(), `${id}.${secret}`));
      expect(await app().delete(`${id}.${secret}`)).toBe(false);
      expect(await app().end(id)).toBe(false);
      expect(await admin.dump(key)).toBe(before);
      await admin.del(key);
    }
    expect(await other.peek(theirs.token)).toBeDefined();
  });

  it.each([0, 10, 3600])(
    '1: a session in use gets an end again that another hand took or put off, with a refreshAfter of %i s',
    async (refreshAfter) => {
      const service = new SessionService({
        repository: await redis.open(),
        policy: { ttl: 60, refreshAfter },
      });
      const { token, session } = await service.create();
      const key = `session:${session.id}`;
      for (const meddle of [() => admin.persist(key), () => admin.pexpire(key, 3_600_000)]) {
        await meddle();
        await until('it has the end that it should', async () => {
          expect(await service.get(token)).toBeDefined();
          const left = await admin.pttl(key);
          return left > 0 && left <= 60_000;
        });
      }
    },
  );

  it('6: a token of the wrong shape costs no command', async () => {
    await app().get('');
    const before = await everything.commandsOnData();
    for (const token of ['', 'x', 'A'.repeat(66), '%', `${'A'.repeat(22)}.${'B'.repeat(43)}`]) {
      for (const [, verb] of verbs) await verb(app(), token);
    }
    expect(await everything.commandsOnData()).toBe(before);
  });

  it('7: ten concurrent read-change-writes keep ten of ten changes', async () => {
    const { token } = await app().create({ list: '' });
    await Promise.all(
      Array.from({ length: 10 }, async (_, i) => {
        for (;;) {
          const list = (await app(i).get(token))?.fields.list ?? '';
          if (await app(i).replace(token, 'list', list, `${list}${i}`)) return;
        }
      }),
    );
    expect([...((await app().peek(token))?.fields.list ?? '')].toSorted().join('')).toBe(
      '0123456789',
    );
  });

  it('8: an answer is of one moment: a session that is there has time left', async () => {
    for (let round = 0; round < ROUNDS; round += 1) {
      const { token, session } = await app().create();
      await admin.pexpire(`session:${session.id}`, 2);
      const answers = await Promise.all(
        Array.from({ length: 8 }, (_, i) => (i % 2 ? app(i).peek(token) : app(i).ttl(token))),
      );
      for (const answer of answers) {
        if (answer === undefined) continue;
        expect('remaining' in answer ? answer.remaining : answer.remainingMs).toBeGreaterThan(0);
      }
    }
  });

  it('9: what Redis holds, and what names a session, opens nothing', async () => {
    const { token, session } = await app().create({ username: 'ada' }, { user: 'ada' });
    const key = `session:${session.id}`;
    const hash = await admin.hgetall(key);
    expect(Object.keys(hash).toSorted()).toEqual([
      'created_at',
      'last_accessed_at',
      'session_authenticated_at',
      'session_deadline',
      'session_secret',
      'session_ttl',
      'session_user',
      'username',
    ]);
    const instant = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/;
    expect(hash.created_at).toMatch(instant);
    expect(hash.last_accessed_at).toMatch(instant);
    expect(hash.session_ttl).toBe('1800');
    expect(await admin.ttl(key)).toBeGreaterThan(1795);
    expect(JSON.stringify(hash)).not.toContain(token.split('.')[1]);
    for (const forged of [
      `${session.id}.${hash.session_secret}`,
      session.id,
      `${session.id}.${session.id}`,
    ]) {
      expect(await app().get(forged)).toBeUndefined();
    }
  });

  it('keeps a small session compact', async () => {
    const { token, session } = await app().create(
      { username: 'ada', page_views: '1' },
      {
        user: 'ada',
        device: { label: 'Firefox on Linux', userAgent: 'x'.repeat(500), address: '192.0.2.1' },
      },
    );
    const key = `session:${session.id}`;
    let current = (await app().rotate(token)) || '';
    expect(await admin.hexists(key, 'session_replaced')).toBe(0);
    for (let i = 0; i < 12; i += 1) current = (await app().rotate(current, { grace: 60 })) || '';
    expect(await admin.hget(key, 'session_replaced')).toMatch(/^[\w-]{64}$/);
    expect(await admin.hget(key, 'session_replaced_until')).toMatch(/^\d{13}$/);
    expect(await admin.object('ENCODING', key)).toMatch(/listpack|ziplist/);
  });

  it('works on after the server forgot its scripts', async () => {
    const { token } = await app().create();
    for (const [, verb] of verbs.slice(0, 6)) {
      await everything.forgetScripts();
      expect([undefined, false]).not.toContain(
        await verb(app(), token).then((answer) => answer ?? 'nothing'),
      );
    }
  });

  it('lets people read and log out where memory is full, and refuses writes whole', async () => {
    const { token, session } = await app().create({ n: '1' });
    await everything.configure('maxmemory', '1mb');
    try {
      const unavailable = { name: 'StoreUnavailableError', outcome: 'refused' };
      await expect(app().create({ a: 'x' })).rejects.toMatchObject(unavailable);
      await expect(app().update(token, { set: { a: 'x' } })).rejects.toMatchObject(unavailable);
      await expect(app().increment(token, 'n')).rejects.toMatchObject(unavailable);
      const before = await admin.pttl(`session:${session.id}`);
      expect((await app().get(token))?.fields).toEqual({ n: '1' });
      expect(await admin.pttl(`session:${session.id}`)).toBeGreaterThanOrEqual(before - 1000);
      expect(await everything.size()).toBe(1);
      expect(await app().delete(token)).toBe(true);
    } finally {
      await everything.configure('maxmemory', '0');
    }
  });
});
