import { readFileSync } from 'node:fs';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemorySessionRepository } from '../../src/adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from '../../src/adapters/node/node-secrets.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import {
  deriveCredential,
  parseSessionToken,
  type SessionId,
} from '../../src/domain/session-token.ts';
import { type MovableRepository, SessionService } from '../../src/index.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';

// What a release has written stays as it is in these files:
// docs/architecture.md, "Releases that run side by side read each other's records".
const golden = JSON.parse(
  readFileSync(new URL('records/0.1.0.json', import.meta.url), 'utf8'),
) as Golden;

type Stored = Readonly<Record<string, string>>;

interface Golden {
  readonly secrets: readonly string[];
  readonly records: Readonly<Record<string, Stored>>;
  readonly frozen: Stored;
  readonly copy: Stored;
  readonly released: Stored;
  readonly marks: Readonly<Record<'revoked' | 'evicted', Stored>>;
  readonly index: { readonly user: string; readonly entries: readonly [string, number][] };
}

/** The secret that opens each of the records, and one that its grace or its end has left behind. */
const secretsOf: Readonly<Record<string, { opens: number[]; reused: number[]; absent: number[] }>> =
  {
    minimal: { opens: [0], reused: [], absent: [1] },
    full: { opens: [0], reused: [], absent: [1] },
    rotatedWithGrace: { opens: [1, 0], reused: [], absent: [2] },
    rotatedNineTimes: { opens: [9], reused: [0, 1, 2, 3, 4, 5, 6, 7, 8], absent: [10] },
    graceCutShort: { opens: [2], reused: [1], absent: [0, 3] },
  };

const FUTURE = { session_something: 'of a newer release', session_other_until: '17' };
const limits = { maxFields: 10, maxTotalBytes: 1000 };
const at = '2026-04-02T12:50:00+00:00';

interface Store {
  readonly repository: MovableRepository;
  /** A session of its own that holds the record. */
  put(record: Stored): Promise<SessionId>;
  /** What is stored under the id now. */
  stored(id: SessionId): Promise<Stored>;
}

function promises(store: () => Store): void {
  const by = (id: SessionId, secret: number) => {
    const credential = parseSessionToken(`${id}.${golden.secrets[secret]}`, nodeSecrets);
    if (credential === undefined) throw new Error('No token.');
    return credential;
  };

  for (const [name, record] of Object.entries(golden.records)) {
    const { opens, reused, absent } = secretsOf[name] ?? { opens: [], reused: [], absent: [] };

    it(`${name} is read as it was written`, async () => {
      const { repository, put } = store();
      const id = await put(record);
      for (const secret of opens) {
        const session = await repository.read(by(id, secret));
        expect(session).toMatchObject({
          ...{ id, ttl: 1800, createdAt: record.created_at },
          ...{ lastAccessedAt: record.last_accessed_at, persistent: name === 'full' },
        });
        expect(session).toMatchObject(
          name === 'full'
            ? {
                ...{ user: 'ada', authenticatedAt: record.created_at, endsAt: 4102444800000 },
                device: {
                  ...{ label: 'Firefox on Linux', userAgent: record.session_user_agent },
                  address: '192.0.2.1',
                },
                fields: { cart: '3 books', n: '41' },
              }
            : { ...{ user: undefined, endsAt: undefined, device: {} }, authenticatedAt: undefined },
        );
      }
      for (const secret of reused) {
        expect(await repository.read(by(id, secret)), String(secret)).toBe('reused');
      }
      for (const secret of absent) {
        expect(await repository.read(by(id, secret)), String(secret)).toBeUndefined();
      }
    });

    it(`${name} passes through every verb with what a newer release keeps in it`, async () => {
      const { repository, put, stored } = store();
      const id = await put({ ...record, ...FUTURE });
      const credential = by(id, opens[0] ?? 0);
      const verbs: (() => Promise<unknown>)[] = [
        () => repository.read(credential),
        () => repository.find(id),
        () => repository.access(credential, { at, refreshAfterMs: 0 }),
        () =>
          repository.update(credential, {
            ...{ set: new Map([['a', '1']]), unset: ['cart'], limits, at },
          }),
        () => repository.increment(credential, { field: 'i', by: 1, limits, at }),
        () =>
          repository.replace(credential, {
            ...{ field: 'a', expected: '1', next: '2', limits, at },
          }),
        () => repository.take(credential, { field: 'a', at }),
        () => repository.setTtl(credential, { ttl: 900, at }),
        () =>
          repository.rotate(credential, {
            ...{ next: by(id, 10).secretHash, graceMs: 60_000, reauthenticated: undefined, at },
          }),
      ];
      for (const verb of verbs) {
        expect(await verb()).toBeTruthy();
        expect(await stored(id)).toMatchObject(FUTURE);
        const session = await repository.find(id);
        expect(Object.keys(session?.fields ?? {}).join()).not.toContain('session_');
      }
      const own = Object.keys(record).filter((field) => field.startsWith('session_'));
      for (const field of own) expect(await stored(id)).toHaveProperty(field);
      expect(await repository.read(by(id, 10))).toMatchObject({ fields: { i: '1' }, ttl: 900 });
      expect(await repository.delete(by(id, 10))).toBeTruthy();
      expect(await stored(id)).toEqual({});
    });
  }
}

