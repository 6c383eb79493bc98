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
  /** Commands give up after `timeoutMs`, 10,000 by default: what a test machine may take that is busy. */
  connect(address: RedisAddress, timeoutMs?: number): Promise<ConnectedClient>;
}

const PATIENT_MS = 10_000;

/**
 * What keeps commands from running late or twice in clients that connectRedis did not open: docs/redis-clients.md says
 * why.
 */
const ioredisOptions = (timeoutMs: number) =>
  ({
    connectTimeout: 1000,
    commandTimeout: timeoutMs,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    reconnectOnError: ({ message }: Error) => /^(READONLY|LOADING|MASTERDOWN)/.test(message),
  }) as const;

const ioredisClusterOptions = (timeoutMs: number) =>
  ({
    retryDelayOnFailover: 0,
    slotsRefreshTimeout: timeoutMs,
    redisOptions: ioredisOptions(timeoutMs),
  }) as const;

/** The same for node-redis. */
const nodeRedisOptions = (timeoutMs: number) =>
  ({
    disableOfflineQueue: true,
    pingInterval: timeoutMs,
    socket: {
      connectTimeout: 1000,
      socketTimeout: 2 * timeoutMs,
      reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 1000),
    },
  }) as const;

const ioredisKinds = (name: string, { Redis, Cluster }: typeof ioredis): readonly ClientKind[] => [
  {
    name,
    reaches: 'server',
    connect: async (address, timeoutMs = PATIENT_MS) =>
      ready(new Redis({ ...ioredisOptions(timeoutMs), ...hostOf(address) })),
  },
  {
    name: `${name}, sentinel`,
    reaches: 'sentinel',
    connect: async (address, timeoutMs = PATIENT_MS) =>
      ready(
        new Redis({
          ...ioredisOptions(timeoutMs),
          ...sentinelsOf(address),
          failoverDetector: true,
        }),
      ),
  },
  {
    name: `${name}, cluster`,
    reaches: 'cluster',
    connect: async (address, timeoutMs = PATIENT_MS) =>
      ready(new Cluster(nodesOf(address), ioredisClusterOptions(timeoutMs))),
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
    connect: (address, timeoutMs = PATIENT_MS) =>
      opened(library.createClient(optionsOf(address, timeoutMs))),
  },
  {
    name: `${name}, pool`,
    reaches: 'server',
    connect: (address, timeoutMs = PATIENT_MS) =>
      opened(library.createClientPool(optionsOf(address, timeoutMs), { maximum: 8 })),
  },
  {
    name: `${name}, sentinel`,
    reaches: 'sentinel',
    connect(address, timeoutMs = PATIENT_MS) {
      const { sentinels, name } = sentinelsOf(address);
      return opened(
        library.createSentinel({
          name,
          sentinelRootNodes: sentinels,
          nodeClientOptions: nodeRedisOptions(timeoutMs),
          commandOptions: { timeout: timeoutMs },
        }),
      );
    },
  },
  {
    name: `${name}, cluster`,
    reaches: 'cluster',
    connect: (address, timeoutMs = PATIENT_MS) =>
      opened(
        library.createCluster({
          rootNodes: nodesOf(address).map((socket) => ({ socket })),
          defaults: nodeRedisOptions(timeoutMs),
          commandOptions: { timeout: timeoutMs },
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

function optionsOf(address: RedisAddress, timeoutMs: number) {
  const options = nodeRedisOptions(timeoutMs);
  const socket = { ...options.socket, ...hostOf(address) };
  return { ...options, commandOptions: { timeout: timeoutMs }, socket };
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
