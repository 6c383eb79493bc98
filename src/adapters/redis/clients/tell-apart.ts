import type { Cluster, Redis } from 'ioredis';
import { IoredisCommands } from './ioredis.ts';
import { lenderOfClient, lenderOfPool, lenderOfSentinel, NodeRedisCommands } from './node-redis.ts';
import type {
  NodeRedis,
  NodeRedisCluster,
  NodeRedisPool,
  NodeRedisSentinel,
} from './node-redis-client.ts';
import { NodeRedisClusterCommands } from './node-redis-cluster.ts';
import type { RedisCommands } from './redis-commands.ts';

/** `Redis` or `Cluster` of ioredis 5 or 6 or of iovalkey, whichever copy of it. */
export interface IoredisClient {
  readonly options: object;
  /** Tells these clients from others. */
  defineCommand(
    name: string,
    definition: { readonly lua: string; readonly numberOfKeys?: number },
  ): unknown;
  /** For connections of one's own. */
  duplicate(...args: never[]): unknown;
  /** Tells these clients from pipelines. */
  disconnect(...args: never[]): void;
}

/** A client, a pool, a cluster or a sentinel of node-redis (`redis` or `@redis/client`) 5 or 6, whichever copy of it. */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Sends a command; of what it wants each of these clients has its own idea. */
  sendCommand(...args: never[]): Promise<unknown>;
  /** Whoever made the client calls it; Sojourn only on duplicates. */
  connect(): Promise<unknown>;
  /** Tells versions from 5 on from older ones. */
  destroy(): unknown;
}

/** The clients that Sojourn takes. docs/redis-clients.md says which options each needs, and what it cannot promise. */
export type RedisClient = IoredisClient | NodeRedisClient;

const known = new WeakMap<object, RedisCommands>();

/**
 * What Sojourn asks of that client. Clients are told apart by what they can do: a program may hold several copies of one,
 * and a bundler may have renamed its classes. Throws a `TypeError` for what is none, or is set up in a way that cannot work.
 */
export function commandsOf(client: RedisClient): RedisCommands {
  const before = isObject(client) ? known.get(client) : undefined;
  if (before !== undefined) return before;
  const commands = adapt(client);
  known.set(client, commands);
  return commands;
}

/** Stands for a client that was adapted already, where one is wanted. */
export function clientOf(commands: RedisCommands): RedisClient {
  known.set(commands, commands);
  return commands as unknown as RedisClient; // as `commandsOf` is the only one to look into it
}

function adapt(client: unknown): RedisCommands {
  if (can(client, 'defineCommand', 'duplicate', 'disconnect')) {
    const ioredis = client as Redis | Cluster;
    checkIoredis(ioredis.options);
    return new IoredisCommands(ioredis);
  }
  if (can(client, 'sendCommand', 'connect', 'destroy') && 'isOpen' in client) {
    const commands = adaptNodeRedis(client);
    if (commands !== undefined) return commands;
  }
  throw new TypeError(whyNot(client));
}

function adaptNodeRedis(client: object): RedisCommands | undefined {
  const { _keyPrefix } = client as { _keyPrefix?: unknown };
  if (isGiven(_keyPrefix)) throw prefixTwice();
  if (can(client, 'nodeClient') && 'masters' in client) {
    return new NodeRedisClusterCommands(client as unknown as NodeRedisCluster);
  }
  if (can(client, 'acquire', '_execute')) {
    return new NodeRedisCommands(lenderOfSentinel(client as unknown as NodeRedisSentinel));
  }
  if (can(client, 'execute')) {
    return new NodeRedisCommands(lenderOfPool(client as unknown as NodeRedisPool));
  }
  if (can(client, 'duplicate')) {
    return new NodeRedisCommands(lenderOfClient(client as unknown as NodeRedis));
  }
  return undefined;
}

interface IoredisOptions {
  readonly keyPrefix?: unknown;
  readonly stringNumbers?: unknown;
  readonly redisOptions?: IoredisOptions | undefined;
}

/** Those of a cluster's nodes are its `redisOptions`. */
function checkIoredis({ keyPrefix, stringNumbers, redisOptions }: IoredisOptions): void {
  if (isGiven(keyPrefix)) throw prefixTwice();
  if (stringNumbers) {
    throw new TypeError(
      'This client has the option stringNumbers, which turns numbers into texts: "0" would pass for something that is there. Give Sojourn a client without it.',
    );
  }
  if (redisOptions !== undefined) checkIoredis(redisOptions);
}

function prefixTwice(): TypeError {
  return new TypeError(
    'This client has the option keyPrefix, which scans and announcements of Redis do not know of. Give Sojourn a client without it, and say what keys begin with by its own option "prefix".',
  );
}

function isGiven(prefix: unknown): boolean {
  return prefix !== undefined && prefix !== null && prefix !== '';
}

/** What was given instead of a client, and what to do. */
function whyNot(client: unknown): string {
  const wanted =
    'client must be a client of ioredis 5 or 6, iovalkey, or node-redis ("redis" or "@redis/client") 5 or 6';
  if (can(client, 'then')) return `${wanted}; this is a promise: await it first`;
  if (isObject((client as { client?: unknown } | undefined)?.client))
    return `${wanted}; give it the ".client" of this object`;
  if (can(client, 'exec')) return `${wanted}; this is a pipeline or a transaction`;
  if (typeof client === 'function') return `${wanted}; this is a function or a class`;
  if (can(client, 'release') && 'isOpen' in client) {
    return `${wanted}; this is a connection that a sentinel client lends: give it the sentinel client`;
  }
  if (can(client, 'sendCommand')) {
    return `${wanted}; this is another client, node-redis 4 or earlier, or its legacy mode`;
  }
  return `${wanted}; this is ${describe(client)}`;
}

/** Tells of no value: a URL may hold a password. */
function describe(client: unknown): string {
  if (client === undefined || client === null) return String(client);
  if (typeof client === 'string') return 'a text; connectRedis takes a URL';
  if (!isObject(client)) return `a ${typeof client}`;
  const methods = Object.keys(client).slice(0, 5);
  return methods.length === 0
    ? 'an object with nothing of its own'
    : `an object with ${methods.join(', ')}`;
}

function can(client: unknown, ...methods: readonly string[]): client is object {
  return (
    isObject(client) &&
    methods.every((name) => typeof (client as Record<string, unknown>)[name] === 'function')
  );
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
