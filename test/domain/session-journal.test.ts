import { describe, expect, it, vi } from 'vitest';
import {
  type JournalEntry,
  type JournalFailure,
  type SessionJournal,
  SessionService,
  type SessionServiceOptions,
  StoreUnavailableError,
} from '../../src/index.ts';
import { MemoryJournal, MemorySessionRepository } from '../../src/memory.ts';
import { until } from '../support/until.ts';

const START = Date.parse('2026-04-02T12:34:56Z');
const device = { label: 'Firefox on Linux' };

function setUp(options: Partial<SessionServiceOptions> = {}) {
  let now = START;
  const clock = { now: () => now };
  const repository = new MemorySessionRepository(clock);
  const journal = new MemoryJournal({ clock });
  const app = new SessionService({ repository, clock, journal, ...options });
  return {
    ...{ app, repository, journal },
    elapse(ms: number) {
      now += ms;
    },
    /** The user's journal, oldest first, without what nobody said. */
    async told(user = 'ada'): Promise<Partial<JournalEntry>[]> {
      const entries = await app.journal(user);
      return entries.toReversed().map((entry) => JSON.parse(JSON.stringify(entry)));
    },
  };
}

describe('the journal of a user', () => {
  it('tells when and where sessions started, what happened to them, and in which requests', async () => {
    let request: string | undefined = 'login-1';
    const { app, told, elapse } = setUp({
      requestId: () => request,
      policy: { lifetime: 3600 },
    });
    const { token, session } = await app.create({ secret: 'x' }, { user: 'ada', device });
    const sessionId = session.id;
    elapse(1000);
    request = undefined;
    const next = (await app.rotate(token)) || '';
    elapse(1000);
    request = `logout-${'x'.repeat(100)}`;
    await app.delete(next);
    expect(await told()).toEqual([
      {
        ...{ at: START, event: 'started', sessionId, device, endsAt: START + 3_600_000 },
        requestId: 'login-1',
      },
      { at: START + 1000, event: 'rotated', sessionId },
      {
        ...{ at: START + 2000, event: 'ended', sessionId, why: 'logout', by: 'user' },
        requestId: `logout-${'x'.repeat(57)}`,
      },
    ]);
    const all = JSON.stringify(await told());
    for (const secret of [token, next]) expect(all).not.toContain(secret.split('.')[1]);
  });

  it('tells of sessions that the policy evicted, and of those that ended all together', async () => {
    const { app, told } = setUp({ policy: { maxSessions: 2 } });
    const start = async () => (await app.create({}, { user: 'ada' })).session.id;
    const [first, second, third] = [await start(), await start(), await start()];
    await app.deleteAll('ada', { by: 'user' });
    const ends = (await told()).filter(({ event }) => event === 'ended');
    const all = { event: 'ended', at: START, why: 'revoked', by: 'user', everywhere: true };
    expect(ends).toEqual([
      { event: 'ended', at: START, sessionId: first, why: 'evicted', by: 'policy' },
      { ...all, sessionId: second },
      { ...all, sessionId: third },
    ]);
  });

  it('tells who ended one session: its user, an operator, or an application that does not say', async () => {
    const { app, told } = setUp();
    const start = async () => (await app.create({}, { user: 'ada' })).session.id;
    await app.end(await start());
    await app.end(await start(), { user: 'ada' });
    await app.end(await start(), { by: 'console eve' });
    await app.end(await start(), { user: 'ada', by: 'x'.repeat(100) });
    await start();
    await app.deleteAll('ada');
    const ends = (await told()).filter(({ event }) => event === 'ended');
    expect(ends.map(({ why, by, everywhere }) => ({ why, by, everywhere }))).toEqual([
      { why: 'revoked' },
      { why: 'revoked', by: 'user' },
      { why: 'revoked', by: 'console eve' },
      { why: 'revoked', by: 'x'.repeat(64) },
      { why: 'revoked', everywhere: true },
    ]);
  });

  it('tells of a session that others evicted while it was being started', async () => {
    const { app, repository, told } = setUp();
    const create = repository.create.bind(repository);
    repository.create = async (session) => {
      await repository.end(session.credential.id, { unbornMs: 1000, unbornAs: 'evicted' });
      return create(session);
    };
    await app.create({}, { user: 'ada', device });
    expect(await told()).toMatchObject([
      { event: 'started', device },
      { event: 'ended', why: 'evicted', by: 'policy' },
    ]);
  });

  it('tells of a replaced token that comes back, and of the end that the policy makes of it', async () => {
    const { app, told } = setUp({ policy: { endOnReuse: true } });
    const { token } = await app.create({}, { user: 'ada' });
    await app.rotate(token);
    await app.get(token);
    expect(await told()).toMatchObject([
      { event: 'started' },
      { event: 'rotated' },
      { event: 'reused' },
      { event: 'ended', why: 'reused', by: 'policy' },
    ]);
  });

  it('tells once a minute of a token that comes back again and again', async () => {
    const { app, told, elapse } = setUp();
    const { token } = await app.create({}, { user: 'ada' });
    await app.rotate(token);
    for (let i = 0; i < 100; i += 1) await app.get(token);
    elapse(60_000);
    await app.get(token);
    expect((await told()).map(({ event }) => event)).toEqual([
      'started',
      'rotated',
      'reused',
      'reused',
    ]);
  });

  it('tells that a session ran out, and until when it can have lived', async () => {
    const { app, told, elapse } = setUp({ policy: { ttl: 60, lifetime: 3600 } });
    const { session } = await app.create({}, { user: 'ada' });
    const { token } = await app.create({}, { user: 'ada', ttl: 1800 });
    expect((await told()).map(({ event }) => event)).toEqual(['started', 'started']);
    elapse(61_000);
    const ranOut = { event: 'ended', sessionId: session.id, why: 'expired', by: 'store' };
    expect((await told()).filter(({ event }) => event === 'ended')).toEqual([
      { ...ranOut, at: START + 61_000 }, // at some time until now
    ]);
    expect(await app.get(token)).toBeDefined();
    elapse(3_600_000);
    expect((await told()).filter(({ event }) => event === 'ended')).toEqual([
      expect.objectContaining({ why: 'expired', at: START + 3_600_000 }),
      expect.objectContaining({ why: 'expired', at: START + 3_600_000 }),
    ]);
  });

  it('tells of many sessions that ran out, each beside its start, and hides nothing newer behind them', async () => {
    const { app, told, elapse } = setUp({ policy: { ttl: 60 } });
    const ids: string[] = [];
    for (let i = 0; i < 3; i += 1) {
      ids.push((await app.create({}, { user: 'ada' })).session.id);
      elapse(100_000);
    }
    const logout = await app.create({}, { user: 'ada' });
    await app.delete(logout.token);
    const all = (await told()).map(({ sessionId, event, why }) => [sessionId, why ?? event]);
    expect(all).toEqual([
      ...ids.flatMap((id) => [
        [id, 'started'],
        [id, 'expired'],
      ]),
      [logout.session.id, 'started'],
      [logout.session.id, 'logout'],
    ]);
  });

  it('tells of no second end where entries were written in another order than things happened', async () => {
    const { app, journal, told } = setUp();
    const { token, session } = await app.create({}, { user: 'ada' });
    await app.journalWritten();
    const entry = { sessionId: session.id, at: START };
    await app.delete(token);
    await app.journalWritten();
    await journal.append('ada', { ...entry, event: 'rotated' }); // late, by another process
    expect((await told()).filter(({ event }) => event === 'ended')).toMatchObject([
      { why: 'logout' },
    ]);
  });

  it('is written whatever names the requests', async () => {
    const { app, told } = setUp({
      requestId() {
        throw new Error('There is no request.');
      },
    });
    await app.create({}, { user: 'ada' });
    expect(await told()).toMatchObject([{ event: 'started' }]);
  });

  it('knows of a lifetime that began anew', async () => {
    const { app, told, elapse } = setUp({ policy: { ttl: 1800, lifetime: 3600 } });
    const { token } = await app.create({}, { user: 'ada' });
    elapse(1_000_000);
    await app.rotate(token, { reauthenticated: true });
    elapse(10_000_000);
    expect((await told()).at(-1)).toMatchObject({ why: 'expired', at: START + 4_600_000 });
  });

  it('answers what happened since then, also to a session that began before', async () => {
    const { app, elapse } = setUp({ policy: { ttl: 60 } });
    await app.create({}, { user: 'ada' });
    elapse(100_000);
    await app.create({}, { user: 'ada' });
    const events = async (query: object) =>
      (await app.journal('ada', query)).map(({ event, why }) => why ?? event);
    expect(await events({ since: START + 50_000 })).toEqual(['started', 'expired']);
    expect(await events({ limit: 1 })).toEqual(['started']);
    expect(await events({ since: START + 100_001 })).toEqual([]);
  });

  it('is of that user alone, and of nobody who has none', async () => {
    const { app, told } = setUp();
    const { token } = await app.create();
    await app.delete(token);
    await app.create({}, { user: 'eve' });
    expect(await told('ada')).toEqual([]);
    expect(await told('eve')).toHaveLength(1);
  });

  it('is written by what is done durably as well', async () => {
    const { app, told } = setUp();
    await app.create({}, { user: 'ada' });
    await app.durably((sessions) => sessions.deleteAll('ada', { by: 'user' }));
    expect((await told()).map(({ event }) => event)).toEqual(['started', 'ended']);
  });

  it('is not there unless there is one, and takes no nonsense', async () => {
    const { app } = setUp();
    const bare = new SessionService({ repository: new MemorySessionRepository() });
    await expect(bare.journal('ada')).rejects.toMatchObject({ code: 'no_journal' });
    for (const limit of [0, -1, 1.5, Number.NaN]) {
      await expect(app.journal('ada', { limit })).rejects.toMatchObject({ code: 'invalid_page' });
    }
    await expect(app.journal('')).rejects.toMatchObject({ code: 'invalid_user' });
    for (const retention of [{ keepDays: 0 }, { keepDays: 1.5 }, { maxEntries: 0 }]) {
      expect(() => new MemoryJournal(retention)).toThrow(/must be a whole number from 1 to/);
    }
  });

  it('forgets an entry when it has kept it for so many days', async () => {
    let now = START;
    const journal = new MemoryJournal({ clock: { now: () => now }, keepDays: 2 });
    const repository = new MemorySessionRepository({ now: () => now });
    const app = new SessionService({ repository, journal, policy: { lifetime: 3600 } });
    await app.create({}, { user: 'ada' });
    now += 24 * 3600 * 1000;
    await app.create({}, { user: 'ada' });
    expect(await journal.read('ada')).toHaveLength(2);
    now += 24 * 3600 * 1000;
    expect(await journal.read('ada')).toHaveLength(1);
  });
});

