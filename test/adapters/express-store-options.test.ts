import { describe, expect, it } from 'vitest';
import { SojournStore } from '../../src/express.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { RedisSessionRepository } from '../../src/redis.ts';

const repository = new MemorySessionRepository();
const client = { get() {}, set() {}, hgetall() {}, password: 'hunter2' };

/** As a program without types constructs it. */
const construct = (...options: unknown[]) => Reflect.construct(SojournStore, options);

describe('SojournStore refuses at construction', () => {
  it.each([
    ['no options', [], 'needs options: pass `repository: new RedisSessionRepository('],
    ['null', [null], 'needs options'],
    ['a text', ['redis://127.0.0.1'], 'needs options'],
    ['an empty object', [{}], 'needs the option `repository`'],
    ['a client as the options', [client], 'needs the option `repository`'],
    [
      'what connect-redis takes',
      [{ client, prefix: 'sess:' }],
      'has no option `client`: pass `rep',
    ],
    ['a prefix', [{ repository, prefix: 'sess:' }], 'has no option `prefix`: pass it to `RedisS'],
    ['a ttl', [{ repository, ttl: 60 }], 'has no option `ttl`: pass `policy: { ttl }`, in seconds'],
    ['disableTouch', [{ repository, disableTouch: true }], 'pass `policy: { refreshAfter }`'],
    ['disableTTL', [{ repository, disableTTL: true }], 'never exists without an end'],
    ['a serializer', [{ repository, serializer: JSON }], 'values are JSON'],
    ['a scanCount', [{ repository, scanCount: 10 }], 'pass `pageSize` to `scanSessions`'],
    ['a client as repository', [{ repository: client }], 'was given an object that is no repos'],
    ['a class', [{ repository: RedisSessionRepository }], 'was given a function that is no rep'],
    ['null as repository', [{ repository: null }], 'was given null that is no repository'],
    ['a url as repository', [{ repository: 'redis://' }], 'was given a string that is no repos'],
    [
      'a promise',
      [{ repository: Promise.resolve(repository) }],
      'a promise as `repository`: await',
    ],
    ['a scan that runs already', [{ repository, scan: {} }], 'needs a function for `scan`, not an'],
    ['a field name for userOf', [{ repository, userOf: 'user' }], 'for `userOf`, not a string'],
    ['a number as policy', [{ repository, policy: 3600 }], 'such as { ttl: 3600 }, not a number'],
    ['a list as policy', [{ repository, policy: [] }], 'for `policy`, such as { ttl: 3600 }, no'],
    ['null as policy', [{ repository, policy: null }], 'not null'],
  ])('%s', (_what, options, message) => {
    let thrown: unknown;
    try {
      construct(...options);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(TypeError);
    const said = (thrown as Error).message;
    expect(said).toMatch(/^SojournStore /);
    expect(said).toContain(message);
    expect(said).not.toContain('hunter2');
  });

  it.each([
    { ttl: '1h' },
    { ttl: 0 },
    { maxTtl: Number.POSITIVE_INFINITY },
    { lifetime: '7d' },
    { limits: { maxFields: -1 } },
  ])('the policy %j', (policy) => {
    expect(() => construct({ repository, policy })).toThrow(
      expect.objectContaining({ name: 'SessionError', code: 'invalid_policy' }),
    );
  });

  it('and takes a repository with what may be left out', () => {
    expect(construct({ repository })).toBeInstanceOf(SojournStore);
    expect(construct({ repository, scan: undefined, policy: {} })).toBeInstanceOf(SojournStore);
  });
});
