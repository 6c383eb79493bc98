import { Redis } from 'ioredis';
import { Redis as Redis6 } from 'ioredis6';
import { Redis as Valkey } from 'iovalkey';
import { expect, it } from 'vitest';
import { SessionService } from '../../src/index.ts';
import { countSessions, RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

describeWithServers.each([
  ['ioredis 5', (url: string) => new Redis(url, { enableAutoPipelining: true })],
  ['ioredis 6', (url: string) => new Redis6(url, { enableAutoPipelining: true })],
  ['iovalkey', (url: string) => new Valkey(url, { enableAutoPipelining: true })],
])('%s with enableAutoPipelining', (_name, open) => {
  it('runs scripts that are new to it or forgotten by Redis, many in one turn', async () => {
    const server = await startRedisServer({ binary: redisBinary() });
    const client = open(server.url);
    try {
      const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
      const { token } = await service.create({ n: '0' }, { user: 'ada' });
      for (let round = 0; round < 3; round += 1) {
        await client.script('FLUSH');
        // One of the application's own, which begins a pipeline before a script is defined.
        const answers = await Promise.all([
          client.get('something'),
          service.increment(token, 'n'),
          service.get(token),
          service.list('ada'),
        ]);
        expect(answers[1]).toBe(round + 1);
        expect(answers[2]?.user).toBe('ada');
        expect(answers[3]).toHaveLength(1);
      }
      expect(await service.deleteAll('ada')).toBe(1);
      expect(await countSessions({ client })).toBe(0);
    } finally {
      client.disconnect();
      await server.stop();
    }
  });
});
