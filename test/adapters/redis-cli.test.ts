import { expect, it } from 'vitest';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { redisCli } from '../../src/adapters/redis/redis-cli.ts';

const nodes = [
  { host: 'a.internal', port: 7000 },
  { host: 'b.internal', port: 7001 },
];
const sentinels = [{ host: 'watch.internal', port: 26379 }];

it.each<[RedisAddress, string]>([
  [{ kind: 'server', host: 'localhost', port: 6379 }, 'redis-cli'],
  [{ kind: 'server', host: '127.0.0.1', port: 6380 }, 'redis-cli -p 6380'],
  [{ kind: 'server', host: 'redis.internal', port: 6379 }, 'redis-cli -h redis.internal'],
  [{ kind: 'server', host: '::1', port: 6379 }, 'redis-cli -h ::1'],
  [{ kind: 'url', url: 'redis://localhost' }, 'redis-cli'],
  [
    { kind: 'url', url: 'rediss://ada:pa%20ss@redis.internal:6390/3' },
    'redis-cli -h redis.internal -p 6390 --tls --user ada --askpass -n 3',
  ],
  [
    { kind: 'url', url: 'redis://ada:secret@localhost', username: 'eve', password: () => 'other' },
    'redis-cli --user eve --askpass',
  ],
  [{ kind: 'socket', path: '/run/my redis/r.sock' }, "redis-cli -s '/run/my redis/r.sock'"],
  [{ kind: 'cluster', nodes, password: 'secret' }, 'redis-cli -c -h a.internal -p 7000 --askpass'],
  [
    { kind: 'server', host: 'localhost', port: 6379, username: "o'brien $(id)" },
    `redis-cli --user 'o'\\''brien $(id)'`,
  ],
  [
    { kind: 'sentinel', sentinels, master: 'mymaster', tls: {}, sentinelAccess: { username: 'w' } },
    'set -- $(redis-cli -h watch.internal -p 26379 --user w SENTINEL GET-MASTER-ADDR-BY-NAME mymaster); ' +
      'redis-cli -h $1 -p $2 --tls',
  ],
])('of %j is %s', (address, line) => {
  expect(redisCli(address)).toBe(line);
});

it('names the file of the authority only where there is TLS, and never a password', () => {
  const server = { kind: 'server', host: 'localhost', port: 6379, password: 'hunter2' } as const;
  expect(redisCli({ ...server, tls: {} }, { caFile: '/etc/ca.pem' })).toBe(
    'redis-cli --tls --cacert /etc/ca.pem --askpass',
  );
  expect(redisCli(server, { caFile: '/etc/ca.pem' })).toBe('redis-cli --askpass');
});
