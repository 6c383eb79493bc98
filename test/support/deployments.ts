import type { Cluster, Redis } from 'ioredis';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { redisBinary } from './live-redis.ts';
import { patient } from './patience.ts';
import { startRedisCluster } from './redis-cluster.ts';
import { startRedisSentinel } from './redis-sentinel.ts';
import { startRedisServer } from './redis-server.ts';

/** Redis as people run it, of a suite's own, reached as an application reaches it. */
export interface Deployment {
  readonly address: RedisAddress;
  /** A client of `connectRedis`; `stop` closes it. */
  connect(): Promise<Redis | Cluster>;
  stop(): Promise<void>;
}

interface Kind {
  readonly name: string;
  readonly kind: RedisAddress['kind'];
  start(): Promise<Deployment>;
}

interface Running {
  stop(): Promise<void>;
}

/** Every way to run Redis. Each suite file starts each once: `describeWithServers.each(deployments)`. */
export const deployments: readonly Kind[] = [
  {
    name: 'one server',
    kind: 'server',
    async start() {
      const server = await startRedisServer({ binary: redisBinary() });
      const { host, port } = server;
      return deploymentOf({ kind: 'server', host, port }, server);
    },
  },
  {
    name: 'a primary that sentinels watch',
    kind: 'sentinel',
    async start() {
      const watched = await startRedisSentinel({ binary: redisBinary() });
      const { addresses: sentinels, master } = watched;
      return deploymentOf({ kind: 'sentinel', sentinels, master }, watched);
    },
  },
  {
    name: 'a cluster',
    kind: 'cluster',
    async start() {
      const cluster = await startRedisCluster({ binary: redisBinary() });
      return deploymentOf({ kind: 'cluster', nodes: cluster.addresses }, cluster);
    },
  },
];

function deploymentOf(address: RedisAddress, running: Running): Deployment {
  const clients: (Redis | Cluster)[] = [];
  return {
    address,
    async connect() {
      const { client } = await connectRedis(address, patient);
      clients.push(client);
      return client;
    },
    async stop() {
      for (const client of clients) client.disconnect();
      await running.stop();
    },
  };
}
