import { expect, it } from 'vitest';
import { slotOf } from '../../src/adapters/redis/key-slot.ts';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

describeWithServers('the slot of a key', () => {
  it('is the one that Redis says', async () => {
    const args = ['--cluster-enabled', 'yes'];
    const node = await startRedisServer({ binary: redisBinary(), args });
    const odd = [
      '',
      'a',
      'ключ',
      '😀',
      '{',
      '}',
      '{}a',
      'a{b}c',
      '{b}{c}',
      'a{}{b}',
      '}{a}',
      '{{b}}',
    ];
    const ids = Array.from(
      { length: 100 },
      (_, n) => `session:${n.toString(36).padStart(22, 'x')}`,
    );
    try {
      for (const key of [...odd, ...ids]) {
        expect([key, slotOf(key)]).toEqual([
          key,
          await askRedis(node, ['cluster', 'keyslot', key]),
        ]);
      }
    } finally {
      await node.stop();
    }
  });
});
