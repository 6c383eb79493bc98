import { SessionService } from '../../src/index.ts';
import { connectRedis, RedisSessionRepository } from '../../src/redis.ts';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import type { Contender } from './contender.ts';

interface SojournVerb {
  readonly name: string;
  readonly refreshAfter?: number;
  readonly run: (service: SessionService, token: string, index: number) => Promise<unknown>;
}

export const sojournGet = sojourn({
  name: 'Sojourn get',
  run: (service, token) => service.get(token),
});

export const sojournContenders: readonly Contender[] = [
  sojournGet,
  sojourn({
    name: 'Sojourn get, refreshAfter',
    refreshAfter: 60,
    run: (service, token) => service.get(token),
  }),
  sojourn({ name: 'Sojourn peek', run: (service, token) => service.peek(token) }),
  sojourn({
    name: 'Sojourn update',
    run: (service, token, index) => service.update(token, { set: { cart_items: `${index % 10}` } }),
  }),
  sojourn({
    name: 'Sojourn increment',
    run: (service, token) => service.increment(token, 'cart_items'),
  }),
  sojourn({
    name: 'Sojourn create',
    run: (service, _token, index) => service.create(applicationData(index)),
  }),
];

function sojourn({ name, refreshAfter = 0, run }: SojournVerb): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const { client, close } = await connectRedis({ kind: 'url', url: redisUrl });
      const service = new SessionService({
        repository: new RedisSessionRepository({ client }),
        policy: { ttl: TTL_SECONDS, refreshAfter },
      });
      const tokens: string[] = new Array(sessions);
      await forEachIndex(sessions, async (index) => {
        tokens[index] = (await service.create(applicationData(index))).token;
      });
      return {
        run: (index) => run(service, tokens[index] as string, index),
        close,
      };
    },
  };
}
