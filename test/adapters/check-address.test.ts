import { expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';

const host = 'redis.internal';

it.each<[unknown, RegExp]>([
  ['redis://:hunter2@redis.internal', /must be an object whose kind/],
  [new URL('redis://:hunter2@redis.internal'), /must be an object whose kind/],
  [undefined, /must be an object whose kind/],
  [null, /must be an object whose kind/],
  [{ host, port: 6379 }, /must be an object whose kind/],
  [{ kind: 'standalone', host, port: 6379 }, /must be an object whose kind/],
  [{ kind: 'url', url: new URL('redis://:hunter2@redis.internal') }, /url must be text/],
  [{ kind: 'url', url: undefined }, /url must be text/],
  [{ kind: 'url', url: 'redis://redis.internal', db: Number.NaN }, /db must be the number/],
  [{ kind: 'server', host }, /port must be a whole number from 1 to 65535/],
  [{ kind: 'server', host, port: Number.NaN }, /port must be/],
  [{ kind: 'server', host, port: 70_000 }, /port must be/],
  [{ kind: 'server', host, port: 0 }, /port must be/],
  [{ kind: 'server', host, port: '6379' }, /port must be/],
  [{ kind: 'server', host: '', port: 6379 }, /host must be/],
  [{ kind: 'server', port: 6379 }, /host must be/],
  [{ kind: 'server', host, port: 6379, db: Number(undefined) }, /db must be the number/],
  [{ kind: 'server', host, port: 6379, db: -1 }, /db must be the number/],
  [{ kind: 'server', host, port: 6379, db: 1.5 }, /db must be the number/],
  [{ kind: 'socket', path: '' }, /path must be/],
  [{ kind: 'sentinel', sentinels: [], master: 'main' }, /sentinels must be a list/],
  [{ kind: 'sentinel', sentinels: [{ host }], master: 'main' }, /port must be/],
  [{ kind: 'sentinel', sentinels: [{ host, port: 26_379 }] }, /master must be/],
  [{ kind: 'cluster', nodes: [] }, /nodes must be a list/],
  [{ kind: 'cluster' }, /nodes must be a list/],
  [{ kind: 'cluster', nodes: [`${host}:6379`] }, /host must be/],
])('an address that is none is refused before anything is connected: %j', async (address, why) => {
  const error = await connectRedis(address as RedisAddress).catch((error) => error);
  expect(error).toMatchObject({ code: 'invalid_option', message: expect.stringMatching(why) });
  expect(error.message).not.toContain('hunter2');
});
