import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';

describeWithServers('sojourn move', () => {
  let servers: RedisServer[] = [];
  let clients: Redis[] = [];
  beforeAll(async () => {
    servers = await Promise.all([1, 2].map(() => startRedisServer({ binary: redisBinary() })));
    clients = servers.map(({ url }) => new Redis(url));
  });
  beforeEach(async () => {
    for (const client of clients) await client.flushall();
  });
  afterAll(async () => {
    for (const client of clients) client.disconnect();
    for (const server of servers) await server.stop();
  });
  const url = (i: number) => servers[i]?.url ?? '';
  const at = (i: number, prefix = 'session:') =>
    new SessionService({
      repository: new RedisSessionRepository({ client: clients[i] as Redis, prefix }),
    });
  const sojourn = (...args: string[]) => runSojourn(args, { REDIS_URL: url(0) });

  it('moves the sessions to another Redis, says how many, and goes on when it is run again', async () => {
    const began = await Promise.all(
      Array.from({ length: 150 }, (_, i) => at(0).create({ i: String(i) }, { user: 'ada' })),
    );
    expect((await sojourn('move', 'status')).stdout).toMatch(
      /^150 sessions are left in the old place; if unused, the last one expires in (30m|29m \d+s)\.\n$/,
    );
    expect(await sojourn('move', '--to', url(1), '--fast')).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringMatching(
        /^Moved 150 sessions in \d+s\.\nNo sessions are left in the old place\.\n$/,
      ),
    });
    expect(await at(1).list('ada')).toHaveLength(150);
    for (const { token } of began) expect(await at(1).peek(token)).toBeDefined();
    expect(await clients[0]?.dbsize()).toBe(0);
    const again = await sojourn('move', '--from', url(0), '--to', url(1), '--json');
    expect(JSON.parse(again.stdout)).toEqual({
      ...{ moved: 0, seconds: expect.any(Number), left: 0, last_ends_in: null },
    });
  });

  it('moves to another prefix, below the old one too', async () => {
    const { token } = await at(0).create();
    expect((await sojourn('move', '--to-prefix', 'session:shop:', '--json')).code).toBe(0);
    expect(await at(0, 'session:shop:').get(token)).toBeDefined();
    expect(await at(0).get(token)).toBeUndefined();
  });

  it('refuses what makes no sense, and tells which place failed', async () => {
    expect(await sojourn('move')).toMatchObject({ code: 2 });
    expect(await sojourn('move', '--to-prefix', 'session:')).toMatchObject({ code: 2 });
    expect(await sojourn('move', 'everything')).toMatchObject({ code: 2 });
    const wrong = await sojourn('move', '--to', 'http://localhost');
    expect(wrong).toMatchObject({ code: 2, stderr: expect.stringContaining('--to: ') });
    const { token } = await at(0).create();
    expect(await sojourn('move', '--to', 'redis://127.0.0.1:1')).toMatchObject({ code: 1 });
    expect(await at(0).get(token)).toBeDefined();
  });
});
