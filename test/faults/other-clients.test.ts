import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { RedisAddress } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type ClientKind, redisClients } from '../support/redis-clients.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startRedisSentinel } from '../support/redis-sentinel.ts';
import { startRedisServer } from '../support/redis-server.ts';
import * as proxy from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';
import { answers, type Happened, span, underLoad } from './under-load.ts';

const FROZEN_MS = 2000;
const REPLICATION_GAP_MS = 1000;

/** Of the clients that connectRedis does not open, one of each way to send again. */
const kinds = (reaches: ClientKind['reaches']) =>
  redisClients.filter(
    ({ name, reaches: reached }) => reached === reaches && /^(ioredis|node-redis) 6/.test(name),
  );

describeWithServers('clients of other kinds, under load', () => {
  const stops: (() => Promise<unknown>)[] = [];
  const stopLater = <T extends { stop(): Promise<unknown> }>(running: T): T => {
    stops.unshift(() => running.stop());
    return running;
  };
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop();
  });

  describe.each(kinds('server'))('$name on one server', (kind) => {
    it('that loses replies: nothing is done twice, and the caller is told that nobody knows', async () => {
      const server = stopLater(await startRedisServer({ binary: redisBinary() }));
      const network = stopLater(await proxy.startTcpProxy(server));
      const { host, port } = network;
      const told = await underLoad(
        { kind: 'server', host, port },
        async (load) => {
          network.disturb(proxy.losingReplies(20));
          await load.more(40, ({ outcome }) => outcome.kind === 'unknown');
          network.calm();
        },
        { kind },
      );
      expect(told.unknown).toBeGreaterThanOrEqual(40);
    });

    it('that is killed and started again: nothing is written by a refused call', async () => {
      const server = stopLater(await startRedisServer({ binary: redisBinary() }));
      const { host, port } = server;
      const told = await underLoad(
        { kind: 'server', host, port },
        async (_load, { wiped }) => {
          wiped.push(
            await span(async () => {
              await server.kill();
              await wait(500); // the fault itself
              await server.restart();
            }),
          );
        },
        { kind },
      );
      expect(told.refused).toBeGreaterThan(0);
    });

    it('that freezes: calls give up in time, and happened once or not at all', async () => {
      const server = stopLater(await startRedisServer({ binary: redisBinary() }));
      const { host, port } = server;
      const told = await underLoad(
        { kind: 'server', host, port },
        async () => {
          server.pause();
          await wait(FROZEN_MS); // the fault itself
          server.resume();
        },
        { kind },
      );
      expect(told.unknown).toBeGreaterThan(0);
    });

    it('that freezes while nobody asks: connections that were given up for it are made again', async () => {
      const server = stopLater(await startRedisServer({ binary: redisBinary() }));
      const { host, port } = server;
      const timeoutMs = 100;
      const { client } = stopLater(
        await connected(kind, { kind: 'server', host, port }, timeoutMs),
      );
      server.pause();
      await wait(10 * timeoutMs); // the fault itself, longer than a silent connection is kept
      server.resume();
      await until('it is served again', () => answers(client));
    });
  });

  describe.each(kinds('sentinel'))('$name', (kind) => {
    it('follows a failover that somebody asked for, and one after the primary was killed', async () => {
      const redis = stopLater(await startRedisSentinel({ binary: redisBinary() }));
      const address = {
        kind: 'sentinel',
        sentinels: redis.addresses,
        master: redis.master,
      } as const;
      await underLoad(
        address,
        async (_load, { undone }) => {
          undone.push(await span(() => redis.failOver()));
        },
        { kind },
      );
      await underLoad(
        address,
        async (_load, { undone }) => {
          const primary = await redis.primary();
          const begin = performance.now();
          await primary.kill();
          undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });
        },
        { kind },
      );
    });
  });

  describe.each([...kinds('server'), ...kinds('sentinel')])('the near cache on $name', (kind) => {
    it('serves nothing that has ended while its primary fails', async () => {
      if (kind.reaches === 'server') {
        const server = stopLater(await startRedisServer({ binary: redisBinary() }));
        const { host, port } = server;
        const killed = async (_load: unknown, { wiped }: Happened) => {
          wiped.push(
            await span(async () => {
              await server.kill();
              await server.restart();
            }),
          );
        };
        await underLoad({ kind: 'server', host, port }, killed, { kind, near: true });
        return;
      }
      const redis = stopLater(await startRedisSentinel({ binary: redisBinary() }));
      const address = {
        kind: 'sentinel',
        sentinels: redis.addresses,
        master: redis.master,
      } as const;
      const failedOver = async (_load: unknown, { undone }: Happened) => {
        undone.push(await span(() => redis.failOver()));
      };
      await underLoad(address, failedOver, { kind, near: true });
    });
  });

  describe.each(kinds('cluster'))('$name', (kind) => {
    it.each([
      { clients: 'clients of their own', near: false },
      { clients: 'a near cache', near: true },
    ])('goes on after a primary was killed, with $clients', async ({ near }) => {
      const redis = stopLater(await startRedisCluster({ binary: redisBinary() }));
      await underLoad(
        { kind: 'cluster', nodes: redis.addresses },
        async (_load, { undone }) => {
          const [primary] = redis.nodes;
          const begin = performance.now();
          await primary?.kill();
          await until(
            'a replica has taken over',
            async () => (await redis.primaries()).length === 3,
          );
          undone.push({ begin: begin - REPLICATION_GAP_MS, end: performance.now() });
        },
        { kind, near },
      );
    });
  });
});

async function connected(kind: ClientKind, address: RedisAddress, timeoutMs: number) {
  const { client, close } = await kind.connect(address, timeoutMs);
  return { client, stop: close };
}
