import assert from 'node:assert/strict';
import { nodeSecrets } from '../adapters/node/node-secrets.ts';
import { mintSession } from '../domain/session-token.ts';
import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';

/** The journal under test. */
export interface JournalSubject {
  /** Must be set to keep `JOURNAL_CONTRACT_MAX_ENTRIES` entries per user. */
  readonly journal: SessionJournal;
}

/** One promise of the `SessionJournal` port, and its test. */
export interface JournalContractCase {
  /** The promise in words, for the test runner's report. */
  readonly name: string;
  /** Resolves if the journal keeps the promise, and rejects with an assertion error if it does not. */
  run(subject: JournalSubject): Promise<void>;
}

/** The number of entries per user that the journal under test must be set to keep. */
export const JOURNAL_CONTRACT_MAX_ENTRIES = 250;

const AT = Date.parse('2026-04-02T12:34:56.789Z');
const HOSTILE = 'ada:{x}\r\n\u001b[2J\u202e"<b>*[?] \u{1f469}\u200d\u{1f467}';

/**
 * Everything that a journal must do, as test cases for any test runner. The cases are independent: they may run on one
 * journal, one after the other or concurrently.
 *
 * @example
 * ```ts
 * describe('my journal', () => {
 *   const journal = new MyJournal({ maxEntries: JOURNAL_CONTRACT_MAX_ENTRIES });
 *   for (const { name, run } of sessionJournalContract) it(name, () => run({ journal }));
 * });
 * ```
 */
export const sessionJournalContract: readonly JournalContractCase[] = [
  {
    name: 'read returns nothing for a user without entries',
    async run({ journal }) {
      assert.deepEqual(await journal.read(newUser()), []);
      assert.equal(await journal.erase(newUser()), 0);
    },
  },
  {
    name: 'read returns what was added, newest first, with all its properties',
    async run({ journal }) {
      const user = newUser();
      const sessionId = newId();
      const device = { label: 'Firefox on Linux', userAgent: 'Firefox/130', address: '192.0.2.1' };
      const entries: JournalEntry[] = [
        { at: AT, event: 'started', sessionId, device, endsAt: AT + 1000, requestId: 'r-1' },
        { at: AT + 1, event: 'started', sessionId, device: { label: 'Phone' } },
        { at: AT + 2, event: 'rotated', sessionId },
        { at: AT + 3, event: 'reused', sessionId, requestId: 'r-2' },
        { at: AT + 4, event: 'ended', sessionId, why: 'logout', by: 'user' },
        { at: AT + 5, event: 'ended', sessionId, why: 'revoked', by: 'user', everywhere: true },
        { at: AT + 6, event: 'ended', sessionId, why: 'evicted', by: 'policy' },
        { at: AT + 7, event: 'ended', sessionId, why: 'revoked', by: 'cli ada' },
      ];
      for (const entry of entries) await journal.append(user, entry);
      assert.deepEqual((await journal.read(user)).map(said), entries.toReversed());
    },
  },
  {
    name: 'any text as user, actor, device and request is kept unchanged, and users are never mixed up',
    async run({ journal }) {
      const own = newUser();
      const users = [own + HOSTILE, `${own}:${own}`, `${own}*`, `${own}{a}`, '__proto__', own];
      const entries = users.map((user) => ({
        ...started(),
        ...{ by: user, device: { label: user }, requestId: user },
      }));
      for (const [i, user] of users.entries()) {
        await journal.erase(user);
        await journal.append(user, entries[i] ?? started());
      }
      for (const [i, user] of users.entries()) {
        assert.deepEqual((await journal.read(user)).map(said), [entries[i]]);
      }
      for (const user of users) assert.equal(await journal.erase(user), 1);
    },
  },
  {
    name: 'read returns entries in the order in which they were added, whatever clocks wrote their times',
    async run({ journal }) {
      const user = newUser();
      for (const at of [AT + 5000, AT, AT + 1000]) await journal.append(user, started(at));
      const answered = (await journal.read(user)).map(({ at }) => at);
      assert.deepEqual(answered, [AT + 1000, AT, AT + 5000]);
    },
  },
  {
    name: 'read returns at most a hundred entries or `limit`, and only those from `since` on',
    async run({ journal }) {
      const user = newUser();
      for (let i = 0; i < 230; i += 1) await journal.append(user, started(AT + i));
      const times = async (query?: Parameters<SessionJournal['read']>[1]) =>
        (await journal.read(user, query)).map(({ at }) => at - AT);
      const newest = Array.from({ length: 230 }, (_, i) => 229 - i);
      assert.deepEqual(await times(), newest.slice(0, 100));
      assert.deepEqual(await times({ limit: 3 }), [229, 228, 227]);
      assert.deepEqual(await times({ limit: 1000 }), newest);
      assert.deepEqual(await times({ limit: 1000, since: AT + 10 }), newest.slice(0, 220));
      assert.deepEqual(await times({ limit: 2, since: AT + 228 }), [229, 228]);
      assert.deepEqual(await times({ since: AT + 230 }), []);
    },
  },
  {
    name: 'the oldest entries are removed when there are too many',
    async run({ journal }) {
      const user = newUser();
      const count = JOURNAL_CONTRACT_MAX_ENTRIES + 30;
      for (let i = 0; i < count; i += 1) await journal.append(user, started(AT + i));
      const kept = await journal.read(user, { limit: 1000 });
      assert.equal(kept.length, JOURNAL_CONTRACT_MAX_ENTRIES);
      assert.equal(kept[0]?.at, AT + count - 1);
      assert.equal(kept.at(-1)?.at, AT + 30);
    },
  },
  {
    name: 'all concurrent entries are kept',
    async run({ journal }) {
      const user = newUser();
      const entries = Array.from({ length: 50 }, (_, i) => started(AT + i));
      await Promise.all(entries.map((entry) => journal.append(user, entry)));
      const kept = new Set((await journal.read(user)).map(({ sessionId }) => sessionId));
      assert.deepEqual(kept, new Set(entries.map(({ sessionId }) => sessionId)));
    },
  },
  {
    name: 'erase deletes all entries of one user, returns how many there were, and allows new ones',
    async run({ journal }) {
      const [user, other] = [newUser(), newUser()];
      for (const whose of [user, user, user, other]) await journal.append(whose, started());
      assert.equal(await journal.erase(user), 3);
      assert.deepEqual(await journal.read(user), []);
      assert.equal(await journal.erase(user), 0);
      assert.equal((await journal.read(other)).length, 1);
      await journal.append(user, started());
      assert.equal((await journal.read(user)).length, 1);
    },
  },
];

function newUser(): string {
  return `user ${newId()}`;
}

function newId() {
  return mintSession(nodeSecrets).credential.id;
}

function started(at = AT): JournalEntry {
  return { at, event: 'started', sessionId: newId() };
}

/** The entry without properties that are `undefined`: these count as missing. */
function said(entry: JournalEntry): unknown {
  return JSON.parse(JSON.stringify(entry));
}
