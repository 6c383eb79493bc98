import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { describeWithServers, redisBinary, redisUrl } from './live-redis.ts';
import { liveSuites, testServers } from './test-servers.ts';

it.each([undefined, '', ':'])('nothing is listed by %j', (list) => {
  expect(testServers({ SOJOURN_TEST_SERVERS: list })).toEqual([]);
});

it.each([
  ['/nonexistent/redis-server', 'cannot be run'],
  ['/bin/echo', 'is no Redis or Valkey server'],
])('%s is refused: it %s', (list, why) => {
  expect(() => testServers({ SOJOURN_TEST_SERVERS: list })).toThrow(`${list}, which ${why}`);
});

it('the live suites are those that ask for a server, not the rules', () => {
  const suites = liveSuites('test');
  expect(suites).toContain('test/adapters/session-repository-contract.test.ts');
  expect(suites).toContain('test/support/test-servers.test.ts');
  expect(suites).not.toContain('test/domain/session-policy.test.ts');
});

describeWithServers('the servers of this run', () => {
  it('are named by what they are, once each', () => {
    const binary = redisBinary();
    const [server, ...others] = testServers({ SOJOURN_TEST_SERVERS: `${binary}:${binary}` });
    expect(others).toEqual([]);
    expect(server?.binary).toBe(binary);
    expect(server?.name).toMatch(/^(Redis|Valkey) \d+\.\d+\.\d+/);
  });

  const elsewhere = process.env.SOJOURN_TEST_SERVERS === undefined && process.env.REDIS_URL;
  it.skipIf(elsewhere)('include the one that suites share', async () => {
    const [server] = testServers({ SOJOURN_TEST_SERVERS: redisBinary() });
    const redis = new Redis(redisUrl());
    const info = await redis.info('server');
    redis.disconnect();
    const version = /valkey_version:(\S+)/.exec(info) ?? /redis_version:(\S+)/.exec(info);
    expect(server?.name).toMatch(new RegExp(` ${version?.[1]}$`));
  });
});
