import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type SessionLimits, type SessionRepository, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { describeLive, redisUrl, useTestPrefix } from '../support/live-redis.ts';
import { patient } from '../support/patience.ts';

/** The most that a policy can allow. */
const limits: SessionLimits = {
  maxFields: 1024,
  maxNameBytes: 1024,
  maxValueBytes: 2 ** 20,
  maxTotalBytes: 2 ** 20,
};
const MANY = 10_000;

type Fields = Record<string, string>;

/** So many fields, with names of so many bytes, that are as large as a session may be altogether. */
function full(count: number, nameBytes: number, character = 'x'): Fields {
  const share = Math.floor(limits.maxTotalBytes / count) - nameBytes;
  const value = character.repeat(share / Buffer.byteLength(character));
  return Object.fromEntries(names(count).map((name) => [name.padStart(nameBytes, '.'), value]));
}

function names(count: number): string[] {
  return Array.from({ length: count }, (_, i) => String(i));
}

/** JSON needs six bytes for this one, which is what reading costs most. */
const CONTROL = '\u0001';

const sessions: [string, Fields][] = [
  ['one value', full(1, 1)],
  ['one value that JSON escapes', full(1, 1, CONTROL)],
  ['one value of characters that need three bytes', full(1, 1, '€')],
  ['as many fields as there may be', full(limits.maxFields, 4)],
  ['as many fields as there may be, whose values JSON escapes', full(limits.maxFields, 4, CONTROL)],
  ['names as long as they may be', full(limits.maxFields / 2, limits.maxNameBytes)],
  ['names of nothing else', full(limits.maxFields, limits.maxNameBytes)],
];

function promises(repository: () => SessionRepository): void {
  let app: SessionService;
  beforeAll(() => {
    app = new SessionService({ repository: repository(), policy: { limits } });
  });

  it.each(sessions)('holds %s', async (_name, fields) => {
    const { token, session } = await app.create(fields, { user: 'ada' });
    expect(same(session.fields, fields)).toBe(true);
    expect(same((await app.get(token))?.fields, fields)).toBe(true);
    const [name = ''] = Object.keys(fields);
    expect(await app.take(token, name)).toBe(fields[name]);
    expect(await app.update(token, { set: fields })).toBe(true);
    expect(same((await app.peek(token))?.fields, fields)).toBe(true);
    expect(await app.update(token, { unset: Object.keys(fields) })).toBe(true);
    expect((await app.peek(token))?.fields).toEqual({});
    expect(await app.delete(token)).toBe(true);
  });

  it('refuses one field or one byte more, and says so', async () => {
    const { token } = await app.create(full(limits.maxFields, 4));
    const tooMany = expect.objectContaining({ code: 'too_many_fields' });
    const tooLarge = expect.objectContaining({ code: 'too_large' });
    await expect(app.update(token, { set: { more: '' } })).rejects.toEqual(tooMany);
    await expect(app.increment(token, 'more')).rejects.toEqual(tooMany);
    await expect(app.update(token, { set: { 1: 'x'.repeat(2 ** 20) } })).rejects.toEqual(tooLarge);
    for (const count of [limits.maxFields + 1, 5000, 200_000]) {
      const set = Object.fromEntries(names(count).map((name) => [name, '']));
      await expect(app.create(set)).rejects.toEqual(tooMany);
      await expect(app.update(token, { set })).rejects.toEqual(tooMany);
    }
    const huge = Object.fromEntries(names(100).map((name) => [name, 'x'.repeat(2 ** 20)]));
    await expect(app.update(token, { set: huge })).rejects.toEqual(tooLarge);
    expect(Object.keys((await app.peek(token))?.fields ?? {})).toHaveLength(limits.maxFields);
  });

  it('removes very many names at once, whether there are such fields or not', async () => {
    const last = String(MANY - 1);
    const { token } = await app.create({ 0: 'a', [last]: 'b', kept: 'c' });
    const set = full(1000, 4, CONTROL);
    expect(await app.update(token, { set, unset: names(MANY) })).toBe(true);
    const left = { ...set, kept: 'c' };
    expect(same((await app.peek(token))?.fields, left)).toBe(true);
    const again = [...names(MANY), ...names(MANY), 'session_ttl', 'created_at'];
    expect(await app.update(token, { unset: again })).toBe(true); // each once, and no reserved one
  });

  it('refuses more than that in words', async () => {
    const { token } = await app.create({ 0: 'a' });
    for (const count of [MANY + 1, 200_000]) {
      await expect(app.update(token, { unset: names(count) })).rejects.toMatchObject({
        code: 'too_many_fields',
        message: `One update can remove at most ${MANY} fields, not ${count}.`,
      });
    }
    expect((await app.peek(token))?.fields).toEqual({ 0: 'a' });
  });
}

describe('a session at the very limits, in memory', () => {
  const repository = new MemorySessionRepository();
  promises(() => repository);
});

describeLive('a session at the very limits, in Redis', () => {
  const prefix = useTestPrefix();
  let connection: Awaited<ReturnType<typeof connectRedis>>;
  let repository: SessionRepository;
  beforeAll(async () => {
    connection = await connectRedis({ kind: 'url', url: redisUrl() }, patient);
    repository = new RedisSessionRepository({ client: connection.client, prefix });
  });
  afterAll(() => connection?.close());
  promises(() => repository);
});

/** Compared by hand: what `toEqual` prints of a megabyte helps nobody. */
function same(found: Readonly<Fields> | undefined, expected: Fields): boolean {
  const entries = Object.entries(expected);
  return (
    found !== undefined &&
    Object.keys(found).length === entries.length &&
    entries.every(([name, value]) => found[name] === value)
  );
}
