import assert from 'node:assert/strict';
import { nodeSecrets } from '../adapters/node/node-secrets.ts';
import type { Session } from '../domain/session.ts';
import type { SessionId } from '../domain/session-token.ts';
import { type Credential, mintSecret, mintSession } from '../domain/session-token.ts';
import type {
  Absent,
  EndOptions,
  NewSession,
  Rotation,
  SessionRepository,
} from '../ports/session-repository.ts';
import type { IndexPage, NewIndexEntry, UserIndex } from '../ports/user-index.ts';

/** A repository under test, and a way to let its own clock go on. */
export interface Subject {
  readonly repository: SessionRepository;
  /** Resolves when at least so many milliseconds have passed for the repository. */
  elapse(ms: number): Promise<void>;
}

/** One sentence of the port, and what proves it. It rejects with an assertion error. */
export interface ContractCase {
  readonly name: string;
  /** Resolves if the repository keeps the sentence. */
  run(subject: Subject): Promise<void>;
}

const FIRST = '2026-04-02T12:34:56+00:00';
const LATER = '2026-04-02T12:40:00+00:00';
/** What a rotation answers for a session without a user. */
const NOBODYS = { user: undefined };
const limits = { maxFields: 4, maxTotalBytes: 64 };
const use = { at: LATER };
const always = { at: LATER, refreshAfterMs: 0 };

/**
 * What every storage adapter promises, as tests that need no test runner: register each case with yours. The cases
 * share nothing and may run on one repository, one after the other or at once.
 */
