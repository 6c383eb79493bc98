import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import { AT_ONCE } from '../../src/domain/pace.ts';
import {
  type SessionEvent,
  type SessionId,
  type SessionPolicyOptions,
  SessionService,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const START = Date.parse('2026-04-02T12:34:56Z');

describe('the session service', () => {
  let now: number;
  let events: SessionEvent[];
  const clock = { now: () => now };

  beforeEach(() => {
    now = START;
    events = [];
  });

  function service(policy: SessionPolicyOptions = {}): SessionService {
    return new SessionService({
      repository: new MemorySessionRepository(clock),
      clock,
      policy,
      observer: { notify: (event) => void events.push(event) },
    });
  }

  it('creates a session with its token, and ignores reserved names', async () => {
    const app = service();
    const { token, session } = await app.create(
      { cart: 'x', session_ttl: '1', created_at: 'never' },
      { user: 'ada', ttl: 60 },
    );
    expect(token).toMatch(new RegExp(`^${session.id}\\.[\\w-]{43}$`));
    expect(session).toMatchObject({
      user: 'ada',
      fields: { cart: 'x' },
      createdAt: '2026-04-02T12:34:56+00:00',
      authenticatedAt: '2026-04-02T12:34:56+00:00',
      lastAccessedAt: '2026-04-02T12:34:56+00:00',
      ttl: 60,
      remainingMs: 60_000,
      endsAt: START + 604_800_000,
    });
    expect(JSON.stringify(session)).not.toContain(token.split('.')[1]);
  });

  it('answers every verb with an absence for a token that opens nothing', async () => {
    const app = service();
    const { session } = await app.create();
    const stranger = `${session.id}.${nodeSecrets.random(32)}`;
    const gone = await app.create();
    await app.delete(gone.token);
    for (const token of [stranger, gone.token, '', 'x', '__proto__', session.id]) {
      expect(await app.get(token)).toBeUndefined();
      expect(await app.peek(token)).toBeUndefined();
      expect(await app.ttl(token)).toBeUndefined();
      expect(await app.update(token, { set: { a: '1' } })).toBe(false);
      expect(await app.increment(token, 'n')).toBeUndefined();
      expect(await app.replace(token, 'a', undefined, '1')).toBeUndefined();
      expect(await app.take(token, 'a')).toBeUndefined();
      expect(await app.setTtl(token, 60)).toBe(false);
      expect(await app.rotate(token)).toBeUndefined();
      expect(await app.delete(token)).toBe(false);
    }
    expect(await app.get(42 as unknown as string)).toBeUndefined();
  });

  it('lives exactly as long as its ttl, counted from the last use', async () => {
    const app = service();
    const { token } = await app.create({}, { ttl: 10 });
    now += 9999;
    expect(await app.peek(token)).toBeDefined();
    expect(await app.get(token)).toBeDefined();
    now += 9999;
    expect(await app.ttl(token)).toEqual({ configured: 10, remaining: 1 });
    now += 1;
    expect(await app.get(token)).toBeUndefined();
  });

  it('never ends while it is used more often than its ttl, and never outlives its lifetime', async () => {
    const use = fc.record({
      wait: fc.integer({ min: 0, max: 9999 }),
      verb: fc.constantFrom('get', 'update', 'increment', 'take', 'setTtl', 'rotate'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(use, { maxLength: 30 }), async (uses) => {
        now = START;
        const app = service({ ttl: 10, lifetime: 100 });
        let token: string = (await app.create()).token;
        for (const { wait, verb } of uses) {
          now += wait;
          const alive = now < START + 100_000;
          if (verb === 'get') await app.get(token);
          else if (verb === 'update') await app.update(token, { set: { a: '1' } });
          else if (verb === 'increment') await app.increment(token, 'n');
          else if (verb === 'take') await app.take(token, 'a');
          else if (verb === 'setTtl') await app.setTtl(token, 10);
          else token = (await app.rotate(token)) || token;
          expect((await app.peek(token)) !== undefined).toBe(alive);
        }
        now = START + 100_000;
        expect(await app.peek(token)).toBeUndefined();
      }),
    );
  });

  it('begins the lifetime anew for a re-authentication, and for nothing else', async () => {
    const app = service({ ttl: 60, lifetime: 100 });
    const { token, session } = await app.create({}, { user: 'ada' });
    now += 50_000;
    expect(app.authenticatedWithin(session, 49)).toBe(false);
    expect(app.authenticatedWithin(session, 50)).toBe(true);
    const rotated = (await app.rotate(token)) || '';
    expect((await app.peek(rotated))?.endsAt).toBe(START + 100_000);
    const proven = (await app.rotate(rotated, { reauthenticated: true })) || '';
    const after = await app.peek(proven);
    expect(after?.endsAt).toBe(START + 150_000);
    expect(after && app.authenticatedWithin(after, 0)).toBe(true);
    expect(await app.list('ada')).toHaveLength(1);
  });

  it('gives a re-authenticated session a lifetime of its own, if it is asked for', async () => {
    const app = service({ ttl: 60, lifetime: 100, remember: { ttl: 1000, lifetime: 5000 } });
    const { token } = await app.create({}, { user: 'ada', lifetime: 40 });
    now += 30_000;
    const proven = { reauthenticated: true, lifetime: 40 };
    const again = (await app.rotate(token, proven)) || '';
    expect((await app.peek(again))?.endsAt).toBe(now + 40_000);
    const usual = (await app.rotate(again, { reauthenticated: true })) || '';
    expect((await app.peek(usual))?.endsAt).toBe(now + 100_000);
    for (const options of [
      { ...proven, lifetime: 101 },
      { ...proven, lifetime: 0 },
      { lifetime: 40 },
    ]) {
      await expect(app.rotate(usual, options)).rejects.toMatchObject({ code: 'invalid_ttl' });
    }
    const kept = await app.create({}, { persistent: true });
    const longer = (await app.rotate(kept.token, { ...proven, lifetime: 4000 })) || '';
    expect((await app.peek(longer))?.endsAt).toBe(now + 4_000_000);
    expect(await app.list('ada')).toHaveLength(1);
  });

  it.each(['true', 'false', 1, 0, null, {}])(
    'takes %j for neither true nor false',
    async (flag) => {
      const app = service({});
      const invalid = expect.objectContaining({ code: 'invalid_option' });
      await expect(app.create({}, { persistent: flag as boolean })).rejects.toEqual(invalid);
      const { token } = await app.create();
      const rotated = app.rotate(token, { reauthenticated: flag as boolean });
      await expect(rotated).rejects.toEqual(invalid);
      expect(await app.peek(token)).toBeDefined();
    },
  );

  it.each([5, null, true, {}, '\ud800'])(
    'replaces nothing where a field cannot hold %j',
    async (found) => {
      const app = service({});
      const { token } = await app.create({ n: '5', e: '', t: 'true', f: '\ufffd' });
      for (const field of ['n', 'e', 't', 'f']) {
        const replaced = app.replace(token, field, found as string, 'x');
        await expect(replaced).rejects.toMatchObject({ code: 'invalid_value' });
      }
      expect((await app.peek(token))?.fields).toMatchObject({
        n: '5',
        e: '',
        t: 'true',
        f: '\ufffd',
      });
    },
  );

  const remember = { ttl: 1000, lifetime: 5000 };

  it('gives a persistent session the times of remember, and others the usual ones', async () => {
    const app = service({ ttl: 60, maxTtl: 100, lifetime: 500, remember });
    const kept = await app.create({}, { user: 'ada', persistent: true });
    expect(kept.session).toMatchObject({ ttl: 1000, endsAt: START + 5_000_000 });
    const short = await app.create({}, { persistent: true, ttl: 70, lifetime: 80 });
    expect(short.session).toMatchObject({ ttl: 70, endsAt: START + 80_000 });
    const usual = await app.create({}, { persistent: false });
    expect(usual.session).toMatchObject({ ttl: 60, endsAt: START + 500_000 });
    now += 999_000;
    expect(await app.get(kept.token)).toMatchObject({ persistent: true, remainingMs: 1_000_000 });
    expect(await app.peek(usual.token)).toBeUndefined();
  });

  it('bounds a persistent session by remember, and others by the policy', async () => {
    const app = service({ ttl: 60, maxTtl: 100, lifetime: 500, remember });
    const invalid = expect.objectContaining({ code: 'invalid_ttl' });
    const create = (ttl: number, lifetime: number, persistent: boolean) =>
      app.create({}, { ttl, lifetime, persistent });
    const kept = await create(1000, 5000, true);
    const usual = await create(100, 500, false);
    await expect(create(1001, 5000, true)).rejects.toEqual(invalid);
    await expect(create(1000, 5001, true)).rejects.toEqual(invalid);
    await expect(create(101, 500, false)).rejects.toEqual(invalid);
    await expect(create(100, 501, false)).rejects.toEqual(invalid);
    expect(await app.setTtl(kept.token, 1000)).toBe(true);
    await expect(app.setTtl(kept.token, 1001)).rejects.toEqual(invalid);
    await expect(app.setTtl(usual.token, 101)).rejects.toEqual(invalid);
    expect(await app.ttl(usual.token)).toEqual({ configured: 100, remaining: 100 });
    await app.delete(kept.token);
    expect(await app.setTtl(kept.token, 1000)).toBe(false);
    expect(await app.setTtl('nonsense', 1000)).toBe(false);
  });

  it('lets a persistent session idle up to maxTtl where that is longer than remember', async () => {
    const app = service({ remember: { ttl: 60 } });
    const { token, session } = await app.create({}, { persistent: true });
    expect(session.ttl).toBe(60);
    expect(await app.setTtl(token, 2_592_000)).toBe(true);
  });

  it('begins the lifetime of remember anew where a persistent session is re-authenticated, and keeps it listed', async () => {
    const app = service({ ttl: 60, lifetime: 500, remember });
    const { token } = await app.create({}, { user: 'ada', persistent: true });
    let proven: string = token;
    for (let i = 0; i < 8; i += 1) {
      now += 999_000;
      proven = (await app.rotate(proven, { reauthenticated: true })) || '';
      expect((await app.peek(proven))?.endsAt).toBe(now + 5_000_000);
    }
    now += 999_000; // the index was first kept for 5060 seconds
    expect(await app.list('ada')).toHaveLength(1);
  });

  it('tells how long the cookie of a persistent session has to last: until the end of its lifetime', async () => {
    const app = service({ remember: { ttl: 60, lifetime: 5000 } });
    const { session } = await app.create({}, { persistent: true });
    expect(app.cookieMaxAge(session)).toBe(5000);
    now += 1;
    expect(app.cookieMaxAge(session)).toBe(5000);
    now += 999;
    expect(app.cookieMaxAge(session)).toBe(4999);
    now = START + 4_999_999;
    expect(app.cookieMaxAge(session)).toBe(1);
    now = START + 6_000_000; // this machine's clock is ahead of the store's
    expect(app.cookieMaxAge(session)).toBe(1);
    const usual = await app.create({}, {});
    expect(app.cookieMaxAge(usual.session)).toBeUndefined();
  });

  it.each([undefined, 34_560_001, 34_560_000])(
    'has the cookie of a persistent session with a lifetime of %s last 400 days',
    async (lifetime) => {
      const app = service({ remember: { lifetime } });
      const { session } = await app.create({}, { persistent: true });
      expect(app.cookieMaxAge(session)).toBe(34_560_000);
    },
  );

  it.each([0, -1, 1.5, 1e21, Number.NaN, 2 ** 53, '60', undefined])(
    'refuses a ttl of %s',
    async (ttl) => {
      const app = service({ maxTtl: 7200 });
      const { token } = await app.create();
      const bad = ttl as number;
      await expect(app.setTtl(token, bad)).rejects.toMatchObject({ code: 'invalid_ttl' });
      if (ttl !== undefined)
        await expect(app.create({}, { ttl: bad })).rejects.toMatchObject({ code: 'invalid_ttl' });
    },
  );

  it('refuses what passes the limits, with a code, and writes nothing', async () => {
    const app = service({
      limits: { maxFields: 2, maxNameBytes: 4, maxValueBytes: 8, maxTotalBytes: 16 },
    });
    const { token } = await app.create({ a: '1' });
    const refused = (code: string) => expect.objectContaining({ name: 'SessionError', code });
    const update = (set: Record<string, string>) => app.update(token, { set });
    await expect(update({ b: '', c: '' })).rejects.toEqual(refused('too_many_fields'));
    await expect(update({ aaaa: '12345678', bbbb: '1' })).rejects.toEqual(
      refused('too_many_fields'),
    );
    await expect(update({ a: '12345678', bbb: '12345' })).rejects.toEqual(refused('too_large'));
    await expect(update({ a: '123456789' })).rejects.toEqual(refused('invalid_value'));
    await expect(update({ a: '\ud800' })).rejects.toEqual(refused('invalid_value'));
    await expect(update({ a: 1 as unknown as string })).rejects.toEqual(refused('invalid_value'));
    await expect(update({ aaaaa: '' })).rejects.toEqual(refused('invalid_field'));
    await expect(update({ '': '' })).rejects.toEqual(refused('invalid_field'));
    await expect(app.create({ a: '', b: '', c: '' })).rejects.toEqual(refused('too_many_fields'));
    await expect(app.create({}, { user: '' })).rejects.toEqual(refused('invalid_user'));
    await expect(app.increment(token, 'a', 0.5)).rejects.toEqual(refused('not_an_integer'));
    expect({ ...(await app.peek(token))?.fields }).toEqual({ a: '1' });
  });

  it('reads only within refreshAfter of the last slide', async () => {
    const app = service({ ttl: 60, refreshAfter: 10 });
    const { token } = await app.create();
    now += 9999;
    expect((await app.get(token))?.remainingMs).toBe(50_001);
    now += 1;
    expect((await app.get(token))?.remainingMs).toBe(60_000);
  });

  it('reports a replaced token that comes back after its grace, and ends the session if the policy says so', async () => {
    for (const endOnReuse of [false, true]) {
      events = [];
      const app = service({ endOnReuse });
      const { token, session } = await app.create({}, { user: 'ada' });
      const next = (await app.rotate(token, { grace: 5 })) || '';
      expect(await app.get(token)).toBeDefined();
      now += 5000;
      expect(await app.get(token)).toBeUndefined();
      expect(events).toContainEqual({ type: 'reused', id: session.id });
      expect((await app.get(next)) === undefined).toBe(endOnReuse);
      expect(events.some((event) => event.type === 'ended')).toBe(endOnReuse);
    }
  });

  it('notices a replaced token for nine rotations, and only refuses one that is older or never was', async () => {
    for (const endOnReuse of [false, true]) {
      const app = service({ endOnReuse });
      const { token, session } = await app.create();
      const { id } = session;
      const rotated: string[] = [token];
      for (let i = 0; i < 10; i += 1) rotated.push((await app.rotate(rotated.at(-1) ?? '')) || '');
      const [oldest = '', reused = '', ...newer] = rotated;
      const current = newer.at(-1) ?? '';
      events = [];
      expect(await app.get(oldest)).toBeUndefined();
      expect(await app.get(`${id}.${nodeSecrets.random(32)}`)).toBeUndefined();
      expect(events).toEqual([
        { type: 'refused', id },
        { type: 'refused', id },
      ]);
      expect(await app.peek(current)).toBeDefined();
      events = [];
      expect(await app.increment(reused, 'n')).toBeUndefined();
      expect(events[0]).toEqual({ type: 'reused', id });
      expect((await app.peek(current)) === undefined).toBe(endOnReuse);
    }
  });

  it('keeps a late request from ending the session where two rotations came within its grace', async () => {
    const app = service({ endOnReuse: true });
    const { token } = await app.create();
    const second = (await app.rotate(token, { grace: 30 })) || '';
    const third = (await app.rotate(second)) || '';
    const fourth = (await app.rotate(third)) || '';
    now += 29_999;
    expect(await app.get(token)).toBeUndefined();
    expect(await app.peek(fourth)).toBeDefined();
    now += 1;
    expect(await app.get(token)).toBeUndefined();
    expect(events).toContainEqual(expect.objectContaining({ type: 'ended', why: 'reused' }));
    expect(await app.peek(fourth)).toBeUndefined();
  });

  it('tells the observer what happened, by id', async () => {
    const app = service();
    const { token, session } = await app.create({}, { user: 'ada' });
    const { id } = session;
    const next = (await app.rotate(token)) || '';
    await app.delete(next);
    await app.get(next);
    expect(events).toEqual([
      { type: 'created', id, user: 'ada' },
      { type: 'rotated', id, user: 'ada' },
      { type: 'ended', id, why: 'logout', user: 'ada', by: 'user' },
      { type: 'refused', id },
    ]);
    expect(JSON.stringify(events)).not.toContain(token.split('.')[1]);
  });

  it('derives a form token that belongs to one secret of one session', async () => {
    const app = service();
    const [one, two] = [await app.create(), await app.create()];
    const form = app.csrfToken(one.token);
    expect(app.isCsrfToken(one.token, form)).toBe(true);
    expect(app.isCsrfToken(two.token, form)).toBe(false);
    expect(app.isCsrfToken((await app.rotate(one.token)) || '', form)).toBe(false);
    for (const nothing of [undefined, null, '', 0, true, [form], { form }, form.slice(1)]) {
      expect(app.isCsrfToken(one.token, nothing)).toBe(false);
    }
    expect(one.token).not.toContain(form);
  });

  it('makes no two tokens alike', { tags: ['slow'] }, async () => {
    const app = service();
    const tokens = new Set<string>();
    for (let i = 0; i < 100_000; i += 1) tokens.add((await app.create()).token);
    expect(tokens.size).toBe(100_000);
  });

  it('fails where the random source does, and hands out no session twice where it repeats itself', async () => {
    const repository = new MemorySessionRepository(clock);
    const broken = {
      ...nodeSecrets,
      random: () => {
        throw new Error('no entropy');
      },
    };
    await expect(
      new SessionService({ repository, clock, secrets: broken }).create(),
    ).rejects.toThrow('no entropy');
    const stuck = {
      ...nodeSecrets,
      random: (bytes: number) => 'A'.repeat(Math.ceil((bytes * 4) / 3)),
    };
    const app = new SessionService({ repository, clock, secrets: stuck });
    await app.create();
    await expect(app.create()).rejects.toThrow('repeated');
  });

  it('does durably what it does otherwise, by the same rules, and says that memory is not durable', async () => {
    const app = service({ maxTtl: 100, ttl: 60 });
    const { answer, durable } = await app.durably((own) => own.create({}, { user: 'ada' }));
    expect(durable).toBe(false);
    await expect(app.durably((own) => own.setTtl(answer.token, 101))).rejects.toMatchObject({
      code: 'invalid_ttl',
    });
    expect(await app.durably((own) => own.deleteAll('ada'))).toEqual({ answer: 1, durable: false });
    expect(events.map(({ type }) => type)).toEqual(['created', 'ended']);
  });

  it.each([
    { replicas: 0 },
    { replicas: 1.5 },
    { replicas: Number.NaN },
    { replicas: 101 },
    { timeoutMs: 0 },
    { timeoutMs: 60_001 },
    { timeoutMs: Infinity },
  ])('refuses to wait for %o, and does nothing', async (durability) => {
    const app = service();
    const { token } = await app.create();
    await expect(app.durably((own) => own.delete(token), durability)).rejects.toMatchObject({
      code: 'invalid_durability',
    });
    expect(await app.peek(token)).toBeDefined();
  });

  describe('whose login is overtaken while it begins', () => {
    /** A service whose next creation waits, with its id in the index, until `meanwhile` is done. */
    function overtaken(policy: SessionPolicyOptions, meanwhile: (app: SessionService) => unknown) {
      const repository = new MemorySessionRepository(clock);
      const observer = { notify: (event: SessionEvent) => void events.push(event) };
      const app = new SessionService({ repository, clock, policy, observer });
      const create = repository.create.bind(repository);
      repository.create = async (session) => {
        repository.create = create;
        await meanwhile(app);
        return create(session);
      };
      return app;
    }

    it('by an eviction gets a session that has ended already, and says so once', async () => {
      const app = overtaken({ maxSessions: 1, ttl: 60, lifetime: 100 }, async (other) => {
        await other.create({}, { user: 'ada' });
      });
      const { token, session } = await app.create(
        { cart: 'x' },
        { user: 'ada', device: { label: 'laptop' }, persistent: true, ttl: 70, lifetime: 50 },
      );
      expect(session).toMatchObject({
        id: token.split('.')[0],
        user: 'ada',
        fields: { cart: 'x' },
        createdAt: '2026-04-02T12:34:56+00:00',
        authenticatedAt: '2026-04-02T12:34:56+00:00',
        ttl: 70,
        remainingMs: 50_000,
        endsAt: START + 50_000,
        persistent: true,
        device: { label: 'laptop' },
      });
      expect(await app.peek(token)).toBeUndefined();
      expect(await app.setTtl(token, 60)).toBe(false);
      expect(await app.list('ada')).toHaveLength(1);
      const { id } = session;
      expect(events.filter((event) => event.id === id && event.type !== 'refused')).toEqual([
        { type: 'created', id, user: 'ada' },
        { type: 'ended', id, why: 'evicted', user: 'ada', by: 'policy' },
      ]);
    });

    it('by logins that are still under way never is one too many', async () => {
      const repository = new MemorySessionRepository(clock);
      const app = new SessionService({ repository, clock, policy: { maxSessions: 2 } });
      const older = [await app.create({}, { user: 'ada' }), await app.create({}, { user: 'ada' })];
      const enter = () =>
        repository.users.add({
          ...{ user: 'ada', id: nodeSecrets.random(16) as SessionId, keepMs: 60_000 },
          max: undefined,
        });
      await enter();
      const add = repository.users.add.bind(repository.users);
      repository.users.add = async (entry) => {
        const entered = await add(entry);
        if (entered === undefined) return entered; // no room: it enters all the same, and makes room
        repository.users.add = add;
        await enter();
        await enter();
        return entered;
      };
      const { token } = await app.create({}, { user: 'ada' });
      expect(repository.users.add).toBe(add);
      expect(await app.peek(token)).toBeUndefined();
      for (const { token } of older) expect(await app.peek(token)).toBeDefined();
    });

    it('by “log out everywhere” throws, also where it had been evicted before', async () => {
      for (const policy of [{}, { maxSessions: 1 }]) {
        events = [];
        const app = overtaken(policy, (other) => other.deleteAll('ada'));
        await expect(app.create({}, { user: 'ada' })).rejects.toMatchObject({ code: 'revoked' });
        expect(events).toEqual([]);
      }
      const repository = new MemorySessionRepository(clock);
      const remove = repository.users.remove.bind(repository.users);
      const app = new SessionService({ repository, clock, policy: { maxSessions: 1 } });
      const create = repository.create.bind(repository);
      repository.create = async (session) => {
        repository.create = create;
        repository.users.remove = async () => {}; // as where the evicting process is still under way
        await app.create({}, { user: 'ada' });
        repository.users.remove = remove;
        await app.deleteAll('ada');
        return create(session);
      };
      await expect(app.create({}, { user: 'ada' })).rejects.toMatchObject({ code: 'revoked' });
    });
  });

  it('says how many of a user’s sessions have ended where the store failed half-way, and goes on when asked again', async () => {
    const repository = new MemorySessionRepository(clock);
    const observer = { notify: (event: SessionEvent) => void events.push(event) };
    const app = new SessionService({ repository, clock, observer });
    const logins = [];
    const batchEnd = (Math.floor(170 / AT_ONCE) + 1) * AT_ONCE; // of the batch that fails the others end
    const all = batchEnd + AT_ONCE / 2;
    for (let i = 0; i < all; i += 1) logins.push(await app.create({}, { user: 'ada' }));
    const ids = logins.map(({ session }) => session.id);
    const end = repository.end.bind(repository);
    const failing = (index: number, outcome: 'refused' | 'unknown') => {
      repository.end = async (id, options) => {
        if (id === ids[index]) throw new StoreUnavailableError(outcome, { failure: 'timeout' });
        return end(id, options);
      };
    };
    const ended = () => events.filter(({ type }) => type === 'ended').length;

    failing(170, 'refused');
    await expect(app.deleteAll('ada')).rejects.toMatchObject({
      ...{ outcome: 'unknown', failure: 'timeout', ended: batchEnd - 1 },
    });
    expect(ended()).toBe(batchEnd - 1);
    const left = (await app.list('ada')).map(({ id }) => id);
    expect(left).toEqual([ids[170], ...ids.slice(batchEnd)]);

    failing(batchEnd, 'unknown');
    await expect(app.deleteAll('ada')).rejects.toMatchObject({
      outcome: 'unknown',
      ended: AT_ONCE / 2,
    });
    failing(batchEnd, 'refused');
    await expect(app.deleteAll('ada')).rejects.toMatchObject({ outcome: 'refused' });
    const list = repository.users.list;
    repository.users.list = () => Promise.reject(new StoreUnavailableError('refused'));
    await expect(app.deleteAll('ada')).rejects.toMatchObject({ outcome: 'refused' });
    repository.users.list = list;

    repository.end = end;
    expect(await app.deleteAll('ada')).toBe(1);
    expect(ended()).toBe(all);
  });
});
