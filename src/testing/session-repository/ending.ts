import assert from 'node:assert/strict';
import type { EndOptions } from '../../ports/session-repository.ts';
import type { ContractCase } from './contract-case.ts';
import {
  assertAbsent,
  assertSame,
  FIRST,
  newCredential,
  newSession,
  read,
  stored,
} from './support.ts';

export const ending: readonly ContractCase[] = [
  {
    name: 'after delete a session is absent, and nothing brings it back',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { n: '1' } });
      assert.deepEqual(await repository.delete(credential), { user: undefined });
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'of concurrent deletes exactly one ended the session',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const answers = await Promise.all(
        Array.from({ length: 8 }, () => repository.delete(credential)),
      );
      assert.equal(answers.filter((answer) => answer !== undefined).length, 1);
    },
  },
  {
    name: 'end ends the session with that id once, whatever its secret is',
    async run({ repository }) {
      const credential = await stored(repository, {});
      const answers = await Promise.all(
        Array.from({ length: 4 }, () => repository.end(credential.id, { unbornMs: 0 })),
      );
      assert.equal(answers.filter((answer) => answer !== undefined).length, 1);
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'delete and end return the user of the session',
    async run({ repository }) {
      for (const user of ['ada', undefined]) {
        const deleted = newCredential();
        await repository.create(newSession({ credential: deleted, user }));
        assert.deepEqual(await repository.delete(deleted), { user });
        const ended = newCredential();
        await repository.create(newSession({ credential: ended, user }));
        assert.deepEqual(await repository.end(ended.id, { unbornMs: 0 }), { user });
      }
    },
  },
  {
    name: 'end of an id without a session makes create refuse it for unbornMs, and only if asked to',
    async run({ repository, elapse }) {
      const credential = newCredential();
      assert.equal(await repository.end(credential.id, { unbornMs: 3000 }), undefined);
      await assertAbsent(repository, credential);
      assert.equal(await repository.find(credential.id), undefined);
      assert.equal(await repository.end(credential.id, { unbornMs: 3000 }), undefined);
      assert.equal(await repository.create(newSession({ credential })), undefined);
      await elapse(3050);
      assert.equal(await repository.end(credential.id, { unbornMs: 0 }), undefined);
      assert.ok(await repository.create(newSession({ credential })));
    },
  },
  {
    name: 'create distinguishes an id that was evicted in advance from one that was revoked, and creates neither',
    async run({ repository, elapse }) {
      const evicted = { unbornMs: 3000, unbornAs: 'evicted' } as const;
      const revoked = { unbornMs: 3000, unbornAs: 'revoked' } as const;
      const refused = async (...ends: EndOptions[]) => {
        const credential = newCredential();
        for (const end of ends) {
          assert.equal(await repository.end(credential.id, end), undefined);
        }
        const answer = await repository.create(newSession({ credential }));
        assert.equal(await repository.create(newSession({ credential })), answer);
        await assertAbsent(repository, credential);
        assert.equal(await repository.find(credential.id), undefined);
        return { credential, answer };
      };
      const { credential, answer } = await refused(evicted);
      assert.equal(answer, 'evicted');
      assert.equal((await refused(evicted, { unbornMs: 0 })).answer, 'evicted');
      assert.equal((await refused(revoked)).answer, undefined);
      assert.equal((await refused(evicted, revoked)).answer, undefined);
      assert.equal((await refused(revoked, evicted)).answer, undefined);
      assert.equal((await refused(evicted, { unbornMs: 3000 })).answer, undefined);
      const living = await stored(repository, {});
      assert.equal(await repository.create(newSession({ credential: living })), undefined);
      assert.deepEqual(await repository.end(living.id, evicted), { user: undefined });
      await elapse(3050);
      assert.equal(typeof (await repository.create(newSession({ credential }))), 'object');
    },
  },
  {
    name: 'ending an id again restarts the time for which it is refused',
    async run({ repository, elapse }) {
      const credential = newCredential();
      await repository.end(credential.id, { unbornMs: 3000 });
      await elapse(1550);
      await repository.end(credential.id, { unbornMs: 3000 });
      await elapse(1550);
      assert.equal(await repository.create(newSession({ credential })), undefined);
    },
  },
  {
    name: 'find returns the session by its id, as a pure read',
    async run({ repository }) {
      const credential = newCredential();
      const device = { label: 'Firefox on Linux', userAgent: 'Mozilla/5.0', address: '192.0.2.1' };
      await repository.create(newSession({ credential, user: 'ada', device }));
      const found = await repository.find(credential.id);
      assert.deepEqual(found?.device, device);
      assert.equal(found.lastAccessedAt, FIRST);
      assertSame(found, await read(repository, credential));
      await repository.delete(credential);
      assert.equal(await repository.find(credential.id), undefined);
    },
  },
];
