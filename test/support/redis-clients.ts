import * as ioredis from 'ioredis';
import * as ioredis6 from 'ioredis6';
import * as iovalkey from 'iovalkey';
import * as redis6 from 'redis';
import * as redis5 from 'redis5';
import type { RedisAddress, RedisClient } from '../../src/redis.ts';

/** A client that is connected, and what closes it. */
export interface ConnectedClient {
  readonly client: RedisClient;
  close(): Promise<void>;
}

/** A client that people have, as they open it. */
export interface ClientKind {
  readonly name: string;
  /** Which deployments it is for. */
  readonly reaches: RedisAddress['kind'];
  connect(address: RedisAddress): Promise<ConnectedClient>;
}

/**
 * What keeps commands from running late or twice in clients that connectRedis did not open: docs/redis-clients.md says
 * why.
 */
const ioredisOptions = {
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  commandTimeout: 2000,
} as const;

/** The same for node-redis. */
const nodeRedisOptions = {
  disableOfflineQueue: true,
  pingInterval: 1000,
  socket: { socketTimeout: 3000, connectTimeout: 2000 },
} as const;
const commandOptions = { timeout: 2000 } as const;

const ioredisKinds = (name: string, { Redis, Cluster }: typeof ioredis): readonly ClientKind[] => [
  {
    name,
    reaches: 'server',
    connect: async (address) => ready(new Redis({ ...ioredisOptions, ...hostOf(address) })),
  },
  {
    name: `${name}, sentinel`,
    reaches: 'sentinel',
    connect: async (address) => ready(new Redis({ ...ioredisOptions, ...sentinelsOf(address) })),
  },
  {
    name: `${name}, cluster`,
    reaches: 'cluster',
    connect: async (address) =>
      ready(new Cluster(nodesOf(address), { redisOptions: ioredisOptions })),
  },
];

type NodeRedis = Pick<
  typeof redis6,
  'createClient' | 'createClientPool' | 'createCluster' | 'createSentinel'
>;

const nodeRedisKinds = (name: string, library: NodeRedis): readonly ClientKind[] => [
  {
    name: `${name}, client`,
    reaches: 'server',
    connect: (address) => opened(library.createClient(optionsOf(address))),
  },
  {
    name: `${name}, pool`,
    reaches: 'server',
    connect: (address) => opened(library.createClientPool(optionsOf(address), { maximum: 8 })),
  },
  {
    name: `${name}, sentinel`,
    reaches: 'sentinel',
    connect(address) {
      const { sentinels, name } = sentinelsOf(address);
      return opened(
        library.createSentinel({
          name,
          sentinelRootNodes: sentinels,
          nodeClientOptions: nodeRedisOptions,
          commandOptions,
        }),
      );
    },
  },
  {
    name: `${name}, cluster`,
    reaches: 'cluster',
    connect: (address) =>
      opened(
        library.createCluster({
          rootNodes: nodesOf(address).map((socket) => ({ socket })),
          defaults: nodeRedisOptions,
          commandOptions,
        }),
      ),
  },
];

/** Every client that Sojourn takes: each row of the table in docs/redis-clients.md. */
export const redisClients: readonly ClientKind[] = [
  ...ioredisKinds('ioredis 5', ioredis),
  ...ioredisKinds('ioredis 6', ioredis6 as unknown as typeof ioredis),
  ...ioredisKinds('iovalkey', iovalkey as unknown as typeof ioredis),
  ...nodeRedisKinds('node-redis 5', redis5 as unknown as NodeRedis),
  ...nodeRedisKinds('node-redis 6', redis6),
];

async function ready(client: ioredis.Redis | ioredis.Cluster): Promise<ConnectedClient> {
  client.on('error', () => {});
  await new Promise((resolve) => client.once('ready', resolve));
  return {
    client,
    async close() {
      client.disconnect();
    },
  };
}

async function opened(
  client: RedisClient & {
    connect(): Promise<unknown>;
    destroy(): unknown;
    on(event: 'error', listener: () => void): unknown;
  },
): Promise<ConnectedClient> {
  client.on('error', () => {});
  await client.connect();
  return {
    client,
    async close() {
      await client.destroy();
    },
  };
}

function optionsOf(address: RedisAddress) {
  const socket = { ...nodeRedisOptions.socket, ...hostOf(address) };
  return { ...nodeRedisOptions, commandOptions, socket };
}

function hostOf(address: RedisAddress) {
  if (address.kind !== 'server') throw new Error(`No server, but a ${address.kind}`);
  const { host, port } = address;
  return { host, port };
}

function sentinelsOf(address: RedisAddress) {
  if (address.kind !== 'sentinel') throw new Error(`No sentinels, but a ${address.kind}`);
  return { sentinels: [...address.sentinels], name: address.master };
}

function nodesOf(address: RedisAddress) {
  if (address.kind !== 'cluster') throw new Error(`No cluster, but a ${address.kind}`);
  return [...address.nodes];
}
