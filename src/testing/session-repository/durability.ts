import assert from 'node:assert/strict';
import type { ContractCase } from './contract-case.ts';
import {
  assertAbsent,
  assertBetween,
  assertSame,
  create,
  entry,
  idsOf,
  limits,
  newCredential,
  newSession,
  read,
  stored,
  use,
} from './support.ts';

export const durability: readonly ContractCase[] = [
  {
    name: 'durable work is visible to everybody and returns the usual answers',
    async run({ repository }) {
      const durability = { replicas: 1, timeoutMs: 20 };
      const fields = new Map([['n', '1']]);
      const credential = newCredential();
      const user = `ada ${credential.id}`;
      const created = await repository.durably(durability, async (own) => {
        await own.users.add(entry({ user, id: credential.id }));
        return create(own, newSession({ credential, user, fields }));
      });
      assertSame(await read(repository, credential), created.answer);
      const raised = await repository.durably(durability, (own) =>
        own.increment(credential, { field: 'n', by: 2, limits, ...use }),
      );
      assert.equal(raised.answer, 3);
      assert.equal((await read(repository, credential))?.fields.n, '3');
      const ended = await repository.durably(durability, (own) => own.delete(credential));
      assert.deepEqual(ended.answer, { user });
      await assertAbsent(repository, credential);
      const again = await repository.durably(durability, (own) => own.delete(credential));
      assert.equal(again.answer, undefined);
      await assertAbsent(repository, credential);
      assert.deepEqual(await idsOf(repository.users, user), [credential.id]);
    },
  },
  {
    name: 'waiting for replicas neither changes the expiry nor creates anything',
    async run({ repository, elapse }) {
      const durability = { replicas: 1, timeoutMs: 20 };
      const credential = await stored(repository, { ttl: 3 });
      const found = await repository.durably(durability, (own) => own.find(credential.id));
      assertBetween(found.answer?.remainingMs, 1, 3000);
      assertBetween((await read(repository, credential))?.remainingMs, 1, 3000);
      await elapse(3050);
      await repository.durably(durability, (own) => own.find(credential.id));
      await assertAbsent(repository, credential);
      assert.ok(await repository.create(newSession({ credential })));
    },
  },
  {
    name: 'nothing is durable on more replicas than there are',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const ended = await repository.durably({ replicas: 100, timeoutMs: 20 }, (own) =>
        own.delete(credential),
      );
      assert.deepEqual(ended, { answer: { user: undefined }, durable: false });
    },
  },
  {
    name: 'an error in durable work reaches the caller, and earlier work stays done',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const failure = new Error('changed my mind');
      const failing = repository.durably({ replicas: 1, timeoutMs: 20 }, async (own) => {
        await own.delete(credential);
        throw failure;
      });
      await assert.rejects(failing, failure);
      await assertAbsent(repository, credential);
    },
  },
];
