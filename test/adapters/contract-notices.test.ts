import { expect, it } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import type { Credential, SessionId } from '../../src/domain/session-token.ts';
import type { Clock } from '../../src/ports/clock.ts';
import type { FieldChange, FieldIncrement } from '../../src/ports/session-repository.ts';
import type { NewIndexEntry, UserIndex } from '../../src/ports/user-index.ts';
import { sessionRepositoryContract } from '../../src/testing.ts';

/** Mistakes that a store is easily written with, and the sentence of the contract that each breaks. */
const mistakes: [
  mistake: string,
  broken: string,
  repository: (clock: Clock) => MemorySessionRepository,
][] = [
  [
    'entries of an index that end one by one',
    'the index is kept for the longest keepMs of its entries, and no longer',
    withIndex((right, clock) => {
      const ends = new Map<SessionId, number>();
      return {
        ...right,
        add(entry) {
          ends.set(entry.id, clock.now() + entry.keepMs);
          return right.add(entry);
        },
        async list(user, page) {
          const entries = await right.list(user, page);
          return entries.filter(({ id }) => (ends.get(id) ?? 0) > clock.now());
        },
      };
    }),
  ],
  [
    'an index that is never forgotten',
    'an index that has ended begins anew: nothing of it is listed, counted or kept',
    withIndex((right) => ({ ...right, add: (entry) => right.add({ ...entry, keepMs: 1e12 }) })),
  ],
  [
    'an id that is entered again and does not put off the end',
    'an entry that is entered again keeps the index from that moment',
    withIndex((right) => {
      const known = new Set<SessionId>();
      return {
        ...right,
        add(entry) {
          const keepMs = known.has(entry.id) ? 0 : entry.keepMs;
          known.add(entry.id);
          return right.add({ ...entry, keepMs });
        },
      };
    }),
  ],
  [
    'a refused entry that puts off the end',
    'what is refused for the limit keeps the index no longer',
    withIndex((right) => ({
      ...right,
      async add(entry) {
        const entered = await right.add(entry);
        const [first] = await right.list(entry.user, { from: 'oldest', limit: 1 });
        if (entered === undefined && first !== undefined) {
          await right.add({ ...entry, id: first.id, max: undefined });
        }
        return entered;
      },
    })),
  ],
  [
    'an index that counts what is replaced',
    'of many that replace the same id at the same time, the limit lets in one',
    withIndex((right) => ({
      ...right,
      add: (entry) => right.add({ ...entry, replaces: undefined }),
    })),
  ],
  [
    'an index that has room for whoever replaces something',
    'the limit does not count the id that the new one replaces, if it is in the index of this user',
    withIndex((right) => ({
      ...right,
      add({ replaces, ...entry }) {
        const more = replaces === undefined ? 0 : 1;
        return right.add({ ...entry, max: entry.max && entry.max + more });
      },
    })),
  ],
  [
    'integers that are added exactly, however large',
    'an integer beyond the safe-integer range is out of range, even where the sum would be in it',
    (clock) => new ExactIntegers(clock),
  ],
  [
    'limits that refuse what makes a session smaller',
    'what sets nothing is never refused, even in a session that holds more than the limits',
    (clock) => new StrictLimits(clock),
  ],
];

it.each(mistakes)('the contract notices %s', async (_, broken, repository) => {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const subject = {
    repository: repository({ now: () => now }),
    elapse: async (ms: number) => {
      now += ms;
    },
  };
  const failed: string[] = [];
  for (const { name, run } of sessionRepositoryContract) {
    await run(subject).catch(() => failed.push(name));
  }
  expect(failed).toContain(broken);
  expect(failed.length, 'the mistake alone').toBeLessThan(5);
});

function withIndex(wrong: (right: UserIndex, clock: Clock) => UserIndex) {
  return (clock: Clock) => {
    const repository = new MemorySessionRepository(clock);
    const { users } = repository;
    const right: UserIndex = {
      add: (entry: NewIndexEntry) => users.add(entry),
      list: (user, page) => users.list(user, page),
      remove: (user, ids) => users.remove(user, ids),
    };
    return Object.assign(repository, { users: wrong(right, clock) });
  };
}

class ExactIntegers extends MemorySessionRepository {
  override async increment(credential: Credential, change: FieldIncrement) {
    const answer = await super.increment(credential, change);
    const session = await this.read(credential);
    if (answer !== 'out_of_range' || typeof session !== 'object') return answer;
    const sum = Number(BigInt(session.fields[change.field] ?? '0') + BigInt(change.by));
    return Number.isSafeInteger(sum) ? sum : answer;
  }
}

class StrictLimits extends MemorySessionRepository {
  override async update(credential: Credential, change: FieldChange) {
    const session = await this.read(credential);
    const held = typeof session === 'object' ? Object.keys(session.fields).length : 0;
    return held > change.limits.maxFields ? 'too_many_fields' : super.update(credential, change);
  }
}
