import { setTimeout } from 'node:timers/promises';
import { SessionService } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { connectRedis, RedisSessionRepository } from '../../src/redis.ts';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import type { Contender } from './contender.ts';

interface SojournVerb {
  readonly name: string;
  readonly refreshAfter?: number;
  /** Seconds; the policy's default if it is not said. */
  readonly lifetime?: number | undefined;
  readonly run: (service: SessionService, token: string, index: number) => Promise<unknown>;
}

export const sojournGet = sojourn({
  name: 'Sojourn get',
  run: (service, token) => service.get(token),
});

/** As the peers keep them, which know no end but the idle timeout. */
export const sojournWithoutLifetime = sojourn({
  name: 'Sojourn get, no lifetime',
  lifetime: undefined,
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

/** By then the slides are done that the near cache put off: docs/near-cache.md. */
const PUT_OFF_MS = 1500;

/** Every hundredth operation is a write by another process. */
const ONE_IN = 100;

export const nearCacheContenders: readonly Contender[] = [
  nearCache({ name: 'Sojourn get, near cache', writesElsewhere: false }),
  nearCache({ name: 'Sojourn get, near cache, 1 % writes elsewhere', writesElsewhere: true }),
];

function sojourn({ name, refreshAfter = 0, run, ...policy }: SojournVerb): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const { client, close } = await connectRedis({ kind: 'url', url: redisUrl });
      const service = new SessionService({
        repository: new RedisSessionRepository({ client }),
        policy: { ttl: TTL_SECONDS, refreshAfter, ...policy },
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

function nearCache({
  name,
  writesElsewhere,
}: {
  readonly name: string;
  readonly writesElsewhere: boolean;
}): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const [here, elsewhere] = await Promise.all([
        connectRedis({ kind: 'url', url: redisUrl }),
        connectRedis({ kind: 'url', url: redisUrl }),
      ]);
      const cache = openNearCache({ client: here.client });
      const policy = { ttl: TTL_SECONDS };
      const service = new SessionService({
        repository: cache.repository,
        policy,
        rememberTokens: 10_000,
      });
      const other = new SessionService({
        repository: new RedisSessionRepository({ client: elsewhere.client }),
        policy,
      });
      const tokens: string[] = new Array(sessions);
      await forEachIndex(sessions, async (index) => {
        tokens[index] = (await service.create(applicationData(index))).token;
        await service.get(tokens[index]); // from then on it is kept
      });
      return {
        run(index) {
          const token = tokens[index] as string;
          return writesElsewhere && Math.random() * ONE_IN < 1
            ? other.update(token, { set: { cart_items: `${index % 10}` } })
            : service.get(token);
        },
        settle: () => setTimeout(PUT_OFF_MS),
        async close() {
          await cache.close();
          await Promise.all([here.close(), elsewhere.close()]);
        },
      };
    },
  };
}
