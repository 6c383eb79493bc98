import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.ts';
import { FIRST, LATER, limits, read, stored, taken, use } from './support.ts';

export const replacingAndTaking: readonly ContractCase[] = [
  {
    name: 'replace writes only if the field holds the expected value, and slides only then',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '1' } });
      const replace = (field: string, expected?: string, next?: string) =>
        repository.replace(credential, { field, expected, next, limits, ...use });
      assert.equal(await replace('a', '2', '3'), false);
      assert.equal(await replace('a', undefined, '3'), false);
      assert.equal(await replace('b', '', '3'), false);
      const untouched = await read(repository, credential);
      assert.deepEqual({ ...untouched?.fields }, { a: '1' });
      assert.equal(untouched?.lastAccessedAt, FIRST);
      assert.equal(await replace('a', '1', ''), true);
      assert.equal((await read(repository, credential))?.lastAccessedAt, LATER);
      assert.equal(await replace('a', undefined, '3'), false);
      assert.equal(await replace('a', '', undefined), true);
      assert.equal(await replace('b', undefined, 'new'), true);
      assert.equal(await replace('c', undefined, undefined), true);
      assert.deepEqual({ ...(await read(repository, credential))?.fields }, { b: 'new' });
      assert.equal(await replace('b', 'new', 'x'.repeat(64)), 'too_large');
    },
  },
  {
    name: 'of concurrent replaces of one value exactly one wins',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '0' } });
      const answers = await Promise.all(
        Array.from({ length: 10 }, (_, i) =>
          repository.replace(credential, {
            field: 'a',
            expected: '0',
            next: `by ${i}`,
            limits,
            ...use,
          }),
        ),
      );
      assert.equal(answers.filter((answer) => answer === true).length, 1);
      assert.equal((await read(repository, credential))?.fields.a, `by ${answers.indexOf(true)}`);
    },
  },
  {
    name: 'take returns and removes a field, and slides',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { flash: 'Saved.', empty: '' } });
      assert.deepEqual(await repository.take(credential, { field: 'flash', ...use }), {
        value: 'Saved.',
      });
      assert.deepEqual(await repository.take(credential, { field: 'flash', ...use }), {
        value: undefined,
      });
      assert.deepEqual(await repository.take(credential, { field: 'empty', ...use }), {
        value: '',
      });
      const session = await read(repository, credential);
      assert.deepEqual({ ...session?.fields }, {});
      assert.equal(session?.lastAccessedAt, LATER);
    },
  },
  {
    name: 'of concurrent takes exactly one gets the value',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { once: 'x' } });
      const answers = await Promise.all(
        Array.from({ length: 10 }, () => repository.take(credential, { field: 'once', ...use })),
      );
      assert.equal(answers.filter((answer) => taken(answer) === 'x').length, 1);
      assert.equal(answers.filter((answer) => taken(answer) === undefined).length, 9);
    },
  },
];
