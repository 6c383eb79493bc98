import 'reflect-metadata';
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe';
import { MemorySessionRepository } from './adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from './adapters/node/node-secrets.ts';
import { systemClock } from './adapters/node/system-clock.ts';
import { CommandTrace } from './adapters/redis/command-trace.ts';
import { connectRedis, type RedisAddress } from './adapters/redis/connect-redis.ts';
import { RedisInspection } from './adapters/redis/inspection.ts';
import { openNearCache } from './adapters/redis/near-cache.ts';
import { RedisSessionRepository } from './adapters/redis/redis-session-repository.ts';
import type { Config } from './config.ts';
import { StoreUnavailableError } from './domain/errors.ts';
import { SessionService } from './domain/session-service.ts';
import type { Clock } from './ports/clock.ts';
import type { Secrets } from './ports/secrets.ts';
import type { SessionRepository } from './ports/session-repository.ts';

/** A key of the container that knows the type of what it stands for. */
export type Token<T> = symbol & { readonly type?: T };

function token<T>(description: string): Token<T> {
  return Symbol(description);
}

/** Where the sessions are, as the program that holds the container has to know it. */
export interface Store {
  readonly kind: 'redis' | 'memory';
  /** For people: `Redis at localhost:6379`. Without a password. */
  readonly label: string;
  readonly repository: SessionRepository;
  /** Tells what work costs, where the store takes commands. */
  readonly trace?: CommandTrace;
  /** For who operates it; the embedded store has none. */
  readonly inspection?: RedisInspection;
  /** Resolves when the store answers; rejects with `StoreUnavailableError`. */
  ready(): Promise<void>;
  close(): Promise<void>;
}

export const tokens = {
  clock: token<Clock>('Clock'),
  secrets: token<Secrets>('Secrets'),
  store: token<Store>('Store'),
  repository: token<SessionRepository>('SessionRepository'),
  service: token<SessionService>('SessionService'),
};

export interface Container {
  resolve<T>(token: Token<T>): T;
  /** Closes what the container opened. */
  close(): Promise<void>;
}

export interface ContainerOptions {
  /** Hears of Redis connections that fail once the store was open. */
  readonly onStoreError?: (error: Error) => void;
  /** Registers other things under the tokens, for tests; called before anything is resolved. */
  readonly register?: (container: DependencyContainer) => void;
}

/** The store that the configuration asks for cannot be used. The message is one line that says which and why. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** Joins the layers as the configuration says and opens the store. Rejects with a `StartError` where Redis is needed and does not answer. */
export async function createContainer(
  config: Config,
  { onStoreError, register }: ContainerOptions = {},
): Promise<Container> {
  const container = root.createChildContainer();
  container.register(tokens.clock, { useValue: systemClock });
  container.register(tokens.secrets, { useValue: nodeSecrets });
  container.register(tokens.repository, {
    useFactory: (c) => c.resolve<Store>(tokens.store).repository,
  });
  container.register(tokens.service, {
    useFactory: instanceCachingFactory(
      (c) =>
        new SessionService({
          repository: c.resolve(tokens.repository),
          clock: c.resolve(tokens.clock),
          secrets: c.resolve(tokens.secrets),
          policy: config.policy,
        }),
    ),
  });
  register?.(container);
  if (!container.isRegistered(tokens.store)) {
    const store = await openStore(config, container.resolve(tokens.clock), onStoreError);
    container.register(tokens.store, { useValue: store });
  }
  return {
    resolve: (token) => container.resolve(token),
    close: () => container.resolve<Store>(tokens.store).close(), // dispose() would pass over it
  };
}

async function openStore(
  config: Config,
  clock: Clock,
  onStoreError: ContainerOptions['onStoreError'],
): Promise<Store> {
  if (config.store === 'memory') return memoryStore(clock, 'embedded in-memory store');
  const address: RedisAddress = config.redis ?? { kind: 'server', host: 'localhost', port: 6379 };
  const mayFallBack = config.store === 'auto' && config.redis === undefined && !config.production;
  try {
    return await redisStore(address, config, onStoreError);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    if (mayFallBack)
      return memoryStore(clock, `embedded in-memory store (no Redis at ${describe(address)})`);
    const reason = error.cause instanceof Error ? error.cause.message : error.message;
    throw new StartError(`cannot use Redis at ${describe(address)}: ${reason}`, { cause: error });
  }
}

async function redisStore(
  address: RedisAddress,
  { prefix, nearCache }: Config,
  onStoreError: ContainerOptions['onStoreError'],
): Promise<Store> {
  const { client, ping, close } = await connectRedis(address, onStoreError);
  const label = `Redis at ${describe(address)}`;
  const trace = new CommandTrace(client);
  const inspection = new RedisInspection({ client, prefix });
  if (!nearCache) {
    const repository = new RedisSessionRepository({ client, prefix });
    return { kind: 'redis', label, repository, trace, inspection, ready: ping, close };
  }
  const near = openNearCache({ client, prefix, ...(onStoreError && { onError: onStoreError }) });
  return {
    kind: 'redis',
    label: `${label}, with a near cache`,
    repository: near.repository,
    trace,
    inspection,
    ready: ping,
    async close() {
      await near.close();
      await close();
    },
  };
}

function memoryStore(clock: Clock, label: string): Store {
  return {
    kind: 'memory',
    label,
    repository: new MemorySessionRepository(clock),
    ready: async () => {},
    close: async () => {},
  };
}

/** Where that is, for people; never with a password. */
function describe(address: RedisAddress): string {
  switch (address.kind) {
    case 'server':
      return `${address.host}:${address.port}`;
    case 'url': {
      const { hostname, port } = new URL(address.url);
      return `${hostname}:${port || 6379}`;
    }
    case 'socket':
      return address.path;
    case 'sentinel':
      return `${address.master} (by sentinel)`;
    case 'cluster':
      return `${address.nodes.map(({ host, port }) => `${host}:${port}`).join(', ')} (cluster)`;
  }
}
