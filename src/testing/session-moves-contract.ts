import assert from 'node:assert/strict';
import { nodeSecrets } from '../adapters/node/node-secrets.ts';
import { type Credential, mintSecret, mintSession } from '../domain/session-token.ts';
import type { MovableRepository, SessionCopy } from '../ports/session-moves.ts';

/** The two repositories under test, between which sessions move. */
export interface MovesSubject {
  /** The repository that sessions move from. */
  readonly from: MovableRepository;
  /** The repository that sessions move to. */
  readonly to: MovableRepository;
  /** Resolves when at least this many milliseconds have passed on the clocks of both repositories. */
  elapse(ms: number): Promise<void>;
}

/** One promise of the `SessionMoves` port, and its test. */
export interface MovesCase {
  /** The promise in words, for the test runner's report. */
  readonly name: string;
  /** Resolves if the repositories keep the promise, and rejects with an assertion error if they do not. */
  run(subject: MovesSubject): Promise<void>;
}

const FIRST = '2026-04-02T12:34:56+00:00';
const LATER = '2026-04-02T12:40:00+00:00';
const limits = { maxFields: 4, maxTotalBytes: 64 };
const use = { at: LATER, refreshAfterMs: 0 };

/**
 * Everything that a repository must do whose sessions can be moved to another (`SessionMoves`), as test cases for any
 * test runner. The cases are independent, like those of `sessionRepositoryContract`.
 *
 * @example
 * ```ts
 * describe('moving sessions of my store', () => {
 *   const subject = { from: new MyRepository(), to: new MyRepository(), elapse: (ms: number) => sleep(ms) };
 *   for (const { name, run } of sessionMovesContract) it(name, () => run(subject));
 * });
 * ```
 */
