import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.ts';
import { FIRST, LATER, limits, read, stored, use } from './support.ts';

export const incrementing: readonly ContractCase[] = [
  {
    name: 'increment adds to an integer field, counts a missing one as 0, and slides',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { n: '41' } });
      const add = (field: string, by: number) =>
        repository.increment(credential, { field, by, limits, ...use });
      assert.equal(await add('n', 1), 42);
      assert.equal(await add('n', -50), -8);
      assert.equal(await add('n', 8), 0);
      assert.equal(await add('n', -1), -1);
      assert.equal(await add('fresh', 3), 3);
      const session = await read(repository, credential);
      assert.deepEqual({ ...session?.fields }, { n: '-1', fresh: '3' });
      assert.equal(session?.lastAccessedAt, LATER);
    },
  },
  {
    name: 'concurrent increments all count',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const sums = await Promise.all(
        Array.from({ length: 50 }, () =>
          repository.increment(credential, { field: 'n', by: 1, limits, ...use }),
        ),
      );
      assert.deepEqual(
        sums.toSorted((a, b) => Number(a) - Number(b)),
        Array.from({ length: 50 }, (_, i) => i + 1),
      );
    },
  },
  {
    name: 'increment is exact up to the limits of the safe-integer range and refuses to go beyond',
    async run({ repository }) {
      const most = Number.MAX_SAFE_INTEGER;
      const credential = await stored(repository, { fields: { n: String(most - 1) } });
      const add = (by: number) =>
        repository.increment(credential, { field: 'n', by, limits, at: LATER });
      assert.equal(await add(1), most);
      assert.equal(await add(1), 'out_of_range');
      assert.equal(await add(most), 'out_of_range');
      assert.equal(await add(-most), 0);
      assert.equal(await add(-most), -most);
      assert.equal(await add(-1), 'out_of_range');
      assert.equal((await read(repository, credential))?.fields.n, String(-most));
    },
  },
  {
    name: 'a refused increment changes nothing, not even the expiry',
    async run({ repository, elapse }) {
      const values = ['', ' 1', '1.5', '1e3', '0x10', '+1', '01', '-0', 'NaN', 'abc', '1\n'];
      for (const n of values) {
        const credential = await stored(repository, { fields: { n } });
        const answer = await repository.increment(credential, {
          field: 'n',
          by: 1,
          limits,
          ...use,
        });
        assert.equal(answer, 'not_an_integer', JSON.stringify(n));
        assert.equal((await read(repository, credential))?.lastAccessedAt, FIRST);
      }
      const credential = await stored(repository, { fields: { n: 'x' } });
      await elapse(1200);
      await repository.increment(credential, { field: 'n', by: 1, limits, ...use });
      assert.ok(((await read(repository, credential))?.remainingMs ?? 0) <= 59_500);
    },
  },
  {
    name: 'an integer beyond the safe-integer range is out of range, even where the sum would be in it',
    async run({ repository }) {
      const beyond: [n: string, by: number][] = [
        ['9007199254740992', -1],
        ['-9007199254740992', 1],
        ['9007199254740993', -2],
        ['-9007199254740993', Number.MAX_SAFE_INTEGER],
        ['18446744073709551616', -1],
        [`-${'9'.repeat(400)}`, 1],
        ['9007199254740992', 0],
      ];
      for (const [n, by] of beyond) {
        const credential = await stored(repository, { fields: { n } });
        const change = { field: 'n', by, limits, ...use };
        assert.equal(await repository.increment(credential, change), 'out_of_range', n);
        const session = await read(repository, credential);
        assert.deepEqual({ ...session?.fields }, { n });
        assert.equal(session?.lastAccessedAt, FIRST);
      }
    },
  },
  {
    name: 'increment refuses to exceed the limits',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '', b: '', c: '', d: '' } });
      const answer = await repository.increment(credential, { field: 'n', by: 1, limits, ...use });
      assert.equal(answer, 'too_many_fields');
    },
  },
];
