import type { Cluster, Redis } from 'ioredis';
import { openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import type { SessionRepository } from '../../src/ports/session-repository.ts';
import { type Deployment, deployments } from './deployments.ts';

/** A deployment whose sessions can be opened. */
export interface SessionStore extends Deployment {
  /** The sessions, by that client. `stop` closes what this opens. */
  open(client: Redis | Cluster): SessionRepository;
}

type Open = (client: Redis | Cluster) => {
  readonly repository: SessionRepository;
  close?(): Promise<void>;
};

const direct: Open = (client) => ({ repository: new RedisSessionRepository({ client }) });
const near: Open = (client) => openNearCache({ client });

/** Sessions in Redis in every way to run it, and through the near cache. */
export const sessionStores = [
  ...deployments.map(({ name, start }) => ({ name, start: storeStart(start, direct) })),
  ...deployments
    .slice(0, 1)
    .map(({ name, start }) => ({ name: `${name}, near cache`, start: storeStart(start, near) })),
];

function storeStart(start: () => Promise<Deployment>, open: Open): () => Promise<SessionStore> {
  return async () => {
    const deployment = await start();
    const opened: ReturnType<Open>[] = [];
    return {
      ...deployment,
      open(client) {
        const store = open(client);
        opened.push(store);
        return store.repository;
      },
      async stop() {
        await Promise.all(opened.map((store) => store.close?.()));
        await deployment.stop();
      },
    };
  };
}