export const sessionMovesContract: readonly MovesCase[] = [
  {
    name: 'a frozen session exists, and nothing opens or changes it',
    async run({ from }) {
      const by = await stored(from);
      const before = await from.read(by);
      await frozen(from, by);
      assert.equal(await from.read(by), undefined);
      assert.equal(await from.access(by, use), undefined);
      assert.equal(
        await from.update(by, { set: new Map([['n', '2']]), unset: [], limits, ...use }),
        undefined,
      );
      assert.equal(await from.increment(by, { field: 'n', by: 1, limits, ...use }), undefined);
      assert.equal(await from.take(by, { field: 'n', ...use }), undefined);
      assert.equal(await from.setTtl(by, { ttl: 5, ...use }), undefined);
      assert.equal(await from.rotate(by, rotation()), undefined);
      assert.equal(await from.delete(by), undefined);
      assert.deepEqual(still(await from.find(by.id)), still(before));
      assert.equal(await from.create(newSession(by)), undefined);
    },
  },
  {
    name: 'every credential that opens a session freezes it, and copies it again once it is frozen; no other does',
    async run({ from, elapse }) {
      const old = await stored(from);
      const current = mintSecret(old.id, nodeSecrets).credential;
      await from.rotate(old, { ...rotation(), next: current.secretHash, graceMs: 3000 });
      const stranger = mintSecret(old.id, nodeSecrets).credential;
      assert.equal(await from.moves.freeze(stranger), undefined);
      assert.ok(await from.read(current));
      const copy = await frozen(from, old);
      assert.deepEqual(sorted((await frozen(from, current)).record), sorted(copy.record));
      assert.deepEqual(sorted((await frozen(from, current.id)).record), sorted(copy.record));
      assert.equal(await from.moves.freeze(stranger), undefined);
      await elapse(3050);
      assert.equal(await from.moves.freeze(old), 'reused');
      assert.equal(await from.moves.freeze(mintSession(nodeSecrets).credential), undefined);
    },
  },
  {
    name: 'freeze with resume leaves a session in use open',
    async run({ from }) {
      const by = await stored(from);
      const stranger = mintSecret(by.id, nodeSecrets).credential;
      assert.equal(await from.moves.freeze(by, { resume: true }), 'open');
      assert.equal(await from.moves.freeze(stranger, { resume: true }), undefined);
      assert.ok(await from.read(by));
      await frozen(from, by);
      assert.equal(typeof (await from.moves.freeze(by, { resume: true })), 'object');
      assert.equal(await from.moves.freeze(stranger, { resume: true }), undefined);
    },
  },
  {
    name: 'freeze neither slides nor counts as a use, unless it is given one',
    async run({ from, elapse }) {
      const by = await stored(from);
      await elapse(1200);
      const copy = await frozen(from, by);
      assert.ok(copy.remainingMs <= 58_900);
      assert.equal((await from.find(by.id))?.lastAccessedAt, FIRST);
      const answer = await from.moves.freeze(by, { use });
      assert.ok(typeof answer === 'object' && 'copy' in answer);
      assert.ok(answer.copy.remainingMs > 59_000);
      assert.equal((await from.find(by.id))?.lastAccessedAt, LATER);
    },
  },
  {
    name: 'a frozen session expires, and end by its id reports that it was frozen',
    async run({ from, elapse }) {
      const short = await stored(from, { ttl: 3 });
      const long = await stored(from);
      await frozen(from, short);
      await frozen(from, long);
      await elapse(3050);
      assert.equal(await from.moves.freeze(short), undefined);
      assert.equal(await from.find(short.id), undefined);
      assert.deepEqual(await from.end(long.id, { unbornMs: 0 }), { user: 'ada', frozen: true });
      assert.equal(await from.moves.freeze(long), undefined);
    },
  },
  {
    name: 'a copy that was adopted, released and thawed is the session, with all its data',
    async run({ from, to }) {
      const by = await stored(from, { lifetime: 3600, persistent: true, device: { label: 'x' } });
      const before = await from.read(by);
      const copy = await frozen(from, by);
      const { claim } = copy;
      const adopted = await to.moves.adopt(copy);
      assert.ok(typeof adopted === 'object' && adopted.claim === claim && adopted.isNew);
      assert.deepEqual(still(adopted.session), still(before));
      assert.equal(await to.read(by), undefined);
      assert.equal(await from.moves.release(by.id, claim), true);
      assert.equal(await from.find(by.id), undefined);
      assert.equal(await to.moves.thaw(by.id, claim), true);
      const after = await to.read(by);
      assert.deepEqual(still(after), still(before));
      assert.ok(typeof after === 'object' && after.remainingMs <= copy.remainingMs);
      await from.moves.discard(by.id, claim);
      assert.equal(await from.moves.freeze(by), undefined);
      assert.ok(await to.delete(by));
    },
  },
  {
    name: 'secrets keep their grace during a move, and replaced ones still count as reused',
    async run({ from, to, elapse }) {
      const secrets = [await stored(from)];
      const rotate = async (graceMs: number) => {
        const old = secrets.at(-1) as Credential;
        const next = mintSecret(old.id, nodeSecrets).credential;
        await from.rotate(old, { ...rotation(), next: next.secretHash, graceMs });
        secrets.push(next);
      };
      for (let i = 0; i < 8; i += 1) await rotate(0);
      await rotate(3000);
      const [first, second] = secrets as [Credential, Credential];
      const [graced, current] = secrets.slice(-2) as [Credential, Credential];
      await moved(from, to, graced);
      assert.ok(typeof (await to.read(current)) === 'object');
      assert.ok(typeof (await to.read(graced)) === 'object');
      for (const old of [first, second]) assert.equal(await to.read(old), 'reused');
      await elapse(3050);
      assert.equal(await to.read(graced), 'reused');
      assert.ok(await to.delete(current));
    },
  },
  {
    name: 'of several copies one is adopted',
    async run({ from, to }) {
      const by = await stored(from);
      const copies = await Promise.all([1, 2, 3].map(() => frozen(from, by)));
      const [copy] = copies as [SessionCopy];
      const answers = await Promise.all(copies.map((each) => to.moves.adopt(each)));
      const told = answers.filter((answer) => typeof answer === 'object');
      const claims = new Set(told.map((answer) => answer.claim));
      const [claim = ''] = claims;
      assert.deepEqual([told.length, claims.size], [3, 1]);
      assert.equal(new Set(copies.map((each) => each.claim)).size, 3);
      assert.ok(copies.some((each) => each.claim === claim));
      assert.equal(told.filter(({ isNew }) => isNew).length, 1);
      assert.equal(await to.moves.thaw(by.id, `${claim}?`), false);
      assert.equal(await to.moves.thaw(by.id, claim), true);
      assert.equal(await to.moves.thaw(by.id, claim), false);
      assert.equal(await to.moves.adopt(copy), 'open');
      await to.moves.discard(by.id, claim);
      assert.ok(await to.read(by));
    },
  },
  {
    name: 'a copy does not replace the session that it was made of, which unfreeze finds by its claim',
    async run({ from, to }) {
      const by = await stored(from);
      const copy = await frozen(from, by);
      assert.equal(await to.moves.unfreeze(by.id, copy.claim), false);
      assert.equal(await from.moves.adopt(copy), 'open');
      assert.equal(await from.moves.unfreeze(by.id, copy.claim), true);
      assert.equal(await from.moves.adopt(copy), 'open');
      assert.ok(await from.read(by));
    },
  },
  {
    name: 'nothing is adopted if end has refused the id',
    async run({ from, to }) {
      const by = await stored(from);
      const copy = await frozen(from, by);
      await to.end(by.id, { unbornMs: 60_000 });
      assert.equal(await to.moves.adopt(copy), undefined);
      assert.equal(await to.find(by.id), undefined);
    },
  },
  {
    name: 'a session whose copy was ended before it was thawed is not adopted once more',
    async run({ from, to, elapse }) {
      const by = await stored(from, { user: 'ada' });
      const copy = await frozen(from, by);
      await to.moves.adopt(copy);
      assert.deepEqual(await to.end(by.id, { unbornMs: 0 }), { user: 'ada', frozen: true });
      assert.equal(await to.find(by.id), undefined);
      await elapse(50);
      assert.equal(await to.moves.adopt(await frozen(from, by)), undefined);
      assert.equal(await to.create(newSession(by)), undefined);
      assert.equal(await to.end(by.id, { unbornMs: 0 }), undefined);
    },
  },
  {
    name: 'a frozen session is released to one claim, and freeze returns that claim from then on',
    async run({ from }) {
      const by = await stored(from);
      assert.equal(await from.moves.release(by.id, '1-x.y'), false);
      assert.ok(await from.read(by));
      const { claim } = await frozen(from, by);
      assert.equal(await from.moves.release(by.id, '1-x.y'), false);
      assert.equal(await from.moves.release(by.id, claim), true);
      assert.equal(await from.moves.release(by.id, claim), true);
      assert.equal(await from.moves.release(by.id, '1-x.y'), false);
      assert.equal(await from.moves.unfreeze(by.id, claim), false);
      assert.deepEqual(await from.moves.freeze(by), { claim });
      assert.deepEqual(await from.moves.freeze(by, { resume: true }), { claim });
      assert.equal(await from.read(by), undefined);
      assert.equal(await from.find(by.id), undefined);
      assert.equal(await from.create(newSession(by)), undefined);
      await from.moves.discard(by.id, '1-x.y');
      assert.deepEqual(await from.moves.freeze(by), { claim });
      assert.equal(await from.end(by.id, { unbornMs: 0 }), undefined);
      assert.equal(await from.moves.release(by.id, claim), false);
      assert.ok(await from.create(newSession(by)));
    },
  },
  {
    name: 'unfreeze restores the session, and no earlier copy can be released any more',
    async run({ from, to }) {
      const old = await stored(from);
      const by = mintSecret(old.id, nodeSecrets).credential;
      await from.rotate(old, { ...rotation(), next: by.secretHash, graceMs: 60_000 });
      const before = await from.read(by);
      const first = await frozen(from, by);
      await to.moves.adopt(first);
      assert.equal(await from.moves.unfreeze(by.id, '1-x.y'), false);
      assert.equal(await from.read(by), undefined);
      assert.equal(await from.moves.unfreeze(by.id, first.claim), true);
      assert.equal(await from.moves.unfreeze(by.id, first.claim), false);
      assert.deepEqual(still(await from.read(by)), still(before));
      assert.ok(await from.read(old));
      assert.equal(await from.moves.release(by.id, first.claim), false);
      assert.equal(await from.increment(by, { field: 'n', by: 1, limits, ...use }), 2);
      const second = await frozen(from, by);
      assert.notEqual(second.claim, first.claim);
      assert.equal(await from.moves.release(by.id, first.claim), false);
      const adopted = await to.moves.adopt(second);
      assert.ok(typeof adopted === 'object' && adopted.isNew);
      assert.equal(adopted.session.fields.n, '2');
      const late = await to.moves.adopt(first);
      assert.ok(typeof late === 'object' && !late.isNew && late.claim === second.claim);
      assert.equal(await to.moves.thaw(by.id, first.claim), false);
      assert.equal(await from.moves.release(by.id, second.claim), true);
      assert.equal(await to.moves.thaw(by.id, second.claim), true);
      const session = await to.read(by);
      assert.ok(typeof session === 'object' && session.fields.n === '2');
    },
  },
  {
    name: 'what a release leaves behind expires when the session would have expired',
    async run({ from, elapse }) {
      const by = await stored(from, { ttl: 3 });
      const { claim } = await frozen(from, by);
      await from.moves.release(by.id, claim);
      await elapse(3050);
      assert.equal(await from.moves.freeze(by), undefined);
      assert.ok(await from.create(newSession(by)));
    },
  },
  {
    name: 'a copy that is not thawed cannot be moved further, and is discarded by its claim',
    async run({ from, to }) {
      const by = await stored(from);
      const copy = await frozen(from, by);
      await to.moves.adopt(copy);
      assert.equal(await to.moves.freeze(by), undefined);
      assert.equal(await to.moves.release(by.id, copy.claim), false);
      await to.moves.discard(by.id, '1-x.y');
      assert.ok(await to.find(by.id));
      await to.moves.discard(by.id, copy.claim);
      assert.equal(await to.find(by.id), undefined);
    },
  },
  {
    name: 'a field of a newer release moves with the session',
    async run({ from, to }) {
      const by = await stored(from);
      const { record, ...copy } = await frozen(from, by);
      await from.end(by.id, { unbornMs: 0 });
      const newer = [...record, 'session_something', 'new'];
      await adoptThawed(from, { ...copy, record: newer });
      const again = await moved(from, to, by);
      assert.equal(again.record[again.record.indexOf('session_something') + 1], 'new');
      assert.deepEqual(sorted((await frozen(to, by)).record), sorted(newer));
    },
  },
  {
    name: 'an entry of another index keeps its place, or gets the next free one',
    async run({ to: { users, moves } }) {
      const user = mintSession(nodeSecrets).credential.id;
      const [a, b, c] = [1, 2, 3].map(() => mintSession(nodeSecrets).credential.id);
      assert.ok(a && b && c);
      const newest = (await users.add({ user, id: a, keepMs: 60_000, max: undefined }))?.place ?? 0;
      await moves.enter({ user, id: b, place: newest - 10, endsAt: undefined });
      await moves.enter({ user, id: c, place: newest - 10, endsAt: 1 });
      await moves.enter({ user, id: a, place: 5, endsAt: 1 });
      const listed = await users.list(user, { from: 'oldest', limit: 9 });
      assert.deepEqual(
        listed.map(({ id, place }) => [id, place]),
        [
          [b, newest - 10],
          [c, newest - 9],
          [a, newest],
        ],
      );
      assert.equal(await moves.placeOf(user, c), newest - 9);
      assert.equal(await moves.placeOf(user, mintSession(nodeSecrets).credential.id), undefined);
      assert.equal(await moves.placeOf(`${user}?`, c), undefined);
    },
  },
  {
    name: 'now is the clock of the store',
    async run({ from, elapse }) {
      const before = await from.moves.now();
      await elapse(50);
      const passed = (await from.moves.now()) - before;
      assert.ok(passed >= 45 && passed < 10_000, String(passed));
    },
  },
];

