import assert from 'node:assert/strict';
import { nodeSecrets } from '../../adapters/node/node-secrets.ts';
import { mintSecret } from '../../domain/session-token.ts';
import type { ContractCase } from './contract-case.ts';
import {
  access,
  always,
  assertAbsent,
  assertBetween,
  assertSame,
  create,
  FIRST,
  LATER,
  newCredential,
  newSession,
  read,
  stored,
  use,
} from './support.ts';

export const readingAndExpiry: readonly ContractCase[] = [
  {
    name: 'read changes neither the expiry nor the last access',
    async run({ repository, elapse }) {
      const credential = await stored(repository, {});
      await elapse(1200);
      const first = await read(repository, credential);
      assert.equal(first?.lastAccessedAt, FIRST);
      assert.ok(first.remainingMs <= 59_500);
      const second = await read(repository, credential);
      assert.ok(second && second.remainingMs <= first.remainingMs);
    },
  },
  {
    name: 'access slides the expiry, records the last access, and returns both',
    async run({ repository, elapse }) {
      const credential = await stored(repository, {});
      await elapse(1200);
      const session = await access(repository, credential, always);
      assert.equal(session?.lastAccessedAt, LATER);
      assert.equal(session.createdAt, FIRST);
      assert.ok(session.remainingMs > 59_000);
      assertSame(await read(repository, credential), session);
    },
  },
  {
    name: 'access within refreshAfterMs of the last slide is a pure read',
    async run({ repository, elapse }) {
      const credential = await stored(repository, {});
      const early = await access(repository, credential, { at: LATER, refreshAfterMs: 3000 });
      assert.equal(early?.lastAccessedAt, FIRST);
      await elapse(3050);
      const due = await access(repository, credential, { at: LATER, refreshAfterMs: 3000 });
      assert.equal(due?.lastAccessedAt, LATER);
      assert.ok(due.remainingMs > 59_000);
    },
  },
  {
    name: 'access within refreshAfterMs slides a session that has less than half its ttl left',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 6 });
      const early = await access(repository, credential, { at: LATER, refreshAfterMs: 60_000 });
      assert.equal(early?.lastAccessedAt, FIRST);
      await elapse(3050);
      const due = await access(repository, credential, { at: LATER, refreshAfterMs: 60_000 });
      assert.equal(due?.lastAccessedAt, LATER);
      assert.ok(due.remainingMs > 3000, 'it was slid');
    },
  },
  {
    name: 'access close to the end of the lifetime records the last access within refreshAfterMs as well',
    async run({ repository }) {
      const credential = await stored(repository, { ttl: 60, lifetime: 30 });
      const session = await access(repository, credential, { at: LATER, refreshAfterMs: 10_000 });
      assert.equal(session?.lastAccessedAt, LATER);
    },
  },
  {
    name: 'a session ends when its ttl has run out, for every operation',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 1, fields: { n: '1' } });
      await elapse(1050);
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'an id whose session has ended can be created again',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 1, fields: { old: '1' } });
      await elapse(1050);
      const session = await create(repository, newSession({ credential }));
      assert.deepEqual({ ...session?.fields }, {});
    },
  },
  {
    name: 'use keeps a session alive beyond its ttl',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 4 });
      for (let i = 0; i < 2; i += 1) {
        await elapse(2050);
        assert.ok(await access(repository, credential, always));
      }
    },
  },
  {
    name: 'no use carries a session beyond its lifetime',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 60, lifetime: 3 });
      const session = await access(repository, credential, always);
      assertBetween(session?.remainingMs, 1, 3000);
      assert.ok(await repository.setTtl(credential, { ttl: 600, ...use }));
      assertBetween((await read(repository, credential))?.remainingMs, 1, 3000);
      await elapse(3050);
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'the end of the lifetime is returned and never moves',
    async run({ repository, elapse }) {
      const credential = newCredential();
      const created = await create(repository, newSession({ credential, lifetime: 3600 }));
      assert.ok(created?.endsAt);
      await elapse(50);
      assert.equal((await access(repository, credential, always))?.endsAt, created.endsAt);
      await repository.setTtl(credential, { ttl: 5, ...use });
      assert.equal((await read(repository, credential))?.endsAt, created.endsAt);
    },
  },
  {
    name: 'a wrong secret opens nothing and changes nothing',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { n: '1' } });
      await assertAbsent(repository, mintSecret(credential.id, nodeSecrets).credential);
      const session = await read(repository, credential);
      assert.deepEqual({ ...session?.fields }, { n: '1' });
      assert.equal(session?.lastAccessedAt, FIRST);
    },
  },
  {
    name: 'an id that never existed is absent, and asking creates nothing',
    async run({ repository }) {
      const credential = newCredential();
      await assertAbsent(repository, credential);
      assert.ok(await repository.create(newSession({ credential })));
    },
  },
  {
    name: 'setTtl takes effect at once, longer and shorter, and stays',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 60 });
      assert.equal(await repository.setTtl(credential, { ttl: 3600, ...use }), true);
      const longer = await read(repository, credential);
      assert.equal(longer?.ttl, 3600);
      assert.equal(longer.lastAccessedAt, LATER);
      assertBetween(longer.remainingMs, 3_595_000, 3_600_000);
      assert.equal(await repository.setTtl(credential, { ttl: 3, ...use }), true);
      assertBetween((await access(repository, credential, always))?.remainingMs, 1, 3000);
      await elapse(3050);
      await assertAbsent(repository, credential);
    },
  },
];
