import { setTimeout as wait } from 'node:timers/promises';
import { askRedis } from '../test/support/ask-redis.ts';
import type { RedisServer } from '../test/support/redis-server.ts';
import * as network from '../test/support/tcp-proxy.ts';

/** Each is over when its promise resolves. None may cost an acknowledged write: Redis keeps its log on disk. */
export function soakFaults(
  redis: RedisServer,
  proxy: network.TcpProxy,
): Readonly<Record<string, () => Promise<void>>> {
  const disturbed = (disturbance: network.Disturbance, ms: number) => async () => {
    proxy.disturb(disturbance);
    await wait(ms);
    proxy.calm();
  };
  return {
    'Redis killed and started again': async () => {
      await redis.kill();
      await redis.restart();
    },
    'Redis frozen for 2 s': async () => {
      redis.pause();
      await wait(2000);
      redis.resume();
    },
    'scripts forgotten': async () => void (await askRedis(redis, 'script flush')),
    'memory full for 2 s': async () => {
      await askRedis(redis, 'config set maxmemory 1');
      await wait(2000);
      await askRedis(redis, 'config set maxmemory 0');
    },
    'one reply in 20 lost for 2 s': disturbed(network.losingReplies(20), 2000),
    'replies 100 ms late for 2 s': disturbed(network.delayingReplies(100), 2000),
    'silence for 2 s': disturbed(network.silence, 2000),
  };
}
