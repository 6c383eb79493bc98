import assert from 'node:assert/strict';
import { nodeSecrets } from '../adapters/node/node-secrets.ts';
import { mintSession } from '../domain/session-token.ts';
import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';

/** A journal under test. */
export interface JournalSubject {
  /** Keeps `JOURNAL_CONTRACT_MAX_ENTRIES` entries of a user. */
  readonly journal: SessionJournal;
}

/** One sentence of the port, and what proves it. It rejects with an assertion error. */
export interface JournalContractCase {
  readonly name: string;
  /** Resolves if the journal keeps the sentence. */
  run(subject: JournalSubject): Promise<void>;
}

/** How many entries of a user the journal under test must keep. */
export const JOURNAL_CONTRACT_MAX_ENTRIES = 250;

const AT = Date.parse('2026-04-02T12:34:56.789Z');
const HOSTILE = 'ada:{x}\r\n\u001b[2J\u202e"<b>*[?] \u{1f469}\u200d\u{1f467}';

/**
 * What every journal promises, as tests that need no test runner: register each case with yours. The cases share nothing and may
 * run on one journal, one after the other or at once.
 */
export const sessionJournalContract: readonly JournalContractCase[] = [
  {
    name: 'read answers nothing of a user of whom nothing is kept',
    async run({ journal }) {
      assert.deepEqual(await journal.read(newUser()), []);
      assert.equal(await journal.erase(newUser()), 0);
    },
  },
  {
    name: 'read answers what was added, newest first, with everything that was said',
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
    name: 'any user, actor, device and request is kept as it is, and mixed up with nobody',
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
    name: 'read answers the order in which entries were added, whatever the clocks of who wrote them said',
    async run({ journal }) {
      const user = newUser();
      for (const at of [AT + 5000, AT, AT + 1000]) await journal.append(user, started(at));
      const answered = (await journal.read(user)).map(({ at }) => at);
      assert.deepEqual(answered, [AT + 1000, AT, AT + 5000]);
    },
  },
  {
    name: 'read answers a hundred entries at most, or as many as are asked for, and only those since then',
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
    name: 'the oldest entries make room where there are too many',
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
    name: 'concurrent entries are all kept',
    async run({ journal }) {
      const user = newUser();
      const entries = Array.from({ length: 50 }, (_, i) => started(AT + i));
      await Promise.all(entries.map((entry) => journal.append(user, entry)));
      const kept = new Set((await journal.read(user)).map(({ sessionId }) => sessionId));
      assert.deepEqual(kept, new Set(entries.map(({ sessionId }) => sessionId)));
    },
  },
  {
    name: 'erase forgets all of one user, answers how many entries there were, and lets new ones be added',
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

/** The entry without what it does not say: `undefined` and a missing name are one. */
function said(entry: JournalEntry): unknown {
  return JSON.parse(JSON.stringify(entry));
}