function newSession(credential: Credential) {
  return {
    ...{ credential, user: 'ada', fields: new Map([['n', '1']]), ttl: 60, lifetime: undefined },
    ...{ device: {}, persistent: false, at: FIRST },
  };
}

async function stored(repository: MovableRepository, session: object = {}): Promise<Credential> {
  const { credential } = mintSession(nodeSecrets);
  const created = await repository.create({ ...newSession(credential), ...session });
  assert.ok(typeof created === 'object');
  return credential;
}

async function frozen(
  repository: MovableRepository,
  by: Parameters<MovableRepository['moves']['freeze']>[0],
): Promise<SessionCopy> {
  const answer = await repository.moves.freeze(by);
  assert.ok(typeof answer === 'object' && 'copy' in answer);
  return answer.copy;
}

async function adoptThawed(repository: MovableRepository, copy: SessionCopy): Promise<void> {
  assert.equal(typeof (await repository.moves.adopt(copy)), 'object');
  assert.equal(await repository.moves.thaw(copy.id, copy.claim), true);
}

async function moved(from: MovableRepository, to: MovableRepository, by: Credential) {
  const copy = await frozen(from, by);
  assert.equal(typeof (await to.moves.adopt(copy)), 'object');
  assert.equal(await from.moves.release(by.id, copy.claim), true);
  assert.equal(await to.moves.thaw(by.id, copy.claim), true);
  return copy;
}

function rotation() {
  const next = mintSession(nodeSecrets).credential.secretHash;
  return { next, graceMs: 0, reauthenticated: undefined, at: LATER };
}

/** Without the part that changes with time alone. */
function still(session: unknown): object {
  assert.ok(typeof session === 'object');
  return { ...session, remainingMs: 0 };
}

function sorted(record: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < record.length; i += 2) lines.push(`${record[i]}=${record[i + 1]}`);
  return lines.sort();
}
