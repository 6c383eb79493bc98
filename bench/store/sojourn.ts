import { SessionService, type SessionServiceOptions } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { type RedisClient, RedisSessionRepository } from '../../src/redis.ts';
import { connect as connectByIoredis } from '../connect.ts';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import { openNodeRedis } from '../node-redis.ts';
import type { Contender } from './contender.ts';

interface SojournVerb {
  readonly name: string;
  /** As most applications do, by the client that Sojourn brings, unless it is said. */
  readonly connect?: Connect;
  readonly policy?: SessionServiceOptions['policy'];
  readonly run?: (service: SessionService, token: string, index: number) => Promise<unknown>;
}

type Connect = (redisUrl: string) => Promise<{
  readonly client: RedisClient;
  close(): Promise<void>;
}>;

const byNodeRedis: Connect = async (url) => {
  const client = await openNodeRedis(url);
  return { client, close: () => client.close() };
};

export const sojournGet = sojourn({ name: 'Sojourn get' });
export const sojournRefreshAfter = sojourn({
  name: 'Sojourn get, refreshAfter',
  policy: { refreshAfter: 60 },
});
export const sojournByNodeRedis = sojourn({
  name: 'Sojourn get (node-redis)',
  connect: byNodeRedis,
});

/** As the peers keep them, which know no end but the idle timeout. */
export const sojournWithoutLifetime = sojourn({
  name: 'Sojourn get, no lifetime',
  policy: { lifetime: undefined },
});

export const sojournVerbs: readonly Contender[] = [
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

/** A use is slid a second and a quarter later at the latest: docs/near-cache.md. */
const PUT_OFF_SECONDS = 1.5;

/** Every hundredth operation is a write by another process. */
const ONE_IN = 100;

export const nearCacheHit = nearCache({ name: 'Sojourn get, near cache' });
export const nearCacheWithWrites = nearCache({
  name: 'Sojourn get, near cache, 1 % writes elsewhere',
  writesElsewhere: true,
});

function sojourn({
  name,
  connect = connectByIoredis,
  policy = {},
  run = (service, token) => service.get(token),
}: SojournVerb): Contender {
  return {
    name,
    async open(redisUrl, sessions) {
      const { client, close } = await connect(redisUrl);
      const service = new SessionService({
        repository: new RedisSessionRepository({ client }),
        policy: { ttl: TTL_SECONDS, ...policy },
      });
      const tokens: string[] = new Array(sessions);
      await forEachIndex(sessions, async (index) => {
        tokens[index] = (await service.create(applicationData(index))).token;
      });
      return { run: (index) => run(service, tokens[index] as string, index), close };
    },
  };
}

function nearCache({
  name,
  writesElsewhere = false,
}: {
  readonly name: string;
  readonly writesElsewhere?: boolean;
}): Contender {
  return {
    name,
    steadyAfterSeconds: PUT_OFF_SECONDS,
    async open(redisUrl, sessions) {
      const here = await connectByIoredis(redisUrl);
      const elsewhere = writesElsewhere ? await connectByIoredis(redisUrl) : undefined;
      const cache = openNearCache({ client: here.client });
      const policy = { ttl: TTL_SECONDS };
      const service = new SessionService({
        repository: cache.repository,
        policy,
        rememberTokens: 10_000,
      });
      const other =
        elsewhere &&
        new SessionService({
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
          return other !== undefined && Math.random() * ONE_IN < 1
            ? other.update(token, { set: { cart_items: `${index % 10}` } })
            : service.get(token);
        },
        async close() {
          await cache.close();
          await Promise.all([here.close(), elsewhere?.close()]);
        },
      };
    },
  };
}
