import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { shareCount } from '../../src/adapters/redis/inspect/shared-count.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { RedisJournal } from '../../src/adapters/redis/redis-journal.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { askRedis } from '../support/ask-redis.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { patient } from '../support/patience.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';

describeWithServers.each(deployments)('the commands on $name', ({ start }) => {
  let deployment: Deployment;
  let service: SessionService;
  let env: Record<string, string>;

  beforeAll(async () => {
    deployment = await start();
    const client = await deployment.connect();
    service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    env = environmentFor(deployment.address);
  });
  afterAll(() => deployment?.stop());

  it('find, show, count and end every session', async () => {
    const users = Array.from({ length: 40 }, (_, i) => `user ${i % 10}`);
    const created = await Promise.all(users.map((user) => service.create({}, { user })));
    const ids = created.map(({ session }) => session.id);
    const [first = ''] = ids;

    const listed = await runSojourn(['ls', '--json'], env);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    const lines = listed.stdout.trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).id).sort()).toEqual([...ids].sort());

    const stats = JSON.parse((await runSojourn(['stats', '--json'], env)).stdout);
    expect(stats).toMatchObject({ sessions: 40, users: 10, sample: { with_user: 40 } });
    expect(stats.servers).toHaveLength(deployment.address.kind === 'cluster' ? 3 : 1);
    expect(stats.warnings).toEqual([]);

    const shown = JSON.parse((await runSojourn(['inspect', first, '--json'], env)).stdout);
    expect(shown).toMatchObject({ id: first, user: 'user 0' });
    const [, host = '', port, follows] =
      /^redis-cli -h (\S+) -p (\d+)( -c)? HGETALL session:/.exec(shown.commands[0]) ?? [];
    if (deployment.address.kind === 'cluster') expect(follows).toBe(' -c');
    else {
      const there = await askRedis({ host, port: Number(port) }, ['HGETALL', shown.key]);
      expect(there).toContain('user 0');
    }

    expect((await runSojourn(['end', first], env)).code).toBe(0);
    const ended = await runSojourn(['end', '--user', 'user 0', '--json'], env);
    expect(JSON.parse(ended.stdout)).toMatchObject({ ended: 3 });
    const left = await runSojourn(['ls', '--json'], env);
    expect(left.stdout.trimEnd().split('\n')).toHaveLength(36);
  }, 60_000);
});

describeWithServers('the commands as the user that the operations guide grants', () => {
  it('are denied nothing', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    try {
      const guide = await readFile('docs/operations.md', 'utf8');
      const user = /^ACL (SETUSER sojourn (?:.|\\\n)*?[^\\])$/m.exec(guide)?.[1] ?? '';
      const scan = /^\| .*`sojourn ls`.* \| `(\+.*)` \|$/m.exec(guide)?.[1] ?? '';
      const journal = /^\| the journal: .* \| `(\+.*)` \|$/m.exec(guide)?.[1] ?? '';
      const share = /^\| `shareCount`.* \| `(\+.*)` \|$/m.exec(guide)?.[1] ?? '';
      const more = [scan, journal, share].flatMap((rights) => rights.split(' '));
      await askRedis(redis, ['acl', ...user.split(/[\s\\]+/), ...more]);
      const env = { REDIS_URL: `redis://sojourn:change-me@127.0.0.1:${redis.port}` };
      const { client, close } = await connectRedis({ kind: 'url', url: env.REDIS_URL }, patient);
      const repository = new RedisSessionRepository({ client });
      const service = new SessionService({ repository, journal: new RedisJournal({ client }) });
      for (let i = 0; i < 4; i += 1) await service.create({}, { user: 'ada' });
      await service.journalWritten();
      const [{ id = '' } = {}] = await service.list('ada');
      for (const [args, code] of [
        [['ls'], 0],
        [['ls', '--user', 'ada'], 0],
        [['stats'], 0],
        [['inspect', 'A'.repeat(22)], 3],
        [['end', 'A'.repeat(22)], 3],
        [['journal', '--user', 'ada'], 0],
        [['export', '--user', 'ada'], 0],
        [['end', id], 0],
        [['end', '--user', 'ada'], 0],
        [['end', '--all', '--yes'], 0],
        [['erase', '--user', 'ada'], 0],
      ] as const) {
        const answer = await runSojourn([...args], env);
        expect(answer, args.join(' ')).toMatchObject({ code });
        expect(answer.stderr).not.toContain('the journal could not be written');
      }
      expect(await shareCount({ client })()).toEqual({ sessions: 0, ageMs: 0 });
      await close();
      expect(await askRedis(redis, 'acl log')).toEqual([]);
    } finally {
      await redis.stop();
    }
  });
});

function environmentFor(address: RedisAddress): Record<string, string> {
  const list = (hosts: readonly { host: string; port: number }[]) =>
    hosts.map(({ host, port }) => `${host}:${port}`).join(',');
  switch (address.kind) {
    case 'cluster':
      return { REDIS_CLUSTER: list(address.nodes) };
    case 'sentinel':
      return { REDIS_SENTINEL: list(address.sentinels), REDIS_MASTER: address.master };
    case 'server':
      return { REDIS_HOST: address.host, REDIS_PORT: String(address.port) };
    default:
      throw new Error(`No test reaches Redis by ${address.kind}`);
  }
}
