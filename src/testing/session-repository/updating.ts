import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.ts';
import { FIRST, LATER, limits, read, stored, use } from './support.ts';

export const updating: readonly ContractCase[] = [
  {
    name: 'update sets and removes single fields, leaves the others alone, and slides',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { fields: { a: '1', b: '2', c: '3' } });
      await elapse(1200);
      const change = {
        set: new Map([
          ['a', '10'],
          ['d', '4'],
        ]),
        unset: ['b', 'never'],
        limits,
        ...use,
      };
      assert.equal(await repository.update(credential, change), true);
      const session = await read(repository, credential);
      assert.deepEqual({ ...session?.fields }, { a: '10', c: '3', d: '4' });
      assert.equal(session?.lastAccessedAt, LATER);
      assert.ok(session.remainingMs > 59_000);
    },
  },
  {
    name: 'update removes ten thousand names at once, whether these fields exist or not',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { 0: '1', kept: '2', 9999: '3' } });
      const unset = Array.from({ length: 10_000 }, (_, i) => String(i));
      const change = { set: new Map(), unset, limits, ...use };
      assert.equal(await repository.update(credential, change), true);
      assert.deepEqual({ ...(await read(repository, credential))?.fields }, { kept: '2' });
    },
  },
  {
    name: 'an empty update counts as a use',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '1' } });
      assert.equal(
        await repository.update(credential, { set: new Map(), unset: [], limits, ...use }),
        true,
      );
      assert.equal((await read(repository, credential))?.lastAccessedAt, LATER);
    },
  },
  {
    name: 'concurrent updates of different fields all win',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const wide = { maxFields: 50, maxTotalBytes: 10_000 };
      await Promise.all(
        Array.from({ length: 20 }, (_, i) =>
          repository.update(credential, {
            set: new Map([[`f${i}`, 'x']]),
            unset: [],
            limits: wide,
            ...use,
          }),
        ),
      );
      assert.equal(Object.keys((await read(repository, credential))?.fields ?? {}).length, 20);
    },
  },
  {
    name: 'update refuses to exceed the limits and changes nothing',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '1', b: '2' } });
      const many = new Map([
        ['c', ''],
        ['d', ''],
        ['e', ''],
      ]);
      const large = new Map([['c', 'é'.repeat(31)]]);
      const update = (set: Map<string, string>, unset: string[] = []) =>
        repository.update(credential, { set, unset, limits, ...use });
      assert.equal(await update(many), 'too_many_fields');
      assert.equal(await update(large), 'too_large');
      const session = await read(repository, credential);
      assert.deepEqual({ ...session?.fields }, { a: '1', b: '2' });
      assert.equal(session?.lastAccessedAt, FIRST);
      assert.equal(await update(many, ['a']), true);
      assert.equal(await update(new Map([['b', 'x'.repeat(60)]]), ['c', 'd', 'e']), true);
    },
  },
  {
    name: 'what sets nothing is never refused, even in a session that holds more than the limits',
    async run({ repository }) {
      const fields = { a: 'x'.repeat(64), b: '', c: '', d: '', e: '' };
      const credential = await stored(repository, { fields });
      const update = (set: Map<string, string>, unset: string[]) =>
        repository.update(credential, { set, unset, limits, ...use });
      assert.equal(await update(new Map([['a', 'x'.repeat(63)]]), []), 'too_many_fields');
      assert.equal(await update(new Map(), []), true);
      assert.equal(await update(new Map(), ['b']), true);
      const removal = { field: 'c', expected: '', next: undefined, limits, ...use };
      assert.equal(await repository.replace(credential, removal), true);
      assert.equal(await update(new Map([['d', 'x']]), []), 'too_large');
      assert.deepEqual(Object.keys((await read(repository, credential))?.fields ?? {}), [
        ...['a', 'd', 'e'],
      ]);
    },
  },
];
