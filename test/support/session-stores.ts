import { openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import type { SessionRepository } from '../../src/ports/session-repository.ts';
import { type Deployment, deployments } from './deployments.ts';
import { redisClients } from './redis-clients.ts';

/** A deployment whose sessions can be opened. */
export interface SessionStore extends Deployment {
  /** The sessions, by a client of their own. `stop` closes it. */
  open(): Promise<SessionRepository>;
}

interface Opened {
  readonly repository: SessionRepository;
  close?(): Promise<void>;
}

type Open = (deployment: Deployment) => Promise<Opened>;

const direct: Open = async (deployment) => ({
  repository: new RedisSessionRepository({ client: await deployment.connect() }),
});
const near: Open = async (deployment) => openNearCache({ client: await deployment.connect() });

/** By the newest majors of the clients that `connectRedis` does not bring. */
const otherClients = redisClients.filter(
  ({ name, reaches }) =>
    reaches !== 'sentinel' &&
    (name.startsWith('ioredis 6') || name.startsWith('node-redis 6')) &&
    !name.endsWith('pool'),
);

/** Sessions in Redis in every way to run it, through the near cache, and by other clients. */
export const sessionStores = [
  ...deployments.map((kind) => storeOf(kind, kind.name, direct)),
  ...deployments.slice(0, 1).map((kind) => storeOf(kind, `${kind.name}, near cache`, near)),
  ...otherClients.flatMap(({ name, reaches, connect }) =>
    deployments
      .filter(({ kind }) => kind === reaches)
      .map((kind) =>
        storeOf(kind, `${kind.name}, ${name}`, async ({ address }) => {
          const { client, close } = await connect(address);
          return { repository: new RedisSessionRepository({ client }), close };
        }),
      ),
  ),
];

function storeOf({ start }: { start(): Promise<Deployment> }, name: string, open: Open) {
  return {
    name,
    async start(): Promise<SessionStore> {
      const deployment = await start();
      const opened: Opened[] = [];
      return {
        ...deployment,
        async open() {
          const store = await open(deployment);
          opened.push(store);
          return store.repository;
        },
        async stop() {
          await Promise.all(opened.map((store) => store.close?.()));
          await deployment.stop();
        },
      };
    },
  };
}
