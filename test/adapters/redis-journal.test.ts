import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { type JournalEntry, parseSessionId } from '../../src/index.ts';
import { RedisJournal } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

const DAY_MS = 24 * 3600 * 1000;
const KEY = 'session:journal:ada';

describeWithServers('the journal in Redis', () => {
  let redis: RedisServer;
  let client: Redis;
  let entry: JournalEntry;

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    client = new Redis(redis.url);
    const sessionId = parseSessionId('A'.repeat(22));
    if (sessionId === undefined) throw new Error('That is an id.');
    entry = { at: Date.now(), event: 'started', sessionId };
  });
  beforeEach(async () => {
    await client.flushall();
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  it('has an expiry at once, and each entry renews it', async () => {
    const journal = new RedisJournal({ client, keepDays: 2 });
    await journal.append('ada', entry);
    expect(await client.pttl(KEY)).toBeGreaterThan(1.9 * DAY_MS);
    await client.pexpire(KEY, 1000);
    await journal.append('ada', entry);
    expect(await client.pttl(KEY)).toBeGreaterThan(1.9 * DAY_MS);
    expect(await client.xlen(KEY)).toBe(2);
  });

  it('leaves no key without an expiry where Redis does not let it set one', async () => {
    await client.call('acl', 'setuser', 'narrow', 'on', '>pw', '~*', '+@all', '-pexpire');
    const narrow = new Redis(redis.url.replace('//', '//narrow:pw@'));
    try {
      const journal = new RedisJournal({ client: narrow });
      await expect(journal.append('ada', entry)).rejects.toMatchObject({
        ...{ name: 'StoreUnavailableError', outcome: 'refused', failure: 'denied' },
      });
      expect(await client.exists(KEY)).toBe(0);
    } finally {
      narrow.disconnect();
    }
  });

  it('touches no key of another type', async () => {
    const journal = new RedisJournal({ client });
    await client.set(KEY, 'mine', 'PX', 60_000);
    const refused = { name: 'StoreUnavailableError', outcome: 'refused' };
    await expect(journal.append('ada', entry)).rejects.toMatchObject(refused);
    await expect(journal.read('ada')).rejects.toMatchObject(refused);
    await expect(journal.erase('ada')).rejects.toMatchObject(refused);
    expect(await client.get(KEY)).toBe('mine');
    expect(await client.pttl(KEY)).toBeLessThanOrEqual(60_000);
  });

  it('forgets entries that are older than it keeps them, however busy the user is', async () => {
    const journal = new RedisJournal({ client, keepDays: 2 });
    const now = Date.now();
    const old = ['at', '1', 'event', 'started', 'session', 'B'.repeat(21).concat('A')];
    for (const age of [3, 2.1, 1.9]) await client.xadd(KEY, now - age * DAY_MS, ...old);
    await journal.append('ada', entry);
    expect(await journal.read('ada')).toHaveLength(2);
    expect(await client.xlen(KEY)).toBe(2);
  });

  it('shows no entry that is older than it keeps them, though none has come since', async () => {
    const old = ['at', '1', 'event', 'started', 'session', 'B'.repeat(21).concat('A')];
    for (const age of [3, 1.9]) await client.xadd(KEY, Date.now() - age * DAY_MS, ...old);
    expect(await new RedisJournal({ client, keepDays: 2 }).read('ada')).toHaveLength(1);
    expect(await new RedisJournal({ client, onlyExisting: true }).read('ada')).toHaveLength(2);
  });

  it('for tools removes no entry, however many there are', async () => {
    const journal = new RedisJournal({ client, maxEntries: 600 });
    for (let i = 0; i < 600; i += 1) await journal.append('ada', entry);
    await new RedisJournal({ client, onlyExisting: true }).append('ada', entry);
    expect(await client.xlen(KEY)).toBe(601);
  });

  it('for tools adds to a journal that is there, and begins none', async () => {
    const journal = new RedisJournal({ client, onlyExisting: true });
    await journal.append('ada', entry);
    expect(await client.exists(KEY)).toBe(0);
    await new RedisJournal({ client }).append('ada', entry);
    await client.pexpire(KEY, 60_000);
    await journal.append('ada', { ...entry, event: 'ended', by: 'cli eve' });
    expect(await journal.read('ada')).toMatchObject([{ by: 'cli eve' }, { event: 'started' }]);
    expect(await client.pttl(KEY)).toBeLessThanOrEqual(60_000);
  });

  it('says that nothing was written where the server became a replica', async () => {
    await client.replicaof('127.0.0.1', 1);
    try {
      const failed = { outcome: 'refused', failure: 'unready' };
      await expect(new RedisJournal({ client }).append('ada', entry)).rejects.toMatchObject(failed);
    } finally {
      await client.replicaof('NO', 'ONE');
    }
    expect(await client.exists(KEY)).toBe(0);
  });
});
