import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { killReaders } from '../support/near-cache-connections.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import * as proxy from '../support/tcp-proxy.ts';
import { underLoad } from './under-load.ts';

const SILENT_MS = 3000;
const near = { near: true };

describeWithServers('a near cache under load', () => {
  let server: RedisServer;
  let network: proxy.TcpProxy;
  beforeEach(async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    server = await startRedisServer({ binary: redisBinary(), args });
    network = await proxy.startTcpProxy(server);
  });
  afterEach(async () => {
    await network?.stop();
    await server?.stop();
  });

  const address = () => ({ kind: 'server', host: network.host, port: network.port }) as const;

  it('whose network loses replies: its own changes are seen at once, and what nobody knows happened once or not at all', async () => {
    const answers = await underLoad(
      address(),
      async (load) => {
        network.disturb(proxy.losingReplies(50));
        await load.more(60, ({ outcome }) => outcome.kind === 'unknown');
        network.calm();
      },
      near,
    );
    expect(answers.unknown).toBeGreaterThanOrEqual(60);
  });

  it('that hears of changes late: its own are seen at once', async () => {
    const answers = await underLoad(
      address(),
      async (load) => {
        network.disturb(async (piece, { pass }) => {
          if (piece.includes('__redis__:invalidate')) await wait(200);
          pass(piece);
        });
        await load.more(1000);
        network.calm();
      },
      near,
    );
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });

  it('whose network falls silent: calls give up in time', async () => {
    const answers = await underLoad(
      address(),
      async () => {
        network.disturb(proxy.silence);
        await wait(SILENT_MS); // the fault itself
        network.calm();
      },
      near,
    );
    expect(answers.unknown).toBeGreaterThan(0);
  });

  it('whose Redis is killed and started again: nothing acknowledged is lost', async () => {
    const answers = await underLoad(
      address(),
      async (load) => {
        await server.kill();
        await server.restart();
        await load.more(100);
      },
      near,
    );
    expect(answers.refused + answers.unknown).toBeGreaterThan(0);
  });

  it('whose connections, for changes and for reads, are cut again and again: nobody notices', async () => {
    const answers = await underLoad(
      address(),
      async (load) => {
        for (let i = 0; i < 10; i += 1) {
          if (i % 2 === 0) await askRedis(server, 'client kill type pubsub');
          else await killReaders(server);
          await load.more(100);
        }
      },
      near,
    );
    expect(answers).toMatchObject({ refused: 0, unknown: 0 });
  });
});
