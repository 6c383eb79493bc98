import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { inSync, replicationDefaults } from '../support/replication.ts';
import { until } from '../support/until.ts';
import { span, underLoad } from './under-load.ts';

const FROZEN_MS = 3000;

/** What may be undone where one server takes over from another. */
const REPLICATION_GAP_MS = 1000;

describeWithServers('one Redis server that fails under load', () => {
  let server: RedisServer | undefined;
  afterEach(() => server?.stop());

  async function start(...args: string[]): Promise<RedisServer> {
    server = await startRedisServer({ binary: redisBinary(), args });
    return server;
  }

  it('killed and started again without persistence: all sessions ended at once, nothing written by a refused call', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async (_load, { wiped }) => {
      const away = await span(async () => {
        await redis.kill();
        await redis.restart();
      });
      wiped.push(away);
    });
    expect(answers.refused).toBeGreaterThan(0);
  });

  it('killed and started again with an append-only file: nothing acknowledged is lost', async () => {
    const redis = await start('--appendonly', 'yes', '--appendfsync', 'always');
    const answers = await underLoad(address(redis), async () => {
      await redis.kill();
      await redis.restart();
    });
    expect(answers.refused).toBeGreaterThan(0);
  });

  it('frozen: calls give up in time, and what nobody knows happened once or not at all', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async () => {
      redis.pause();
      await wait(FROZEN_MS); // the fault itself
      redis.resume();
    });
    expect(answers.unknown).toBeGreaterThan(0);
  });

  it('that forgets its scripts: nobody notices', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async (load) => {
      for (let i = 0; i < 20; i += 1) {
        await askRedis(redis, 'script flush');
        await load.more(20);
      }
    });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it('that loses everything: sessions have ended, and writes under way bring none back', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async (load, { wiped }) => {
      for (let i = 0; i < 20; i += 1) {
        wiped.push(await span(() => askRedis(redis, 'flushall')));
        await load.more(20);
      }
    });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
    expect(answers.absent).toBeGreaterThan(0);
  });

  it('with its memory full: sessions can be read, kept alive and ended, and writes are refused', async () => {
    const redis = await start('--maxmemory-policy', 'noeviction');
    const answers = await underLoad(address(redis), async (load) => {
      await askRedis(redis, 'config set maxmemory 1');
      const before = load.calls.length;
      await load.more(
        1,
        ({ action, outcome }) => action.kind === 'delete' && outcome.kind === 'ok',
      );
      await load.more(1, ({ action, outcome }) => action.kind === 'read' && outcome.kind === 'ok');
      await load.more(
        1,
        ({ action, outcome }) => action.kind === 'mark' && outcome.kind === 'refused',
      );
      const refused = load.calls.slice(before).filter(({ outcome }) => outcome.kind === 'refused');
      expect(new Set(refused.map(({ action }) => action.kind))).toEqual(
        new Set(['mark', 'increment']),
      );
      await askRedis(redis, 'config set maxmemory 0');
    });
    expect(answers.unknown).toBe(0);
  });

  it('used by applications whose clocks are two hours apart: nobody notices', async () => {
    const redis = await start();
    const apart = [-3_600_000, 3_600_000].map((ms) => ({ clock: { now: () => Date.now() + ms } }));
    const policy = { ttl: 60, lifetime: 600, refreshAfter: 1 };
    const apps = apart.map((app) => ({ ...app, policy }));
    const answers = await underLoad(address(redis), (load) => load.more(2000), { apps });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it('demoted to a replica: writes are refused, no session is absent, and all is well when it leads again', async () => {
    const redis = await start(...replicationDefaults);
    const other = await startRedisServer({ binary: redisBinary(), args: replicationDefaults });
    try {
      const answers = await underLoad(address(redis), async (load, { undone }) => {
        await askRedis(other, `replicaof ${redis.host} ${redis.port}`);
        await until('the other has everything', () => inSync(other, [redis]));
        const handover = await span(async () => {
          await askRedis(other, 'replicaof no one');
          await askRedis(redis, `replicaof ${other.host} ${other.port}`);
        });
        undone.push({ ...handover, begin: handover.begin - REPLICATION_GAP_MS });
        await until('it has everything again', () => inSync(redis, [other]));
        await load.more(100, ({ outcome }) => outcome.kind === 'refused');
        await askRedis(redis, 'replicaof no one');
      });
      expect(answers.refused).toBeGreaterThanOrEqual(100);
    } finally {
      await other.stop();
    }
  });

  it('cut off from its replicas and told to write nothing then: writes are refused', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async (load) => {
      await askRedis(redis, 'config set min-replicas-to-write 1');
      await load.more(100, ({ outcome }) => outcome.kind === 'refused');
      await askRedis(redis, 'config set min-replicas-to-write 0');
    });
    expect(answers.unknown).toBe(0);
  });
});

function address({ host, port }: RedisServer) {
  return { kind: 'server', host, port } as const;
}
