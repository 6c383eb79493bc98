import { expect, it } from 'vitest';
import { RecentFigures, type RecentFiguresOptions } from '../../src/admin.ts';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/session-token.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const MINUTE = 60_000;
const id = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;

function figures(options: RecentFiguresOptions = {}) {
  let now = Date.parse('2026-04-02T12:00:00Z');
  const clock = { now: () => now };
  const seen = new RecentFigures({ ...options, clock });
  return {
    seen,
    clock,
    pass: (minutes: number) => {
      now += minutes * MINUTE;
    },
    lastHour: () => seen.recent({ minutes: 60, step: 1 }),
  };
}

it('counts logins and ends by reason, minute by minute, of the service that it observes', async () => {
  const { seen, clock, pass, lastHour } = figures();
  const repository = new MemorySessionRepository(clock);
  const service = new SessionService({ repository, clock, observer: seen });
  const { token } = await service.create({}, { user: 'ada' });
  await service.create({}, { user: 'ada' });
  pass(2);
  await service.delete(token);
  await service.deleteAll('ada');
  const minutes = lastHour();
  expect(minutes.map(({ started }) => started)).toEqual([2, 0, 0]);
  expect(minutes.at(-1)?.ended).toEqual({
    logout: 1,
    revoked: 1,
    evicted: 0,
    reused: 0,
    expired: 0,
  });
  expect(minutes[0]).toMatchObject({ from: Date.parse('2026-04-02T12:00:00Z'), forMs: MINUTE });
  expect(minutes[0]?.p50Ms).toBeGreaterThan(0);
  expect(minutes[1]?.p50Ms).toBeUndefined();
});

it('tells nothing of the time before it was there, and nothing after twelve hours', () => {
  const { seen, pass, lastHour } = figures();
  seen.notify({ type: 'created', id, user: undefined });
  expect(lastHour()).toHaveLength(1);
  pass(719);
  const all = () => seen.recent({ minutes: 720, step: 1 });
  expect(all()).toHaveLength(720);
  expect(all()[0]?.started).toBe(1);
  pass(1);
  expect(all()).toHaveLength(720);
  expect(all().every(({ started }) => started === 0)).toBe(true);
});

it('puts minutes together: sums of what happened, the last of what was counted', async () => {
  let sessions = 10;
  const { seen, pass } = figures({ countSessions: async () => sessions });
  for (const count of [10, 12, 15]) {
    sessions = count;
    seen.notify({ type: 'created', id, user: 'ada' });
    await seen.sample();
    pass(1);
  }
  const spans = seen.recent({ minutes: 6, step: 3 });
  expect(spans).toMatchObject([
    { started: 3, sessions: 15, forMs: 3 * MINUTE },
    { started: 0, sessions: undefined },
  ]);
});

it('tells how long the store takes: half of its answers, and 99 of 100', () => {
  const { seen, lastHour } = figures();
  for (let i = 0; i < 100; i++) seen.storeAsked({ name: 'access', id })({ outcome: 'ok' });
  const [minute] = lastHour();
  expect(minute?.p50Ms).toBeLessThanOrEqual(minute?.p99Ms ?? 0);
  expect(minute?.p99Ms).toBeLessThan(100);
});

it('counts a failure once, also where a piece of work failed with what a call in it failed with', () => {
  const { seen, lastHour } = figures();
  const error = new StoreUnavailableError('unknown');
  for (const name of ['end', 'durably'] as const) {
    seen.storeAsked({ name, id })({ outcome: 'failed', error });
  }
  seen.storeAsked({ name: 'read', id })({ outcome: 'failed', error: new Error('a defect') });
  expect(lastHour()[0]?.errors).toBe(1);
});

it('tells the share of reads that the near cache answered in that time, not since its start', async () => {
  const stats = { hits: 0, misses: 0 };
  const { pass, lastHour } = figures({ nearCache: () => stats });
  Object.assign(stats, { hits: 10, misses: 10 });
  expect(lastHour().map(({ nearCacheHits }) => nearCacheHits)).toEqual([0.5]);
  pass(1);
  Object.assign(stats, { hits: 19, misses: 11 });
  expect(lastHour().map(({ nearCacheHits }) => nearCacheHits)).toEqual([0.5, 0.9]);
  pass(1);
  expect(lastHour().at(-1)?.nearCacheHits).toBeUndefined();
});

it.each([
  ['a number', async () => 7, 7],
  ['a count of somebody else', async () => ({ sessions: 7, ageMs: 60_000 }), 7],
  ['one that is too old', async () => ({ sessions: 7, ageMs: 3_600_000 }), undefined],
  ['none yet', async () => undefined, undefined],
  ['a store that is away', () => Promise.reject(new StoreUnavailableError('refused')), undefined],
])('samples how many sessions are alive: %s', async (_name, countSessions, expected) => {
  const { seen, lastHour } = figures({ countSessions, storeBytes: async () => 1_000_000 });
  await seen.sample();
  expect(lastHour()).toMatchObject([{ sessions: expected, storeBytes: 1_000_000 }]);
});

it('never counts twice at once, however long a count takes', async () => {
  let counts = 0;
  const { seen } = figures({
    countSessions: async () => {
      counts += 1;
      return counts;
    },
  });
  await Promise.all([seen.sample(), seen.sample(), seen.sample()]);
  expect(counts).toBe(1);
  await seen.sample();
  expect(counts).toBe(2);
});
