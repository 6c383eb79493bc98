import { describe, expect, it } from 'vitest';
import { RedisInspection } from '../../src/adapters/redis/inspect/inspection.ts';
import type { Credential, SessionId } from '../../src/domain/session-token.ts';
import { StoreUnavailableError } from '../../src/index.ts';
import { type RedisClient, RedisSessionRepository, scanSessions } from '../../src/redis.ts';

/** A client of ioredis' shape that answers everything with the same. */
function answering(answer: unknown): RedisClient {
  const client: Record<string, unknown> = {
    options: {},
    defineCommand(name: string) {
      client[name] = async () => answer;
    },
    duplicate() {},
    disconnect() {},
    scan: async () => answer,
    info: async () => answer,
  };
  return client as unknown as RedisClient;
}

const id = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;
const by = { id, secretHash: 'x'.repeat(43) } as Credential;
const at = '2026-04-02T12:34:56+00:00';
const limits = { maxFields: 64, maxTotalBytes: 1000 };
const record = ['created_at', at, 'last_accessed_at', at, 'session_ttl', '1800'];

const verbs: Readonly<Record<string, (repository: RedisSessionRepository) => Promise<unknown>>> = {
  read: (repository) => repository.read(by),
  access: (repository) => repository.access(by, { at, refreshAfterMs: 0 }),
  find: (repository) => repository.find(id),
  update: (repository) =>
    repository.update(by, { set: new Map([['a', '1']]), unset: [], limits, at }),
  increment: (repository) => repository.increment(by, { field: 'a', by: 1, limits, at }),
  replace: (repository) =>
    repository.replace(by, { field: 'a', expected: undefined, next: '1', limits, at }),
  take: (repository) => repository.take(by, { field: 'a', at }),
  setTtl: (repository) => repository.setTtl(by, { ttl: 5, at }),
  rotate: (repository) =>
    repository.rotate(by, { next: by.secretHash, graceMs: 0, reauthenticated: undefined, at }),
  delete: (repository) => repository.delete(by),
  end: (repository) => repository.end(id, { unbornMs: 0 }),
  'users.list': (repository) => repository.users.list('ada', { from: 'oldest', limit: 10 }),
  'users.add': (repository) =>
    repository.users.add({ user: 'ada', id, keepMs: 1000, max: undefined }),
};

/** What a client with other settings, a proxy or another server might hand out. */
const strange: readonly unknown[] = [
  ...['0', '1', '-1', '', 'OK', 'revoked', Buffer.from('0'), Buffer.from('reused')],
  ...[null, undefined, true, false, 2, -2, 0.5, Number.NaN, 0n, {}, new Map(), () => 1],
  ...[[null], [[]], [Buffer.from('1')], ['1', 2], [1, '1', 'x'], [{}], [1, 2, 3]],
  ...[
    [1000, 'no json'],
    [1000, '{"a":"1"}'],
    [1000, ['a', 1]],
    ['1000', record],
    [1000, null],
  ],
];

describe.each(Object.entries(verbs))('%s', (_name, ask) => {
  it.each(strange.map((answer) => [answer]))('does not take %o for an answer', async (answer) => {
    const repository = new RedisSessionRepository({ client: answering(answer) });
    const asked = ask(repository);
    await expect(asked).rejects.toBeInstanceOf(StoreUnavailableError);
    await expect(asked).rejects.toMatchObject({ outcome: 'unknown', failure: 'other' });
  });
});

it('takes what a script does answer', async () => {
  const left = new RedisSessionRepository({ client: answering([1000, record]) });
  expect((await left.read(by)) as object).toMatchObject({ id, ttl: 1800, remainingMs: 1000 });
  const absent = new RedisSessionRepository({ client: answering(0) });
  expect(await absent.read(by)).toBeUndefined();
  expect(await absent.update(by, { set: new Map(), unset: [], limits, at })).toBeUndefined();
  const reused = new RedisSessionRepository({ client: answering('reused') });
  expect(await reused.read(by)).toBe('reused');
});

it.each([[['0', [Buffer.from('a')]]], [[0, ['a']]], [['0']], ['0'], [null], [{}]])(
  'a scan does not take %o for a page',
  async (answer) => {
    const walk = async () => {
      for await (const _page of scanSessions({ client: answering(answer) }));
    };
    await expect(walk()).rejects.toBeInstanceOf(StoreUnavailableError);
  },
);

it('says of what form the answer was, and nothing of what it held', async () => {
  const repository = new RedisSessionRepository({
    client: answering(['secret', Buffer.from('x')]),
  });
  await expect(repository.read(by)).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/not understood: a list of a string, a Buffer$/) },
  });
  const inspection = new RedisInspection({ client: answering({ secret: 1 }), prefix: '' });
  await expect(inspection.servers()).rejects.toMatchObject({
    cause: { message: expect.stringMatching(/not understood: a Object$/) },
  });
});
