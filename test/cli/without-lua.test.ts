import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';

describeWithServers('a Redis without Lua', () => {
  let redis: RedisServer;
  beforeAll(async () => {
    const args = ['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', ''];
    redis = await startRedisServer({ binary: redisBinary(), args });
  });
  afterAll(() => redis?.stop());

  it.each([['serve', '--port', '0'], ['stats']])('is named as such by %s', async (...args) => {
    const { code, stderr } = await runSojourn([...args, '--redis-url', redis.url]);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sojourn: .*Redis cannot run Lua scripts.*valkey-lua.*\n$/);
  });
});