export const sessionRepositoryContract: readonly ContractCase[] = [
  {
    name: 'create answers the session as it was stored',
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
    name: 'create refuses an id that is taken and leaves what is there alone',
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
    name: 'values come back as they were written, whatever text they are',
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
    name: 'read moves neither the expiry nor the last access',
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
    name: 'access slides the expiry and records the last access, and answers both',
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
      const early = await access(repository, credential, { at: LATER, refreshAfterMs: 1000 });
      assert.equal(early?.lastAccessedAt, FIRST);
      await elapse(1200);
      const due = await access(repository, credential, { at: LATER, refreshAfterMs: 1000 });
      assert.equal(due?.lastAccessedAt, LATER);
      assert.ok(due.remainingMs > 59_000);
    },
  },
  {
    name: 'access within refreshAfterMs slides a session that has less than half its ttl left',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 2 });
      const early = await access(repository, credential, { at: LATER, refreshAfterMs: 60_000 });
      assert.equal(early?.lastAccessedAt, FIRST);
      await elapse(1200);
      const due = await access(repository, credential, { at: LATER, refreshAfterMs: 60_000 });
      assert.equal(due?.lastAccessedAt, LATER);
      assert.ok(due.remainingMs > 1500);
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
      const credential = await stored(repository, { ttl: 1 });
      for (let i = 0; i < 3; i += 1) {
        await elapse(500);
        assert.ok(await access(repository, credential, always));
      }
    },
  },
  {
    name: 'no use carries a session beyond its lifetime',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 60, lifetime: 1 });
      const session = await access(repository, credential, always);
      assertBetween(session?.remainingMs, 1, 1000);
      assert.ok(await repository.setTtl(credential, { ttl: 600, ...use }));
      assertBetween((await read(repository, credential))?.remainingMs, 1, 1000);
      await elapse(1050);
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'the end of the lifetime is told and never moves',
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
    name: 'an id that never was is absent, and asking creates nothing',
    async run({ repository }) {
      const credential = newCredential();
      await assertAbsent(repository, credential);
      assert.ok(await repository.create(newSession({ credential })));
    },
  },
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
    name: 'update sets and removes single fields, touches no others, and slides',
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
    name: 'update removes ten thousand names at once, whether there are such fields or not',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { 0: '1', kept: '2', 9999: '3' } });
      const unset = Array.from({ length: 10_000 }, (_, i) => String(i));
      const change = { set: new Map(), unset, limits, ...use };
      assert.equal(await repository.update(credential, change), true);
      assert.deepEqual({ ...(await read(repository, credential))?.fields }, { kept: '2' });
    },
  },
  {
    name: 'an update of nothing is a use',
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
    name: 'update refuses more fields or bytes than the limits and changes nothing',
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
    name: 'increment is exact up to the ends of the safe-integer range and refuses what lies beyond',
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
      for (const n of ['9007199254740992', '-9007199254740992', '9'.repeat(50)]) {
        const credential = await stored(repository, { fields: { n } });
        const answer = await repository.increment(credential, {
          field: 'n',
          by: -1,
          limits,
          ...use,
        });
        assert.equal(answer, 'out_of_range', n);
      }
      const credential = await stored(repository, { fields: { n: 'x' } });
      await elapse(1200);
      await repository.increment(credential, { field: 'n', by: 1, limits, ...use });
      assert.ok(((await read(repository, credential))?.remainingMs ?? 0) <= 59_500);
    },
  },
  {
    name: 'increment refuses to pass the limits',
    async run({ repository }) {
      const credential = await stored(repository, { fields: { a: '', b: '', c: '', d: '' } });
      const answer = await repository.increment(credential, { field: 'n', by: 1, limits, ...use });
      assert.equal(answer, 'too_many_fields');
    },
  },
  {
    name: 'replace writes only over the expected value, and slides when it does',
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
    name: 'take answers and removes a field, and slides',
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
  {
    name: 'a user makes the creation an authentication, and persistent is kept',
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
  {
    name: 'end ends the session of that id, once, whatever its secret is',
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
    name: 'what ended a session learns whose it was',
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
    name: 'end of an id with no session lets nobody create one for a while, if asked to, and only then',
    async run({ repository, elapse }) {
      const credential = newCredential();
      assert.equal(await repository.end(credential.id, { unbornMs: 1000 }), undefined);
      await assertAbsent(repository, credential);
      assert.equal(await repository.find(credential.id), undefined);
      assert.equal(await repository.end(credential.id, { unbornMs: 1000 }), undefined);
      assert.equal(await repository.create(newSession({ credential })), undefined);
      await elapse(1050);
      assert.equal(await repository.end(credential.id, { unbornMs: 0 }), undefined);
      assert.ok(await repository.create(newSession({ credential })));
    },
  },
  {
    name: 'create tells an id that was evicted before its session existed from one that was revoked, and creates neither',
    async run({ repository, elapse }) {
      const evicted = { unbornMs: 1000, unbornAs: 'evicted' } as const;
      const revoked = { unbornMs: 1000, unbornAs: 'revoked' } as const;
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
      assert.equal((await refused(evicted, { unbornMs: 1000 })).answer, undefined);
      const living = await stored(repository, {});
      assert.equal(await repository.create(newSession({ credential: living })), undefined);
      assert.deepEqual(await repository.end(living.id, evicted), { user: undefined });
      await elapse(1050);
      assert.equal(typeof (await repository.create(newSession({ credential }))), 'object');
    },
  },
  {
    name: 'an id that is refused once more is refused for as long from then on',
    async run({ repository, elapse }) {
      const credential = newCredential();
      await repository.end(credential.id, { unbornMs: 3000 });
      await elapse(2000);
      await repository.end(credential.id, { unbornMs: 3000 });
      await elapse(2000);
      assert.equal(await repository.create(newSession({ credential })), undefined);
    },
  },
  {
    name: 'find shows the session to who knows the id, by a pure read',
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
  {
    name: "a user's index lists what was entered, from either end and in pages, until it is removed",
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      const ids = Array.from({ length: 5 }, () => newCredential().id);
      const places: number[] = [];
      for (const id of ids)
        places.push((await users.add(entry({ user, id })))?.place ?? Number.NaN);
      assert.ok(
        places.every(
          (place, i) => Number.isSafeInteger(place) && !(place <= (places[i - 1] ?? -1)),
        ),
      );
      await elapse(20);
      const entries = await users.list(user, { from: 'oldest', limit: 1000 });
      assert.deepEqual(
        entries.map(({ id, place }) => [id, place]),
        ids.map((id, i) => [id, places[i]]),
      );
      for (const { ageMs } of entries) assertBetween(ageMs, 1, 5000);
      for (const limit of [1, 2, 5, 9]) {
        assert.deepEqual(await idsOf(users, user, { from: 'oldest', limit }), ids.slice(0, limit));
        assert.deepEqual(
          await idsOf(users, user, { from: 'newest', limit }),
          ids.toReversed().slice(0, limit),
        );
      }
      const [, second, third] = places;
      assert.deepEqual(
        await idsOf(users, user, { from: 'oldest', beyond: second, limit: 2 }),
        ids.slice(2, 4),
      );
      assert.deepEqual(await idsOf(users, user, { from: 'newest', beyond: third, limit: 9 }), [
        ids[1],
        ids[0],
      ]);
      assert.deepEqual(
        await idsOf(users, user, { from: 'oldest', beyond: places[4], limit: 9 }),
        [],
      );
      assert.deepEqual(
        await idsOf(users, user, { from: 'newest', beyond: places[0], limit: 9 }),
        [],
      );

      await users.remove(user, ids.slice(1, 4));
      assert.deepEqual(await idsOf(users, user), [ids[0], ids[4]]);
      assert.deepEqual(await idsOf(users, user, { from: 'oldest', beyond: second, limit: 9 }), [
        ids[4],
      ]);
      assert.deepEqual(await idsOf(users, user, { from: 'newest', beyond: third, limit: 9 }), [
        ids[0],
      ]);
      await users.remove(user, []);
      await users.remove(user, [...ids, newCredential().id]);
      assert.deepEqual(await idsOf(users, user), []);
      assert.deepEqual(await idsOf(users, newCredential().id), []);
    },
  },
  {
    name: 'the index removes very many ids at once',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const kept = newCredential().id;
      const ids = Array.from({ length: 1200 }, () => newCredential().id);
      await users.add(entry({ user, id: kept }));
      for (let i = 0; i < ids.length; i += 50) {
        await Promise.all(ids.slice(i, i + 50).map((id) => users.add(entry({ user, id }))));
      }
      const strangers = Array.from({ length: 150_000 }, (_, i) => `stranger ${i}` as SessionId);
      await users.remove(user, [...strangers, ...ids]);
      assert.deepEqual(await idsOf(users, user), [kept]);
    },
  },
  {
    name: 'an id that is entered again stays where it is',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const ids = Array.from({ length: 3 }, () => newCredential().id);
      const [first, second] = ids as [SessionId, SessionId];
      const before = [];
      for (const id of ids) before.push((await users.add(entry({ user, id })))?.place);
      assert.equal((await users.add(entry({ user, id: first })))?.place, before[0]);
      assert.equal((await users.add(entry({ user, id: second, max: 1 })))?.place, before[1]);
      assert.deepEqual(await idsOf(users, user), ids);
    },
  },
  {
    name: 'the index enters nothing beyond the limit',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const ids = Array.from({ length: 4 }, () => newCredential().id);
      const [first, second, third, fourth] = ids as [SessionId, SessionId, SessionId, SessionId];
      const add = (id: SessionId, max: number | undefined) => users.add(entry({ user, id, max }));
      assert.ok(await add(first, 2));
      assert.ok(await add(second, 2));
      assert.equal(await add(third, 2), undefined);
      assert.equal(await add(third, 1), undefined);
      assert.deepEqual(await idsOf(users, user), [first, second]);
      assert.ok(await add(third, undefined));
      assert.equal(await add(fourth, 3), undefined);
      assert.ok(await add(fourth, 4));
      assert.deepEqual(await idsOf(users, user), ids);
    },
  },
  {
    name: 'whoever enters an id is shown others of the user at random, each at times and three at most',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const ids = Array.from({ length: 4 }, () => newCredential().id);
      const places = new Map<SessionId, number>();
      for (const [i, id] of ids.entries()) {
        const entered = await users.add(entry({ user, id }));
        if (i === 0) assert.deepEqual(entered?.sample, []);
        places.set(id, entered?.place ?? -1);
      }
      await users.add(entry({ user: newCredential().id }));
      const met = new Set<SessionId>();
      for (let looks = 0; met.size < ids.length; looks += 1) {
        assert.ok(looks < 200, 'each is shown at times');
        const id = newCredential().id;
        const sample = (await users.add(entry({ user, id })))?.sample ?? [];
        await users.remove(user, [id]);
        assert.ok(sample.length <= 3);
        assert.equal(new Set(sample.map((shown) => shown.id)).size, sample.length);
        for (const shown of sample) {
          assert.equal(shown.place, places.get(shown.id));
          assertBetween(shown.ageMs, 0, 60_000);
          met.add(shown.id);
        }
      }
    },
  },
  {
    name: 'the index is kept for as long as the longest entry asked for, and no longer',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      await users.add(entry({ user, keepMs: 1000 }));
      await users.add(entry({ user, keepMs: 10 }));
      await elapse(100);
      assert.equal((await idsOf(users, user)).length, 2);
      await elapse(1000);
      assert.deepEqual(await idsOf(users, user), []);
    },
  },
  {
    name: 'rotate without grace: the next secret opens the session with all its data, the old one nothing',
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
    name: 'rotate answers whose session it is',
    async run({ repository }) {
      const credential = newCredential();
      await repository.create(newSession({ credential, user: 'ada' }));
      assert.deepEqual(await repository.rotate(credential, rotation({})), { user: 'ada' });
    },
  },
  {
    name: 'rotate with grace: the old secret reads and writes until the grace ends, and is then reused',
    async run({ repository, elapse }) {
      const old = await stored(repository, { fields: { n: '1' } });
      const next = mintSecret(old.id, nodeSecrets).credential;
      assert.deepEqual(
        await repository.rotate(old, rotation({ next: next.secretHash, graceMs: 1000 })),
        NOBODYS,
      );
      assert.equal((await access(repository, old))?.fields.n, '1');
      assert.equal(await repository.increment(old, { field: 'n', by: 1, limits, ...use }), 2);
      assert.equal(await repository.rotate(old, rotation({})), false);
      assert.equal((await read(repository, next))?.fields.n, '2');
      await elapse(1050);
      await assertAbsent(repository, old, 'reused');
      assert.equal((await read(repository, next))?.fields.n, '2');
    },
  },
  {
    name: 'a second rotation closes the session to the secret before the last, which is reused after its grace',
    async run({ repository, elapse }) {
      const first = await stored(repository, {});
      const second = mintSecret(first.id, nodeSecrets).credential;
      const third = mintSecret(first.id, nodeSecrets).credential;
      await repository.rotate(first, rotation({ next: second.secretHash, graceMs: 2000 }));
      await repository.rotate(second, rotation({ next: third.secretHash, graceMs: 60_000 }));
      await assertAbsent(repository, first);
      assert.ok(await read(repository, second));
      assert.ok(await read(repository, third));
      const fourth = mintSecret(first.id, nodeSecrets).credential;
      await repository.rotate(third, rotation({ next: fourth.secretHash }));
      await elapse(2050);
      await assertAbsent(repository, third, 'reused');
      assert.ok(await read(repository, fourth));
    },
  },
  {
    name: 'each secret that one of the last nine rotations replaced is reused, and one that never opened the session is not',
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
    name: 'of concurrent rotations with grace exactly one wins, and the others are told so',
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
    name: 'a logout with the old secret in its grace ends the session for the next one as well',
    async run({ repository }) {
      const old = await stored(repository, {});
      const next = mintSecret(old.id, nodeSecrets).credential;
      await repository.rotate(old, rotation({ next: next.secretHash, graceMs: 60_000 }));
      assert.deepEqual(await repository.delete(old), { user: undefined });
      await assertAbsent(repository, next);
    },
  },
  {
    name: 'a re-authentication is of now and begins the lifetime anew; a mere rotation does neither',
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
  {
    name: 'setTtl takes effect at once, longer and shorter, and stays',
    async run({ repository, elapse }) {
      const credential = await stored(repository, { ttl: 60 });
      assert.equal(await repository.setTtl(credential, { ttl: 3600, ...use }), true);
      const longer = await read(repository, credential);
      assert.equal(longer?.ttl, 3600);
      assert.equal(longer.lastAccessedAt, LATER);
      assertBetween(longer.remainingMs, 3_595_000, 3_600_000);
      assert.equal(await repository.setTtl(credential, { ttl: 1, ...use }), true);
      assertBetween((await access(repository, credential, always))?.remainingMs, 1, 1000);
      await elapse(1050);
      await assertAbsent(repository, credential);
    },
  },
  {
    name: 'what is done durably is done for everybody, and answered as always',
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
    name: 'to wait for replicas neither moves the expiry nor brings anything into being',
    async run({ repository, elapse }) {
      const durability = { replicas: 1, timeoutMs: 20 };
      const credential = await stored(repository, { ttl: 1 });
      const found = await repository.durably(durability, (own) => own.find(credential.id));
      assertBetween(found.answer?.remainingMs, 1, 1000);
      assertBetween((await read(repository, credential))?.remainingMs, 1, 1000);
      await elapse(1050);
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
    name: 'what fails while it is done durably fails for the caller, and what was done before stays done',
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

function newCredential(): Credential {
  return mintSession(nodeSecrets).credential;
}

function newSession(session: Partial<NewSession>): NewSession {
  return {
    credential: newCredential(),
    user: undefined,
    fields: new Map(),
    ttl: 60,
    lifetime: undefined,
    device: {},
    persistent: false,
    at: FIRST,
    ...session,
  };
}

async function stored(
  repository: SessionRepository,
  { fields = {}, ...session }: { fields?: Record<string, string>; ttl?: number; lifetime?: number },
): Promise<Credential> {
  const credential = newCredential();
  await repository.create(
    newSession({ credential, fields: new Map(Object.entries(fields)), ...session }),
  );
  return credential;
}

/** A creation of a session whose id nobody has ended. */
async function create(
  repository: SessionRepository,
  session: NewSession,
): Promise<Session | undefined> {
  const answer = await repository.create(session);
  assert.notEqual(answer, 'evicted');
  return answer as Session | undefined;
}

/** A look at a session; an old secret after its grace has no business in the tests that take it. */
async function read(
  repository: SessionRepository,
  credential: Credential,
): Promise<Session | undefined> {
  const answer = await repository.read(credential);
  assert.notEqual(answer, 'reused');
  return answer as Session | undefined;
}

async function access(
  repository: SessionRepository,
  credential: Credential,
  how = always,
): Promise<Session | undefined> {
  const answer = await repository.access(credential, how);
  assert.notEqual(answer, 'reused');
  return answer as Session | undefined;
}

function taken(answer: { readonly value: string | undefined } | Absent): string | undefined {
  return typeof answer === 'object' ? answer.value : undefined;
}

async function idsOf(
  users: UserIndex,
  user: string,
  page: IndexPage = { from: 'oldest', limit: 1000 },
): Promise<SessionId[]> {
  return (await users.list(user, page)).map(({ id }) => id);
}

function entry(entry: Partial<NewIndexEntry> & { readonly user: string }): NewIndexEntry {
  return { id: newCredential().id, keepMs: 60_000, max: undefined, ...entry };
}

function rotation(rotation: Partial<Rotation>): Rotation {
  const next = newCredential().secretHash;
  return { next, graceMs: 0, reauthenticated: undefined, ...use, ...rotation };
}

async function assertAbsent(
  repository: SessionRepository,
  credential: Credential,
  absent: Absent = undefined,
): Promise<void> {
  const set = new Map([['n', '1']]);
  assert.equal(await repository.read(credential), absent);
  assert.equal(await repository.access(credential, always), absent);
  assert.equal(await repository.update(credential, { set, unset: [], limits, ...use }), absent);
  assert.equal(
    await repository.increment(credential, { field: 'n', by: 1, limits, ...use }),
    absent,
  );
  const change = { field: 'n', expected: '1', next: '2', limits, ...use };
  assert.equal(await repository.replace(credential, change), absent);
  assert.equal(await repository.take(credential, { field: 'n', ...use }), absent);
  assert.equal(await repository.setTtl(credential, { ttl: 60, ...use }), absent);
  assert.equal(await repository.rotate(credential, rotation({})), absent);
  assert.equal(await repository.delete(credential), absent);
  assert.equal(await repository.read(credential), absent);
}

/** The same session but for the time that passed between two looks. */
function assertSame(actual: object | undefined, expected: object | undefined): void {
  assert.deepEqual({ ...actual, remainingMs: 0 }, { ...expected, remainingMs: 0 });
}

function assertBetween(actual: number | undefined, least: number, most: number): void {
  assert.ok(
    actual !== undefined && actual >= least && actual <= most,
    `${actual} is not from ${least} to ${most}`,
  );
}
