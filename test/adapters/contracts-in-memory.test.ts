import RedisMock from 'ioredis-mock';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { observedRepository } from '../../src/domain/observed-repository.ts';
import { MemoryJournal } from '../../src/memory.ts';
import {
  JOURNAL_CONTRACT_MAX_ENTRIES as maxEntries,
  sessionJournalContract,
  sessionMovesContract,
  sessionRepositoryContract,
} from '../../src/testing.ts';

describe('the contract, kept by the memory store', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const repository = new MemorySessionRepository({ now: () => now });
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, () => run({ repository, elapse }));
  }
});

describe('the contract, kept by a store that is observed', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  let asked = 0;
  let answered = 0;
  const repository = observedRepository(new MemorySessionRepository({ now: () => now }), {
    notify() {},
    storeAsked() {
      asked += 1;
      return () => {
        answered += 1;
      };
    },
  });
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionRepositoryContract) {
    it(name, async () => {
      await run({ repository, elapse });
      expect(asked).toBeGreaterThan(0);
      expect(answered).toBe(asked);
    });
  }
});

describe('the contract, kept by the Redis store on ioredis-mock', () => {
  const repository = new RedisSessionRepository({ client: new RedisMock() });
  // Its TIME is the rounded second of one clock and the microseconds of another. With the first one still, the other
  // can be made to fit.
  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.spyOn(process, 'hrtime').mockImplementation(() => {
      const second = Math.round(Date.now() / 1000);
      return [second, (Date.now() - second * 1000) * 1e6];
    });
  });
  afterAll(() => {
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
  const elapse = async (ms: number) => {
    vi.setSystemTime(Date.now() + ms);
  };
  for (const { name, run } of sessionRepositoryContract) {
    const tags = name.includes('very many') ? ['slow'] : []; // it interprets Lua
    it(name, { tags }, () => run({ repository, elapse }));
  }
});

describe('the contract of a journal, kept in memory', () => {
  const journal = new MemoryJournal({ maxEntries });
  for (const { name, run } of sessionJournalContract) {
    it(name, () => run({ journal }));
  }
});

describe('the contract of moves, kept by the memory store', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const from = new MemorySessionRepository(clock);
  const to = new MemorySessionRepository(clock);
  const elapse = async (ms: number) => {
    now += ms;
  };
  for (const { name, run } of sessionMovesContract) it(name, () => run({ from, to, elapse }));
});

describe('the contract of moves, kept between stores whose clocks are an hour apart', () => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const HOUR = 3_600_000;
  const from = new MemorySessionRepository({ now: () => now + HOUR });
  const to = new MemorySessionRepository({ now: () => now });
  const elapse = async (ms: number) => {
    now += ms;
  };
  const kept = sessionMovesContract.filter(({ name }) => !name.includes('with all its data'));
  for (const { name, run } of kept) it(name, () => run({ from, to, elapse }));
});
