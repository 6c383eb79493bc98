import assert from 'node:assert/strict';
import { nodeSecrets } from '../../adapters/node/node-secrets.ts';
import { mintSecret } from '../../domain/session-token.ts';
import type { ContractCase } from './contract-case.ts';
import {
  assertBetween,
  assertSame,
  create,
  FIRST,
  newCredential,
  newSession,
  read,
  stored,
  use,
} from './support.ts';

export const creating: readonly ContractCase[] = [
  {
    name: 'create returns the session as it was stored',
    async run({ repository }) {
      const credential = newCredential();
      const session = await create(
        repository,
        newSession({ credential, user: 'ada', fields: new Map([['cart', '3 books']]) }),
      );
      assert.ok(session);
      assert.equal(session.id, credential.id);
      assert.equal(session.user, 'ada');
      assert.deepEqual({ ...session.fields }, { cart: '3 books' });
      assert.equal(session.createdAt, FIRST);
      assert.equal(session.lastAccessedAt, FIRST);
      assert.equal(session.ttl, 60);
      assert.equal(session.endsAt, undefined);
      assertBetween(session.remainingMs, 55_000, 60_000);
      assertSame(await read(repository, credential), session);
    },
  },
  {
    name: 'create without user and fields makes a session without them',
    async run({ repository }) {
      const session = await create(repository, newSession({}));
      assert.equal(session?.user, undefined);
      assert.deepEqual({ ...session?.fields }, {});
    },
  },
  {
    name: 'create refuses an id that is taken and leaves the existing session alone',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '1' } });
      const rival = mintSecret(credential.id, nodeSecrets).credential;
      assert.equal(await repository.create(newSession({ credential: rival })), undefined);
      assert.equal(await read(repository, rival), undefined);
      assert.equal((await read(repository, credential))?.fields.a, '1');
    },
  },
  {
    name: 'of concurrent creates with one id exactly one succeeds',
    async run({ repository }) {
      const { id } = newCredential();
      const rivals = Array.from({ length: 8 }, () => mintSecret(id, nodeSecrets).credential);
      const answers = await Promise.all(
        rivals.map((credential) => repository.create(newSession({ credential }))),
      );
      assert.equal(answers.filter((answer) => answer !== undefined).length, 1);
    },
  },
  {
    name: 'any text as a value comes back unchanged',
    async run({ repository }) {
      const fields = {
        empty: '',
        lines: 'a\r\nb\u0000c',
        unicode: 'Grüße 👋 \u2028',
        markup: '<script>"\'&',
        constructor: 'x',
        '': 'a field with no name',
        "quote'\n": 'y',
        number: '1e3',
      };
      const credential = await stored(repository, { fields });
      assert.deepEqual({ ...(await read(repository, credential))?.fields }, fields);
      for (const [field, value] of Object.entries(fields)) {
        assert.deepEqual(await repository.take(credential, { field, ...use }), { value });
      }
    },
  },
  {
    name: 'creating a session for a user counts as authentication, and persistent is kept',
    async run({ repository }) {
      const credential = newCredential();
      const made = await create(
        repository,
        newSession({ credential, user: 'ada', persistent: true }),
      );
      assert.equal(made?.authenticatedAt, FIRST);
      assert.equal(made.persistent, true);
      assertSame(await read(repository, credential), made);
    },
  },
];
