import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { SessionService } from '../../src/index.ts';
import { RedisJournal, RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { MAIN } from '../support/sojourn-command.ts';
import { until } from '../support/until.ts';

/** Far more than end before a signal arrives. */
const SESSIONS = 1500;

describeWithServers('a signal while sessions are being ended', { timeout: 60_000 }, () => {
  let redis: RedisServer;
  let client: Redis;
  let service: SessionService;

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    client = new Redis(redis.url);
    const repository = new RedisSessionRepository({ client });
    service = new SessionService({ repository, journal: new RedisJournal({ client }) });
  });
  beforeEach(async () => {
    await client.flushall();
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  async function login(sessions: number): Promise<void> {
    for (let i = 0; i < sessions; i += 100) {
      await Promise.all(Array.from({ length: 100 }, () => service.create({}, { user: 'ada' })));
    }
    await service.journalWritten();
  }

  function begin(...args: string[]) {
    const child = spawn(process.execPath, [MAIN, ...args], {
      env: { REDIS_URL: redis.url },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const printed = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk) => {
        printed[name] += chunk;
      });
    }
    const exited = once(child, 'close').then(([code, signal]) => ({ code, signal, ...printed }));
    return { child, exited };
  }

  /** It logs each end, so by then it has begun. */
  const firstEnd = (child: ChildProcess) => once(child.stderr ?? child, 'data');

  it.each([
    ['SIGINT', 130, ['end', '--all', '--yes']],
    ['SIGTERM', 143, ['end', '--all', '--yes', '--fast', '--json']],
    ['SIGINT', 130, ['end', '--user', 'ada']],
    ['SIGTERM', 143, ['erase', '--user', 'ada']],
  ] as const)(
    '%s stops with %i after the batch, all of which is recorded: %j',
    async (signal, exitCode, args) => {
      await login(SESSIONS);
      const { child, exited } = begin(...args);
      await firstEnd(child);
      child.kill(signal);
      const { code, stdout, stderr } = await exited;
      const lines = stderr.trimEnd().split('\n');
      const last = lines.pop() ?? '';
      expect({ code, stdout }, last).toEqual({ code: exitCode, stdout: '' });
      const left = (await service.list('ada', { limit: 1 })).sessions.length;
      expect(left).toBe(1);
      const ended = SESSIONS - (await client.keys('session:??????????????????????')).length;
      expect(ended).toBeGreaterThan(0);
      expect(lines.filter((line) => JSON.parse(line).event === 'ended')).toHaveLength(ended);
      expect(last).toContain(`sojourn: stopped by ${signal}: `);
      expect(last.replace(',', '')).toContain(`: ${ended} session`);
      const journal = await service.journal('ada', { limit: 10_000 });
      expect(journal.filter(({ why }) => why === 'revoked')).toHaveLength(ended);
      expect(journal.filter(({ why }) => why === 'expired')).toEqual([]);
    },
  );

  it('stops erase between its two passes, which may leave a journal', async () => {
    await login(100);
    const { child, exited } = begin('erase', '--user', 'ada');
    await firstEnd(child);
    await until('the first pass is over', async () => (await client.dbsize()) === 0);
    child.kill('SIGINT');
    const { code, stdout, stderr } = await exited;
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' });
    expect(stderr.trimEnd().split('\n').pop()).toBe(
      'sojourn: stopped by SIGINT: 100 sessions ended, the journal may still exist. Run the command again to continue',
    );
  });

  it('ends at once when it is repeated, even if Redis does not answer', async () => {
    await login(SESSIONS);
    const { child, exited } = begin('end', '--all', '--yes', '--timeout', '300000');
    await firstEnd(child);
    await client.call('client', 'pause', '300000', 'WRITE');
    try {
      await until('it has ended', async () => !child.kill('SIGINT'));
      expect(await exited).toMatchObject({ code: null, signal: 'SIGINT', stdout: '' });
    } finally {
      await client.call('client', 'unpause');
    }
  });
});
