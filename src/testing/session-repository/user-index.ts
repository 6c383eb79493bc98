import assert from 'node:assert/strict';
import type { SessionId } from '../../domain/session-token.ts';
import type { ContractCase } from './contract-case.ts';
import { assertBetween, entry, idsOf, newCredential } from './support.ts';

export const userIndex: readonly ContractCase[] = [
  {
    name: "a user's index lists added ids from either end and in pages, until they are removed",
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
    name: 'the index removes very many ids in one call',
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
    name: 'an id that is added again keeps its place',
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
    name: 'the index adds nothing beyond the limit',
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
    name: 'the limit does not count the id that the new one replaces, if it is in the index of this user',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const ids = Array.from({ length: 4 }, () => newCredential().id);
      const [first, second, third, fourth] = ids as [SessionId, SessionId, SessionId, SessionId];
      const stranger = entry({ user: newCredential().id });
      await users.add(stranger);
      const add = (id: SessionId, max: number, replaces: SessionId | undefined) =>
        users.add(entry({ user, id, max, replaces }));
      assert.ok(await add(first, 1, newCredential().id));
      for (const replaces of [undefined, newCredential().id, stranger.id, second]) {
        assert.equal(await add(second, 1, replaces), undefined);
      }
      assert.ok(await add(second, 1, first));
      assert.deepEqual(await idsOf(users, user), [first, second], 'the replaced id stays');
      for (const replaces of [first, second]) {
        assert.equal(await add(third, 1, replaces), undefined, 'only one id is not counted');
      }
      assert.ok(await add(third, 2, second));
      await users.remove(user, [second]);
      assert.equal(await add(fourth, 2, second), undefined, 'it was removed');
      assert.ok(await add(fourth, 3, second));
      assert.deepEqual(await idsOf(users, user), [first, third, fourth]);
    },
  },
  {
    name: 'of many that replace the same id at the same time, the limit lets in one',
    async run({ repository: { users } }) {
      const user = newCredential().id;
      const kept = entry({ user });
      const replaced = entry({ user });
      await users.add(kept);
      await users.add(replaced);
      const entered = await Promise.all(
        Array.from({ length: 10 }, () => users.add(entry({ user, max: 2, replaces: replaced.id }))),
      );
      assert.equal(entered.filter((answer) => answer !== undefined).length, 1);
      assert.equal((await idsOf(users, user)).length, 3);
    },
  },
  {
    name: 'add returns up to three other ids of the user at random, and each of them sooner or later',
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
        assert.ok(looks < 200, 'some id is never returned as part of a sample');
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
    name: 'the index is kept for the longest keepMs of its entries, and no longer',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      await users.add(entry({ user, keepMs: 3000 }));
      await users.add(entry({ user, keepMs: 10 }));
      await elapse(100);
      assert.equal((await idsOf(users, user)).length, 2, 'an index ends as a whole');
      await elapse(3000);
      assert.deepEqual(await idsOf(users, user), []);
    },
  },
  {
    name: 'each entry keeps the index from the moment at which it is entered',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      const first = entry({ user, keepMs: 4000 });
      const second = entry({ user, keepMs: 4000 });
      await users.add(first);
      await elapse(2050);
      await users.add(second);
      await elapse(2050);
      assert.deepEqual(await idsOf(users, user), [first.id, second.id]);
    },
  },
  {
    name: 'an entry that is entered again keeps the index from that moment',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      const again = entry({ user, keepMs: 2800 });
      await users.add(again);
      await elapse(1500);
      await users.add({ ...again, max: 1 });
      await elapse(1500);
      assert.deepEqual(await idsOf(users, user), [again.id]);
      await elapse(1500);
      assert.deepEqual(await idsOf(users, user), []);
    },
  },
  {
    name: 'what is refused for the limit keeps the index no longer',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      await users.add(entry({ user, keepMs: 3000 }));
      assert.equal(await users.add(entry({ user, keepMs: 60_000, max: 1 })), undefined);
      await elapse(3050);
      assert.deepEqual(await idsOf(users, user), []);
    },
  },
  {
    name: 'an index that has ended begins anew: nothing of it is listed, counted or kept',
    async run({ repository: { users }, elapse }) {
      const user = newCredential().id;
      await users.add(entry({ user, keepMs: 1000 }));
      await elapse(1050);
      const later = entry({ user, keepMs: 60_000, max: 1 });
      assert.deepEqual((await users.add(later))?.sample, []);
      assert.deepEqual(await idsOf(users, user), [later.id]);
    },
  },
];
