import { Redis } from 'ioredis';
import RedisMock from 'ioredis-mock';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type SessionRepository, SessionService } from '../../src/index.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';

/** What `tonumber` and `Number` take for numbers, or for none, and Sojourn never writes. */
const noNumbers = [
  ...['nan', '-nan', 'inf', '-inf', 'Infinity', '1e3', '1E3', '0x10', '0b1', '1.0', '1.', '.5'],
  ...['-5', '-0', '+5', ' 5', '5 ', '5\n', '5\0', '05', '00', '1_000', '1,000', '٥', '', 'abc'],
  ...['9'.repeat(20), '9'.repeat(400), '9007199254740993'],
];
const broken: [field: string, value: string][] = [
  ...[...noNumbers, '0', '3162240001'].map((value): [string, string] => ['session_ttl', value]),
  ...[...noNumbers, '0'].map((value): [string, string] => ['session_deadline', value]),
  ...noNumbers.map((value): [string, string] => ['session_previous_until', value]),
];

const FAR = String(Date.now() + 1e12);
const sound: [field: string, value: string][] = [
  ...['1', '1800', '3162240000'].map((value): [string, string] => ['session_ttl', value]),
  ...[FAR, '9007199254740991'].map((value): [string, string] => ['session_deadline', value]),
  ...['0', '1', FAR].map((value): [string, string] => ['session_previous_until', value]),
];

interface Subject {
  readonly client: Redis;
  readonly repository: SessionRepository;
  readonly prefix: string;
}

function promises(subject: () => Subject): void {
  /** A session that was rotated, so that it has all the numbers, with one of its fields overwritten; and its keys. */
  async function meddled(field: string, value: string) {
    const { client, repository, prefix } = subject();
    const service = new SessionService({ repository, policy: { endOnReuse: true } });
    const { token: old, session } = await service.create({ n: '1' }, { user: 'ada' });
    const token = (await service.rotate(old, { grace: 60 })) || '';
    const key = prefix + session.id;
    await client.hset(key, field, value);
    await client.pexpire(key, 60_000);
    const look = async () => [await client.hgetall(key), (await client.pttl(key)) > 0];
    return { service, repository, client, key, id: session.id, tokens: [token, old], look };
  }

  it.each(broken)('a %s of %j makes it no session, for every verb', async (field, value) => {
    const { service, repository, client, key, id, tokens, look } = await meddled(field, value);
    const before = await look();
    for (const token of tokens) {
      expect(await service.get(token)).toBeUndefined();
      expect(await service.peek(token)).toBeUndefined();
      expect(await service.ttl(token)).toBeUndefined();
      expect(await service.update(token, { set: { n: '2' }, unset: ['x'] })).toBe(false);
      expect(await service.increment(token, 'n')).toBeUndefined();
      expect(await service.replace(token, 'n', '1', '2')).toBeUndefined();
      expect(await service.take(token, 'n')).toBeUndefined();
      expect(await service.setTtl(token, 60)).toBe(false);
      expect(await service.rotate(token)).toBeUndefined();
      expect(await service.rotate(token, { reauthenticated: true })).toBeUndefined();
      expect(await service.delete(token)).toBe(false);
    }
    expect(await repository.find(id)).toBeUndefined();
    expect((await service.list('ada')).map((session) => session.id)).not.toContain(id);
    expect(await look()).toEqual(before);
    expect(await client.pttl(key)).toBeLessThanOrEqual(60_000);

    expect(await service.end(id, { user: 'ada' })).toBe(false); // nobody can tell whose it is
    expect(await service.end(id)).toBe(true);
    expect(await client.exists(key)).toBe(0);
    expect(await service.end(id)).toBe(false);
  });

  it.each(sound)('a %s of %j does not', async (field, value) => {
    const { service, repository, client, key, id, tokens } = await meddled(field, value);
    const [token = ''] = tokens;
    expect(await service.get(token)).toBeDefined();
    expect(await repository.find(id)).toBeDefined();
    expect(await client.pttl(key)).toBeGreaterThan(0);
    expect(await service.delete(token)).toBe(true);
  });

  it('ending by id takes no hash of somebody else', async () => {
    const { client, repository, prefix } = subject();
    const service = new SessionService({ repository });
    const { session } = await service.create();
    const key = prefix + session.id;
    await client.del(key);
    for (const secret of ['', 'x', '*'.repeat(43), 'x'.repeat(44)]) {
      await client.hset(key, { created_at: 'x', session_ttl: 'nan', session_secret: secret });
      await client.pexpire(key, 60_000);
      expect(await service.end(session.id)).toBe(false);
      expect(await client.exists(key)).toBe(1);
    }
  });
}

describe('a hash that somebody broke, on ioredis-mock', () => {
  const client = new RedisMock();
  const prefix = 'broken:';
  const repository = new RedisSessionRepository({ client, prefix });
  promises(() => ({ client, repository, prefix }));
});

describeLive('a hash that somebody broke, in Redis', () => {
  const prefix = useTestPrefix();
  let client: Redis;
  let repository: SessionRepository;
  beforeAll(() => {
    client = new Redis(redisUrl());
    repository = new RedisSessionRepository({ client, prefix });
  });
  afterAll(() => client?.disconnect());
  promises(() => ({ client, repository, prefix }));
});

describeLive('a hash that somebody broke, through the near cache', () => {
  const prefix = useTestPrefix();
  let client: Redis;
  let near: ReturnType<typeof openNearCache>;
  beforeAll(() => {
    client = new Redis(redisUrl());
    near = openNearCache({ client, prefix });
  });
  afterAll(async () => {
    await near?.close();
    client?.disconnect();
  });
  it.each(broken)('a %s of %j makes it no session', async (field, value) => {
    const service = new SessionService({ repository: near.repository });
    const { token, session } = await service.create();
    await client.hset(prefix + session.id, field, value);
    expect(await service.get(token)).toBeUndefined();
    expect(await service.end(session.id)).toBe(true);
  });
});
