import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { span, underLoad } from './under-load.ts';

const FROZEN_MS = 3000;

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
        await load.moreAnswered(20);
      }
    });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it('that loses everything: sessions have ended, and writes under way bring none back', async () => {
    const redis = await start();
    const answers = await underLoad(address(redis), async (load, { wiped }) => {
      for (let i = 0; i < 20; i += 1) {
        wiped.push(await span(() => askRedis(redis, 'flushall')));
        await load.moreAnswered(20);
      }
    });
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
    expect(answers.absent).toBeGreaterThan(0);
  });
});

function address({ host, port }: RedisServer) {
  return { kind: 'server', host, port } as const;
}
