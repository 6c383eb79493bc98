import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type SessionCopy, SessionService } from '../../src/index.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';
import { until } from '../support/until.ts';

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
      /^150 sessions are left in the old place, last used \d+s ago; if unused, the last one expires in (30m|29m \d+s)\.\n$/,
    );
    expect(await sojourn('move', '--to', url(1), '--fast')).toMatchObject({
      ...{ code: 0, stderr: '' },
      stdout: expect.stringMatching(
        /^Moved 150 sessions in \d+s\.\nNo session is left in the old place\.\n$/,
      ),
    });
    expect(await at(1).list('ada')).toHaveLength(150);
    for (const { token } of began) expect(await at(1).peek(token)).toBeDefined();
    expect(await clients[0]?.dbsize()).toBe(0);
    const again = await sojourn('move', '--from', url(0), '--to', url(1), '--json');
    expect(JSON.parse(again.stdout)).toEqual({
      ...{ moved: 0, taken: 0, seconds: expect.any(Number), left: 0, last_ends_in: null },
      ...{ last_used: null, unfinished: 0 },
    });
  });

  it('moves to another prefix, below the old one too', async () => {
    const { token } = await at(0).create();
    expect((await sojourn('move', '--to-prefix', 'session:shop:', '--json')).code).toBe(0);
    expect(await at(0, 'session:shop:').get(token)).toBeDefined();
    expect(await at(0).get(token)).toBeUndefined();
  });

  it('finish ends what is left, where nobody has used it for a minute, and says how many that were', async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => at(0).create({}, { user: 'ada' })));
    const moved = await at(0).create();
    const refused = await sojourn('move', 'finish', '--yes');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toMatch(/nothing was ended, because a session .* was used \d+s ago/);
    expect(await at(0).list('ada')).toHaveLength(3);
    await sojourn('move', '--to', url(1), '--fast');
    for (const { token } of [...sessions, moved]) expect(await at(1).peek(token)).toBeDefined();

    const old = await Promise.all([1, 2].map(() => at(0).create({}, { user: 'ada' })));
    const anHourAgo = `${new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)}+00:00`;
    for (const { session } of old) {
      await clients[0]?.hset(`session:${session.id}`, 'last_accessed_at', anHourAgo);
    }
    expect(await sojourn('move', 'finish')).toMatchObject({ code: 2 }); // there is nobody to ask
    const status = await sojourn('move', 'status', '--json');
    expect(JSON.parse(status.stdout)).toEqual({
      left: 2,
      last_ends_in: expect.closeTo(1800, -2),
      last_used: expect.closeTo(3600, -2),
      unfinished: 0,
    });
    const finished = await sojourn('move', 'finish', '--yes', '--operator', 'eve');
    expect(finished).toMatchObject({
      code: 0,
      stdout: 'Ended 2 sessions. Servers can do without the old place now.\n',
    });
    expect(finished.stderr.match(/"by":"cli eve"/g)).toHaveLength(2);
    expect(await clients[0]?.keys('session:*')).toEqual([]);
    expect(await sojourn('move', 'finish', '--yes')).toMatchObject({
      code: 0,
      stdout: 'No session is left in the old place. Servers can do without the old place now.\n',
    });
  });

  it('finish refuses while a move is unfinished, which another run of the command finishes', async () => {
    const { token, session } = await at(0).create({ a: '1' });
    const moves = (i: number) =>
      new RedisSessionRepository({ client: clients[i] as Redis, prefix: 'session:' }).moves;
    const { copy } = (await moves(0).freeze(session.id)) as { copy: SessionCopy };
    await moves(1).adopt(copy);
    await moves(0).release(session.id, copy.claim);
    expect(JSON.parse((await sojourn('move', 'status', '--json')).stdout)).toEqual({
      ...{ left: 0, last_ends_in: null, last_used: null, unfinished: 1 },
    });
    expect((await sojourn('move', 'status')).stdout).toBe(
      'No session is left in the old place. The move of 1 session was not finished; moving the rest finishes it.\n',
    );
    expect(await sojourn('move', 'finish', '--yes')).toMatchObject({
      ...{ code: 1, stdout: '' },
      stderr: expect.stringMatching(/nothing was ended, .* Run sojourn move first/),
    });
    await sojourn('move', '--to', url(1), '--fast');
    expect(await at(1).get(token)).toMatchObject({ fields: { a: '1' } });
    expect(await sojourn('move', 'finish', '--yes')).toMatchObject({ code: 0 });
  });

  describe('of connect-redis', () => {
    const old = ['--from-connect-redis', 'sess:'];
    const cookie = { originalMaxAge: null };

    it('status looks at what is left, which does not count as a use', async () => {
      const status = async () =>
        JSON.parse((await sojourn('move', 'status', ...old, '--json')).stdout);
      expect(await status()).toEqual({
        ...{ left: 0, last_ends_in: null, last_used: null, unfinished: 0 },
      });
      await clients[0]?.set('sess:a', JSON.stringify({ cookie }), 'EX', 600);
      await clients[0]?.set('sess:b', 'whatever a serializer makes', 'EX', 900);
      await clients[0]?.hset('sess:frozen', 'session_text', '{}', 'session_freeze', '1-a');
      await clients[0]?.expire('sess:frozen', 1000);
      await clients[0]?.hset('sess:moved', 'session_released', '1-a.b');
      await clients[0]?.sadd('sess:ids', 'a');
      await clients[0]?.set('other:c', '{}');
      await until('two seconds without a use', async () => (await status()).last_used >= 2);
      expect(await status()).toMatchObject({
        ...{ left: 3, last_ends_in: expect.closeTo(1000, -2), unfinished: 1 },
      });
      expect(await sojourn('move', 'status', ...old)).toMatchObject({
        code: 0,
        stdout: expect.stringMatching(
          /^3 sessions are left in the old place, last used \d+s ago; if unused, the last one expires in 16m \d+s\. The move of 1 session was not finished; moving the rest finishes it\.\n$/,
        ),
      });
      await clients[0]?.set('sess:endless', '{}');
      expect(await status()).toMatchObject({ left: 4, last_ends_in: null });
    });

    it('finish refuses while servers use them or a move is unfinished, and then ends them', async () => {
      await clients[0]?.set('sess:a', JSON.stringify({ cookie }), 'EX', 600);
      await clients[0]?.hset('sess:moved', 'session_released', '1-a.b');
      await clients[0]?.sadd('sess:ids', 'a');
      await clients[0]?.set('other:c', '{}');
      const refused = await sojourn('move', 'finish', ...old, '--yes');
      expect(refused).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/was used \d+s ago/),
      });
      // Where keys are thrown out by how often they are used, Redis does not know when that was last.
      await clients[0]?.config('SET', 'maxmemory-policy', 'volatile-lfu');
      try {
        const unfinished = await sojourn('move', 'finish', ...old, '--yes');
        expect(unfinished).toMatchObject({
          code: 1,
          stderr: expect.stringMatching(/the move of 1 session was not finished\. .*moveSessions/),
        });
        expect(await clients[0]?.exists('sess:moved', 'sess:a')).toBe(2);
        await clients[0]?.del('sess:moved'); // as moveSessions does
        const finished = await sojourn('move', 'finish', ...old, '--yes', '--json');
        expect(JSON.parse(finished.stdout)).toEqual({
          ...{
            left: 1,
            last_ends_in: expect.closeTo(600, -1),
            last_used: null,
            unfinished: 0,
            ended: 1,
          },
        });
      } finally {
        await clients[0]?.config('SET', 'maxmemory-policy', 'noeviction');
      }
      expect((await clients[0]?.keys('*'))?.sort()).toEqual(['other:c', 'sess:ids']);
    });

    it('to move them is for the application, which knows whose they are', async () => {
      const asked = await sojourn('move', ...old, '--to-prefix', 'web-session:');
      expect(asked).toMatchObject({ code: 2, stderr: expect.stringContaining('docs/moving.md') });
    });
  });

  it('refuses to move a place onto itself, whatever its address, before it touches a session', async () => {
    const began = await Promise.all([1, 2, 3].map(() => at(0).create({}, { user: 'ada' })));
    const before = await clients[0]?.hgetall(`session:${began[0]?.session.id}`);
    const port = new URL(url(0)).port;
    const addresses = ['localhost', '127.0.0.1'].map((host) => `redis://${host}:${port}`);
    for (const address of [...addresses, `redis://127.0.0.1:${port}/0`]) {
      const asked = await sojourn('move', '--to', address, '--fast');
      expect(asked).toMatchObject({ code: 2, stdout: '' });
      expect(asked.stderr).toContain('move needs a different place');
    }
    expect(await clients[0]?.hgetall(`session:${began[0]?.session.id}`)).toEqual(before);
    expect(await at(0).list('ada')).toHaveLength(3);
    expect(await sojourn('move', '--to', `redis://localhost:${port}/1`)).toMatchObject({ code: 0 });
  });

  it('says how many sessions it could not move, as their keys are taken', async () => {
    const { token, session } = await at(0).create();
    await clients[1]?.set(`session:${session.id}`, 'x');
    expect((await sojourn('move', '--to', url(1))).stdout).toMatch(
      /^Moved 0 sessions in 0s\.\nLeft 1 session in the old place: .*something else.*\n1 session is left/,
    );
    expect(await at(0).get(token)).toBeDefined();
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
