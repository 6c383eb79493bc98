import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import { Distinct } from '../../src/cli/distinct.ts';
import { walkIds, walkSessions } from '../../src/cli/walk-sessions.ts';
import type { SessionId } from '../../src/index.ts';
import { SessionService } from '../../src/index.ts';

async function collect<T>(pages: AsyncIterable<readonly T[]>): Promise<T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

/** A scan that answers these pages. */
function scanOf(...pages: SessionId[][]) {
  return {
    async *sessions() {
      yield* pages;
    },
  };
}

describe('a walk', () => {
  it('meets no session twice, though a scan finds it twice', async () => {
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository });
    const [a, b, c] = await Promise.all(
      ['a', 'b', 'c'].map(async (name) => (await service.create({ name })).session.id),
    );
    if (!a || !b || !c) throw new Error('Three were created.');
    const inspection = scanOf([a, b], [], [b, a, c], [a]);
    expect(await collect(walkIds(inspection))).toEqual([a, b, c]);
    await service.end(b);
    const sessions = await collect(walkSessions({ repository, inspection }));
    expect(sessions.map(({ fields }) => fields.name)).toEqual(['a', 'c']); // b ended before it was read
  });
});

describe('what was met', () => {
  it('is told from what was not, as a Set tells it', () => {
    const few = fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1); // many share their first words
    const text = fc
      .array(few, { minLength: 4, maxLength: 4 })
      .map((words) => Buffer.from(Uint32Array.from(words).buffer).toString('base64url'));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 300 }), (texts) => {
        const [distinct, set] = [new Distinct(), new Set<string>()];
        for (const text of texts) {
          expect(distinct.add(text)).toBe(!set.has(text));
          set.add(text);
        }
      }),
    );
  });

  it('stays known while it grows', () => {
    const distinct = new Distinct();
    const ids = Array.from({ length: 20_000 }, () => randomBytes(16).toString('base64url'));
    expect(ids.every((id) => distinct.add(id))).toBe(true);
    expect(ids.some((id) => distinct.add(id))).toBe(false);
  });
});
