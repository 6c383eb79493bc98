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

/** `Redis` or `Cluster` of ioredis 5 or 6 or of iovalkey, from any copy of the package. */
export interface IoredisClient {
  readonly options: object;
  /** Distinguishes these clients from others. */
  defineCommand(
    name: string,
    definition: { readonly lua: string; readonly numberOfKeys?: number },
  ): unknown;
  /** Used to open further connections. */
  duplicate(...args: never[]): unknown;
  /** Distinguishes these clients from pipelines. */
  disconnect(...args: never[]): void;
}

/**
 * A client, pool, cluster or sentinel client of node-redis (`redis` or `@redis/client`) 5 or 6, from any copy of the
 * package.
 */
export interface NodeRedisClient {
  readonly isOpen: boolean;
  /** Sends a command. Each of these clients takes different arguments. */
  sendCommand(...args: never[]): Promise<unknown>;
  /** Called by the application. Sojourn calls it only on duplicates. */
  connect(): Promise<unknown>;
  /** Distinguishes version 5 and later from older ones. */
  destroy(): unknown;
}

/**
 * The Redis clients that Sojourn supports. docs/redis-clients.md says which options each needs and what it cannot
 * guarantee.
 */
export type RedisClient = IoredisClient | NodeRedisClient;

const known = new WeakMap<object, RedisCommands>();

/**
 * The adapter for this client. Clients are recognised by their methods, because a program may contain several copies of
 * a library, and a bundler may have renamed its classes. Throws a `TypeError` for anything else, and for a client with
 * options that cannot work.
 */
export function commandsOf(client: RedisClient): RedisCommands {
  const before = isObject(client) ? known.get(client) : undefined;
  if (before !== undefined) return before;
  const commands = adapt(client);
  known.set(client, commands);
  return commands;
}

/** Lets commands that are adapted already be passed where a client is expected. */
export function clientOf(commands: RedisCommands): RedisClient {
  known.set(commands, commands);
  return commands as unknown as RedisClient; // only `commandsOf` reads it
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

/** The options of a cluster's nodes are its `redisOptions`. */
function checkIoredis({ keyPrefix, stringNumbers, redisOptions }: IoredisOptions): void {
  if (isGiven(keyPrefix)) throw prefixTwice();
  if (stringNumbers) {
    throw new TypeError(
      'This client has the option stringNumbers, which turns numbers into strings, so that "0" would count as true. Pass a client without it.',
    );
  }
  if (redisOptions !== undefined) checkIoredis(redisOptions);
}

function prefixTwice(): TypeError {
  return new TypeError(
    'This client has the option keyPrefix, which scans and notifications of Redis ignore. Pass a client without it, and use the option "prefix" of Sojourn instead.',
  );
}

function isGiven(prefix: unknown): boolean {
  return prefix !== undefined && prefix !== null && prefix !== '';
}

/** Says what was passed instead of a client, and what to do. */
function whyNot(client: unknown): string {
  const wanted =
    'client must be a client of ioredis 5 or 6, iovalkey, or node-redis ("redis" or "@redis/client") 5 or 6';
  if (can(client, 'then')) return `${wanted}; this is a promise: await it first`;
  if (isObject((client as { client?: unknown } | undefined)?.client))
    return `${wanted}; pass the ".client" of this object`;
  if (can(client, 'exec')) return `${wanted}; this is a pipeline or a transaction`;
  if (typeof client === 'function') return `${wanted}; this is a function or a class`;
  if (can(client, 'release') && 'isOpen' in client) {
    return `${wanted}; this is a connection lent by a sentinel client: pass the sentinel client`;
  }
  if (can(client, 'sendCommand')) {
    return `${wanted}; this is another client, node-redis 4 or earlier, or its legacy mode`;
  }
  return `${wanted}; this is ${describe(client)}`;
}

/** Never shows a value: a URL may contain a password. */
function describe(client: unknown): string {
  if (client === undefined || client === null) return String(client);
  if (typeof client === 'string')
    return "a string; connectRedis({ kind: 'url', url }) accepts a URL";
  if (!isObject(client)) return `a ${typeof client}`;
  const methods = Object.keys(client).slice(0, 5);
  return methods.length === 0
    ? 'an object without properties'
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
