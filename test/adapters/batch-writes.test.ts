import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { connectRedis } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { patient } from '../support/patience.ts';
import { startRedisServer } from '../support/redis-server.ts';

describeWithServers('commands of one turn of the event loop', () => {
  it('share packets, keep their order and are all answered', async () => {
    const server = await startRedisServer({ binary: redisBinary() });
    const observer = new Redis(server.url);
    const { client, close } = await connectRedis({ kind: 'url', url: server.url }, patient);
    const reads = async () =>
      Number(/total_reads_processed:(\d+)/.exec(await observer.info('stats'))?.[1]);
    try {
      const before = await reads();
      const answers = await Promise.all(Array.from({ length: 64 }, () => client.incr('n')));
      expect(answers).toEqual(Array.from({ length: 64 }, (_, i) => i + 1));
      expect((await reads()) - before).toBeLessThan(16);
      expect(await client.incr('n')).toBe(65); // alone in its turn
    } finally {
      await close();
      observer.disconnect();
      await server.stop();
    }
  });
});
