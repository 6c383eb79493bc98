import assert from 'node:assert/strict';
import { nodeSecrets } from '../../adapters/node/node-secrets.ts';
import { mintSecret } from '../../domain/session-token.ts';
import type { ContractCase } from './contract-case.ts';
import {
  access,
  assertAbsent,
  create,
  FIRST,
  LATER,
  limits,
  NOBODYS,
  newCredential,
  newSession,
  read,
  rotation,
  stored,
  use,
} from './support.ts';

export const rotating: readonly ContractCase[] = [
  {
    name: 'rotate without grace: the new secret opens the session with all its data, the old one opens nothing',
    async run({ repository }) {
      const old = await stored(repository, { fields: { a: '1' }, lifetime: 3600 });
      const before = await read(repository, old);
      const next = mintSecret(old.id, nodeSecrets).credential;
      assert.deepEqual(await repository.rotate(old, rotation({ next: next.secretHash })), NOBODYS);
      const after = await read(repository, next);
      assert.deepEqual({ ...after?.fields }, { a: '1' });
      assert.equal(after?.createdAt, FIRST);
      assert.equal(after.lastAccessedAt, LATER);
      assert.equal(after.endsAt, before?.endsAt);
      await assertAbsent(repository, old, 'reused');
    },
  },
  {
    name: 'rotate returns the user of the session',
    async run({ repository }) {
      const credential = newCredential();
      await repository.create(newSession({ credential, user: 'ada' }));
      assert.deepEqual(await repository.rotate(credential, rotation({})), { user: 'ada' });
    },
  },
  {
    name: 'rotate with grace: the old secret reads and writes until the grace ends, and then counts as reused',
    async run({ repository, elapse }) {
      const old = await stored(repository, { fields: { n: '1' } });
      const next = mintSecret(old.id, nodeSecrets).credential;
      assert.deepEqual(
        await repository.rotate(old, rotation({ next: next.secretHash, graceMs: 3000 })),
        NOBODYS,
      );
      assert.equal((await access(repository, old))?.fields.n, '1');
      assert.equal(await repository.increment(old, { field: 'n', by: 1, limits, ...use }), 2);
      assert.equal(await repository.rotate(old, rotation({})), false);
      assert.equal((await read(repository, next))?.fields.n, '2');
      await elapse(3050);
      await assertAbsent(repository, old, 'reused');
      assert.equal((await read(repository, next))?.fields.n, '2');
    },
  },
  {
    name: 'after a second rotation the first secret opens nothing, and counts as reused after its grace',
    async run({ repository, elapse }) {
      const first = await stored(repository, {});
      const second = mintSecret(first.id, nodeSecrets).credential;
      const third = mintSecret(first.id, nodeSecrets).credential;
      await repository.rotate(first, rotation({ next: second.secretHash, graceMs: 3000 }));
      await repository.rotate(second, rotation({ next: third.secretHash, graceMs: 60_000 }));
      await assertAbsent(repository, first);
      assert.ok(await read(repository, second));
      assert.ok(await read(repository, third));
      const fourth = mintSecret(first.id, nodeSecrets).credential;
      await repository.rotate(third, rotation({ next: fourth.secretHash }));
      await elapse(3050);
      await assertAbsent(repository, third, 'reused');
      assert.ok(await read(repository, fourth));
    },
  },
  {
    name: 'every secret that one of the last nine rotations replaced counts as reused, and one that never opened the session does not',
    async run({ repository }) {
      const first = await stored(repository, { fields: { a: '1' } });
      const secrets = [first];
      for (let i = 0; i < 9; i += 1) {
        const next = mintSecret(first.id, nodeSecrets).credential;
        const current = secrets.at(-1) ?? first;
        assert.deepEqual(
          await repository.rotate(current, rotation({ next: next.secretHash })),
          NOBODYS,
        );
        secrets.push(next);
      }
      const current = secrets.pop() ?? first;
      assert.equal(secrets.length, 9);
      for (const old of secrets) await assertAbsent(repository, old, 'reused');
      await assertAbsent(repository, mintSecret(first.id, nodeSecrets).credential);
      assert.deepEqual({ ...(await read(repository, current))?.fields }, { a: '1' });
    },
  },
  {
    name: 'of concurrent rotations with grace exactly one wins, and the others get false',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const rivals = Array.from(
        { length: 10 },
        () => mintSecret(credential.id, nodeSecrets).credential,
      );
      const answers = await Promise.all(
        rivals.map((next) =>
          repository.rotate(credential, rotation({ next: next.secretHash, graceMs: 60_000 })),
        ),
      );
      const won = answers.map((answer) => answer !== false);
      assert.equal(won.filter((one) => one).length, 1);
      assert.deepEqual(answers[won.indexOf(true)], NOBODYS);
      const opened = await Promise.all(rivals.map((next) => read(repository, next)));
      assert.deepEqual(
        opened.map((session) => session !== undefined),
        won,
      );
    },
  },
  {
    name: 'a logout with the old secret during its grace also ends the session for the new one',
    async run({ repository }) {
      const old = await stored(repository, {});
      const next = mintSecret(old.id, nodeSecrets).credential;
      await repository.rotate(old, rotation({ next: next.secretHash, graceMs: 60_000 }));
      assert.deepEqual(await repository.delete(old), { user: undefined });
      await assertAbsent(repository, next);
    },
  },
  {
    name: 'a re-authentication updates authenticatedAt and restarts the lifetime; a mere rotation does neither',
    async run({ repository, elapse }) {
      const credential = newCredential();
      const made = await create(repository, newSession({ credential, user: 'ada', lifetime: 600 }));
      const [second, third, fourth] = [1, 2, 3].map(
        () => mintSecret(credential.id, nodeSecrets).credential,
      );
      assert.ok(made?.endsAt && second && third && fourth);
      await elapse(1100);
      await repository.rotate(credential, rotation({ next: second.secretHash }));
      const rotated = await read(repository, second);
      assert.equal(rotated?.authenticatedAt, FIRST);
      assert.equal(rotated.endsAt, made.endsAt);
      await repository.rotate(
        second,
        rotation({ next: third.secretHash, reauthenticated: { lifetime: 600 } }),
      );
      const anew = await read(repository, third);
      assert.equal(anew?.authenticatedAt, LATER);
      assert.ok(anew.endsAt && anew.endsAt > made.endsAt);
      const none = { lifetime: undefined };
      await repository.rotate(third, rotation({ next: fourth.secretHash, reauthenticated: none }));
      assert.equal((await read(repository, fourth))?.endsAt, undefined);
    },
  },
];