describe('records of 0.1.0, in memory', () => {
  const repository = new MemorySessionRepository();
  promises(() => ({
    repository,
    async put(record) {
      const { id } = deriveCredential(String(Math.random()), nodeSecrets);
      const copy = { id, record: Object.entries(record).flat(), remainingMs: 60_000 };
      await repository.moves.adopt({ ...copy, claim: '1-test.copy', now: Date.now() });
      await repository.moves.thaw(id, '1-test.copy');
      return id;
    },
    async stored(id) {
      const answer = await repository.moves.freeze(id);
      if (typeof answer !== 'object' || !('copy' in answer)) return {};
      const { record } = answer.copy;
      const stored = Object.fromEntries(
        record.flatMap((name, i) => (i % 2 === 0 ? [[name, String(record[i + 1])]] : [])),
      );
      await repository.end(id, { unbornMs: 0 });
      await repository.moves.adopt(answer.copy);
      await repository.moves.thaw(id, answer.copy.claim);
      return stored;
    },
  }));
});

describeLive('records of 0.1.0, in Redis', () => {
  const prefix = useTestPrefix();
  let client: Redis;
  let repository: RedisSessionRepository;
  beforeAll(() => {
    client = new Redis(redisUrl());
    repository = new RedisSessionRepository({ client, prefix });
  });
  afterAll(() => client.quit());
  const put = async (record: Stored) => {
    const { id } = deriveCredential(String(Math.random()), nodeSecrets);
    await client.hset(prefix + id, record);
    await client.pexpire(prefix + id, 60_000);
    return id;
  };
  promises(() => ({ repository, put, stored: (id) => client.hgetall(prefix + id) }));

  const newSession = (id: SessionId) => ({
    credential: { id, secretHash: nodeSecrets.sha256('x') as never },
    ...{ user: undefined, fields: new Map(), ttl: 60, lifetime: undefined },
    ...{ device: {}, persistent: false, at },
  });

  it('marks refuse their id, for the reason that they tell', async () => {
    const { revoked, evicted } = golden.marks;
    expect(await repository.create(newSession(await put(revoked)))).toBeUndefined();
    expect(await repository.create(newSession(await put(evicted)))).toBe('evicted');
  });

  it('what stands for a session on its way is understood', async () => {
    const frozen = await put(golden.frozen);
    expect(await repository.find(frozen)).toMatchObject({ user: 'ada', fields: { n: '41' } });
    expect(await repository.moves.freeze(frozen, { resume: true })).toHaveProperty('copy');
    const claim = golden.copy.session_claim ?? '';
    const copy = await put(golden.copy);
    expect(await repository.moves.thaw(copy, claim)).toBe(true);
    expect(await repository.find(copy)).toMatchObject({ fields: { n: '41' } });
    const released = await put(golden.released);
    expect(await repository.moves.freeze(released)).toEqual({ claim });
  });

  it("a user's index is listed, and goes on", async () => {
    const { user, entries } = golden.index;
    for (const [id, place] of entries) await client.zadd(`${prefix}user:${user}`, place, id);
    const listed = await repository.users.list(user, { from: 'oldest', limit: 9 });
    expect(listed.map(({ id, place }) => [id, place])).toEqual(entries);
  });

  it('a release writes what its file says', async () => {
    const service = new SessionService({
      repository,
      policy: { remember: { lifetime: undefined } },
    });
    const { full, rotatedNineTimes } = golden.records;
    const { token, session } = await service.create(
      { cart: '3 books', n: '41' },
      {
        ...{ user: 'ada', persistent: true, lifetime: 60 },
        device: { label: 'l', userAgent: 'u', address: 'a' },
      },
    );
    const names = async () => Object.keys(await client.hgetall(prefix + session.id)).sort();
    expect(await names()).toEqual(Object.keys(full ?? {}).sort());
    let current: string = token;
    for (let i = 0; i < 9; i += 1) current = (await service.rotate(current)) || '';
    const rotated = new Set([...Object.keys(full ?? {}), ...Object.keys(rotatedNineTimes ?? {})]);
    expect(await names()).toEqual([...rotated].sort());
  });
});
