import { Cluster, Redis } from 'ioredis';
import RedisMock from 'ioredis-mock';
import { Cluster as Cluster6, Redis as Redis6 } from 'ioredis6';
import { Redis as Valkey, Cluster as ValkeyCluster } from 'iovalkey';
import * as redis6 from 'redis';
import * as redis5 from 'redis5';
import { describe, expect, it } from 'vitest';
import { commandsOf } from '../../src/adapters/redis/clients/tell-apart.ts';
import { openNearCache } from '../../src/near-cache.ts';
import {
  countSessions,
  type RedisClient,
  RedisSessionRepository,
  scanSessions,
  watchExpiry,
} from '../../src/redis.ts';

const nowhere = { host: '127.0.0.1', port: 1, lazyConnect: true } as const;
const nodes = [{ host: '127.0.0.1', port: 1 }];
const lazy = { lazyConnect: true } as const;
const sentinel = { name: 'mymaster', sentinelRootNodes: nodes };

// That this compiles is a part of what is tested: the types take every copy of a client.
const clients: readonly (readonly [name: string, client: RedisClient, isCluster: boolean])[] = [
  ['ioredis 5', new Redis(nowhere), false],
  ['ioredis 5, cluster', new Cluster(nodes, lazy), true],
  ['ioredis 6', new Redis6(nowhere), false],
  [
    'ioredis 6 that maps answers as RESP3 has them',
    new Redis6({ ...nowhere, replyMapping: 'resp3' }),
    false,
  ],
  ['ioredis 6, cluster', new Cluster6(nodes, lazy), true],
  ['iovalkey', new Valkey(nowhere), false],
  ['iovalkey, cluster', new ValkeyCluster(nodes, lazy), true],
  ['ioredis-mock', new RedisMock(), false],
  ['node-redis 5', redis5.createClient(), false],
  ['node-redis 5, pool', redis5.createClientPool(), false],
  ['node-redis 5, sentinel', redis5.createSentinel(sentinel), false],
  ['node-redis 5, cluster', redis5.createCluster({ rootNodes: [] }), true],
  ['node-redis 6', redis6.createClient(), false],
  ['node-redis 6 in RESP2', redis6.createClient({ RESP: 2 }), false],
  [
    'node-redis 6 with options of its own for commands',
    redis6.createClient().withCommandOptions({ timeout: 5 }),
    false,
  ],
  ['node-redis 6, pool', redis6.createClientPool(), false],
  ['node-redis 6, sentinel', redis6.createSentinel(sentinel), false],
  ['node-redis 6, cluster', redis6.createCluster({ rootNodes: [] }), true],
];

it.each(clients)(
  'takes %s that is not connected, and tells whether it is a cluster',
  (_name, client, isCluster) => {
    expect(() => new RedisSessionRepository({ client })).not.toThrow();
    expect(commandsOf(client).isCluster).toBe(isCluster);
  },
);

it.each(clients.filter(([, , isCluster]) => isCluster))(
  'does not take %s that is not connected for one without sessions',
  async (_name, client) => {
    await expect(countSessions({ client })).rejects.toMatchObject({ outcome: 'refused' });
  },
);

it('knows a client whose classes have other names', () => {
  class Q extends Redis {}
  class R extends Cluster {}
  expect(commandsOf(new Q(nowhere)).isCluster).toBe(false);
  expect(commandsOf(new R(nodes, lazy)).isCluster).toBe(true);
});

const keyPrefix = 'shop:';
describe.each([
  ['ioredis 5', new Redis({ ...nowhere, keyPrefix })],
  ['a cluster of ioredis 5', new Cluster(nodes, { ...lazy, keyPrefix })],
  ['a cluster whose nodes have it', new Cluster(nodes, { ...lazy, redisOptions: { keyPrefix } })],
  ['ioredis 6', new Redis6({ ...nowhere, keyPrefix })],
  ['iovalkey', new Valkey({ ...nowhere, keyPrefix })],
  ['node-redis 6', redis6.createClient({ keyPrefix })],
  ['a pool of node-redis 6', redis6.createClientPool({ keyPrefix })],
  ['a sentinel of node-redis 6', redis6.createSentinel({ ...sentinel, keyPrefix })],
  ['a cluster of node-redis 6', redis6.createCluster({ rootNodes: [], keyPrefix })],
] as [string, RedisClient][])('keyPrefix of %s', (_name, client) => {
  it('is refused by all that take a client, at once', () => {
    const refusal = /keyPrefix.*"prefix"/;
    expect(() => new RedisSessionRepository({ client })).toThrow(refusal);
    expect(() => openNearCache({ client })).toThrow(refusal);
    expect(() => scanSessions({ client })).toThrow(refusal);
    return Promise.all([
      expect(countSessions({ client })).rejects.toThrow(refusal),
      expect(watchExpiry({ client, observer: { notify() {} } })).rejects.toThrow(refusal),
    ]);
  });
});

it.each([
  ['ioredis', new Redis({ ...nowhere, stringNumbers: true })],
  ['ioredis 6', new Redis6({ ...nowhere, stringNumbers: true })],
  ['a cluster', new Cluster(nodes, { ...lazy, redisOptions: { stringNumbers: true } })],
] as [string, RedisClient][])('refuses stringNumbers of %s', (_name, client) => {
  expect(() => new RedisSessionRepository({ client })).toThrow(TypeError);
  expect(() => new RedisSessionRepository({ client })).toThrow(/stringNumbers/);
});

it.each([
  ['nothing', undefined, 'this is undefined'],
  ['null', null, 'this is null'],
  ['an empty object', {}, 'an object without properties'],
  ['a number', 6379, 'this is a number'],
  ['a URL', 'redis://:hunter2@localhost', "connectRedis({ kind: 'url', url }) accepts a URL"],
  ['options', { host: 'localhost', password: 'hunter2' }, 'an object with host, password'],
  ['a class', Redis, 'a function or a class'],
  ['a promise of a client', Promise.resolve(), 'await it first'],
  ['what connectRedis opens', { client: new Redis(nowhere), close() {} }, 'the ".client" of this'],
  ['a pipeline', new Redis(nowhere).pipeline(), 'a pipeline or a transaction'],
  ['a transaction of node-redis', redis6.createClient().multi(), 'a pipeline or a transaction'],
  ['the legacy mode of node-redis', redis6.createClient().legacy(), 'its legacy mode'],
  ['node-redis 4', { isOpen: true, sendCommand() {}, connect() {}, quit() {} }, 'node-redis 4'],
])('refuses %s in words', (_name, client, words) => {
  const construct = () => new RedisSessionRepository({ client: client as unknown as RedisClient });
  expect(construct).toThrow(TypeError);
  expect(construct).toThrow(words);
  expect(construct).toThrow('ioredis 5 or 6, iovalkey, or node-redis');
  expect(construct).not.toThrow('hunter2');
});