describe('a journal that fails', () => {
  const error = new StoreUnavailableError('refused');

  function failing(append: SessionJournal['append']): SessionJournal {
    return { append, read: () => Promise.reject(error), erase: () => Promise.reject(error) };
  }

  it('costs its entries and no session, and is told of each, the first of an outage apart', async () => {
    let works = false;
    const failures: JournalFailure[] = [];
    const { app } = setUp({
      journal: failing(async () => {
        if (!works) throw error;
      }),
      onJournalFailure: (failure) => failures.push(failure),
    });
    const { token } = await app.create({}, { user: 'ada' });
    await app.journalWritten();
    await app.rotate(token);
    await app.journalWritten();
    expect(failures).toEqual([
      { error, isFirst: true },
      { error, isFirst: false },
    ]);
    works = true;
    await app.create({}, { user: 'ada' });
    await app.journalWritten();
    works = false;
    expect(await app.deleteAll('ada')).toBe(2);
    await app.journalWritten();
    // Some entries may be kept while others fail: that is one line a minute, not one for each.
    expect(failures.slice(2).map(({ isFirst }) => isFirst)).toEqual([false, false]);
    await expect(app.journal('ada')).rejects.toBe(error);
  });

  it('that answers nothing keeps nobody waiting and fills no memory', async () => {
    const failures: JournalFailure[] = [];
    let asked = 0;
    const { app } = setUp({
      journal: failing(() => {
        asked += 1;
        return new Promise(() => {});
      }),
      onJournalFailure: (failure) => failures.push(failure),
    });
    for (let i = 0; i < 1100; i += 1) await app.create({}, { user: 'ada' });
    expect(asked).toBe(1000);
    expect(failures).toHaveLength(100);
  });

  it('that throws, or whose failure cannot be told, hurts no session', async () => {
    const { app } = setUp({
      journal: failing(() => {
        throw error;
      }),
      onJournalFailure() {
        throw new Error('of the one who counts');
      },
    });
    const { token } = await app.create({}, { user: 'ada' });
    expect(await app.delete(token)).toBe(true);
    await app.journalWritten();
  });

  it('is told on the console where nobody else is', async () => {
    const said = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { app } = setUp({ journal: failing(() => Promise.reject(error)) });
    await app.create({}, { user: 'ada' });
    await app.create({}, { user: 'ada' });
    await until('it was told', async () => said.mock.calls.length > 0);
    expect(said.mock.calls).toEqual([[error]]);
    said.mockRestore();
  });
});
