import { expect, it } from 'vitest';
import { nodeRedis } from '../../src/adapters/redis/clients/node-redis-errors.ts';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { ioredis, storeUnavailable } from '../../src/adapters/redis/redis-errors.ts';
import { reasonOf, StoreUnavailableError } from '../../src/domain/errors.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

const RETRIES =
  'Reached the max retries per request limit (which is 0). Refer to "maxRetriesPerRequest" option for details.';
const SENTINELS = 'All sentinels are unreachable. Retrying from scratch after 10ms.';

it.each([
  ["Stream isn't writeable and enableOfflineQueue options is false", 'not connected to Redis'],
  [RETRIES, 'the connection was closed'],
  ['Connection is closed.', 'the connection was closed'],
  [
    "Cluster isn't ready and enableOfflineQueue options is false",
    'not connected to the Redis Cluster',
  ],
  ['None of startup nodes is available', 'no node of the Redis Cluster answers'],
  [SENTINELS, 'no sentinel tells where Redis is'],
  [
    `${SENTINELS} Last error: Connection is closed.`,
    'no sentinel tells where Redis is (the connection was closed)',
  ],
])('ioredis says %j, the reason is in plain words', (message, reason) => {
  const error = storeUnavailable(new Error(message));
  expect(reasonOf(error)).toBe(reason);
  expect(error).toMatchObject({ failure: 'connection', cause: { cause: { message } } });
  expect(storeUnavailable(error.cause).failure).toBe('connection'); // reported once more
});

it.each([
  ['The client is closed', 'not connected to Redis'],
  ['The client is offline', 'not connected to Redis'],
  ['Socket closed unexpectedly', 'the connection was closed'],
  ['Disconnects client', 'the connection was closed'],
  ['All the root nodes are unavailable', 'no node of the Redis Cluster answers'],
])('node-redis says %j, the reason is in plain words', (message, reason) => {
  const error = storeUnavailable(new Error(message), undefined, nodeRedis);
  expect(reasonOf(error)).toBe(reason);
  expect(error).toMatchObject({ failure: 'connection', cause: { cause: { message } } });
  expect(storeUnavailable(error.cause, undefined, nodeRedis).failure).toBe('connection');
});

it.each([
  'Command timed out',
  "READONLY You can't write against a read only replica.",
  'connect ECONNREFUSED 127.0.0.1:6379',
])('%j is plain as it is', (message) => {
  const error = storeUnavailable(new Error(message));
  expect(reasonOf(error)).toBe(message);
  expect(error.cause).not.toHaveProperty('cause');
});

it('the node of a cluster that failed last is named', () => {
  const lastNodeError = new Error('connect ECONNREFUSED 127.0.0.1:7001');
  const failed = Object.assign(new Error('Failed to refresh slots cache.'), { lastNodeError });
  expect(reasonOf(storeUnavailable(failed))).toBe(
    'no node of the Redis Cluster answers (connect ECONNREFUSED 127.0.0.1:7001)',
  );
});

it('nothing is known about a client that nobody reported on', () => {
  expect(ioredis({}).connectionError).toBeUndefined();
});

describeWithServers('while Redis is away', () => {
  it('the reason says why there is no connection, and is forgotten once there is one', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const { host, port } = redis;
    const { client, ping, close } = await connectRedis({ kind: 'server', host, port });
    const reason = () =>
      ping().then(
        () => 'none',
        (error) => (error instanceof StoreUnavailableError ? reasonOf(error) : String(error)),
      );
    try {
      await redis.kill();
      const why = `not connected to Redis (connect ECONNREFUSED ${host}:${port})`;
      await until('it was refused', async () => (await reason()) === why);
      await redis.restart();
      await until('it is back', async () => (await reason()) === 'none');
      expect(ioredis(client).connectionError).toBeUndefined();
    } finally {
      await close();
      await redis.stop();
    }
  });
});
