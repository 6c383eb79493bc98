import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterEach, describe, expect, it, onTestFinished } from 'vitest';
import type {
  NodeRedisCluster,
  NodeRedisMaster,
} from '../../src/adapters/redis/clients/node-redis-client.ts';
import { NodeRedisClusterCommands } from '../../src/adapters/redis/clients/node-redis-cluster.ts';
import type { ConnectionEvents } from '../../src/adapters/redis/clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../../src/adapters/redis/clients/tell-apart.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const silent: ConnectionEvents = { ready() {}, lost() {}, failed() {}, heard() {} };

describe('on a cluster of node-redis', () => {
  /** Two primaries; commands to them are never answered. */
  function fakeCluster() {
    const asked: string[] = [];
    const client = {
      isOpen: true,
      options: { disableOfflineQueue: true },
      on() {},
      async connect() {},
      destroy() {},
      duplicate: () => client,
      sendCommand: () => new Promise(() => {}),
    };
    const masters = ['a:1', 'b:2'].map((address): NodeRedisMaster => {
      return { address, host: address, port: 1 };
    });
    const cluster = {
      masters,
      _options: { rootNodes: [] },
      commandOptions: { timeout: 50 },
      async nodeClient({ address }: NodeRedisMaster) {
        asked.push(address);
        return client;
      },
    };
    const commands = new NodeRedisClusterCommands(cluster as unknown as NodeRedisCluster);
    return { commands, masters, asked };
  }

  it('asks for no client of a primary that the cluster has dropped', async () => {
    const { commands, masters, asked } = fakeCluster();
    const [, dropped] = await commands.primaries();
    masters.pop();
    await expect(dropped?.command('PING', [])).rejects.toMatchObject({ outcome: 'refused' });
    const failures: Error[] = [];
    const standing = dropped?.stayConnected({ ...silent, failed: (error) => failures.push(error) });
    onTestFinished(() => standing?.close());
    await expect.poll(() => failures.length).toBeGreaterThan(0);
    expect(asked).toEqual([]);
  });

  it('waits for an answer as long as the cluster would', async () => {
    const [primary] = await fakeCluster().commands.primaries();
    const standing = await new Promise<{ command(name: string, args: []): Promise<unknown> }>(
      (resolve) => {
        const connection = primary?.stayConnected({
          ...silent,
          ready: () => connection && resolve(connection),
        });
        onTestFinished(() => connection?.close());
      },
    );
    await expect(standing.command('PING', [])).rejects.toMatchObject({
      cause: { message: 'no answer within 50 ms' },
    });
  });
});

describeWithServers('a standing connection', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(): Promise<{ redis: RedisServer; admin: Redis }> {
    const redis = await startRedisServer({ binary: redisBinary() });
    closing.push(() => redis.stop());
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    return { redis, admin };
  }

  it.each<[string, (redis: RedisServer) => Promise<RedisClient>]>([
    [
      'ioredis',
      async ({ url }) => {
        const client = new Redis(url, { username: 'app', password: 'top-secret' });
        client.on('error', () => {});
        closing.push(() => client.disconnect());
        return client;
      },
    ],
    [
      'node-redis',
      async ({ url }) => {
        const client = createClient({ url, username: 'app', password: 'top-secret' });
        client.on('error', () => {});
        closing.push(() => client.destroy());
        return client.connect();
      },
    ],
  ])('of %s tells no password when it is refused', async (_, connect) => {
    const { redis, admin } = await start();
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>top-secret', '~*', '&*', '+@all');
    const failures: Error[] = [];
    let isReady = false;
    const standing = commandsOf(await connect(redis)).stayConnected({
      ...silent,
      ready: () => {
        isReady = true;
      },
      failed: (error) => failures.push(error),
    });
    closing.push(() => standing.close());
    await until('it stands', async () => isReady);
    await admin.call('ACL', 'SETUSER', 'app', 'resetpass', '>another');
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    await until('it is refused', async () => /WRONGPASS/.test(inspect(failures)));
    expect(inspect(failures, { depth: null, showHidden: true })).not.toContain('top-secret');
  });

  it('of ioredis is not ended by the timer of a connection before it', async () => {
    const { redis } = await start();
    const socketTimeout = 500;
    const client = new Redis(redis.url, { socketTimeout });
    closing.push(() => client.disconnect());
    const duplicate = client.duplicate.bind(client);
    let own: Redis | undefined;
    client.duplicate = (override) => {
      own = duplicate(override);
      return own;
    };
    let ready = 0;
    const standing = commandsOf(client).stayConnected({
      ...silent,
      ready: () => {
        ready += 1;
      },
    });
    closing.push(() => standing.close());
    await until('it stands', async () => ready === 1);
    const answer = standing.command('PING', []);
    own?.stream.destroy();
    await expect(answer).rejects.toThrow();
    await until('it stands again', async () => ready === 2);
    await new Promise((resolve) => setTimeout(resolve, socketTimeout + 200)); // the timer's own time
    expect(ready).toBe(2);
  });
});
