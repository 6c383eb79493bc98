import 'reflect-metadata';
import { type DependencyContainer, instanceCachingFactory, container as root } from 'tsyringe';
import { RedisOldKeys } from './adapters/express/carry-over/redis-old-keys.ts';
import { MemoryJournal } from './adapters/memory/memory-journal.ts';
import { MemorySessionRepository } from './adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from './adapters/node/node-secrets.ts';
import type { RecentFigures } from './adapters/node/recent-figures.ts';
import { systemClock } from './adapters/node/system-clock.ts';
import type { SpanDatabase } from './adapters/opentelemetry/session-spans.ts';
import type { ServerLog } from './adapters/pino/server-log.ts';
import type { KnownCount } from './adapters/prometheus/session-count.ts';
import type { SessionMetrics } from './adapters/prometheus/session-metrics.ts';
import { commandsOf } from './adapters/redis/clients/tell-apart.ts';
import { connectRedis } from './adapters/redis/connect-redis.ts';
import { CommandTrace } from './adapters/redis/inspect/command-trace.ts';
import { RedisInspection } from './adapters/redis/inspect/inspection.ts';
import { shareCount } from './adapters/redis/inspect/shared-count.ts';
import { watchExpiry } from './adapters/redis/inspect/watch-expiry.ts';
import { type NearCache, openNearCache } from './adapters/redis/near-cache/near-cache.ts';
import {
  type HostAndPort,
  parseRedisUrl,
  type RedisAddress,
} from './adapters/redis/redis-address.ts';
import { redisCli } from './adapters/redis/redis-cli.ts';
import { RedisJournal, type RedisJournalOptions } from './adapters/redis/redis-journal.ts';
import { RedisSessionRepository } from './adapters/redis/redis-session-repository.ts';
import { type Config, StartError } from './config.ts';
import { reasonOf, StoreUnavailableError } from './domain/errors.ts';
import type { JournalFailure } from './domain/journal-writer.ts';
import { observedRepository } from './domain/observed-repository.ts';
import { SessionService } from './domain/session-service.ts';
import type { SessionId } from './domain/session-token.ts';
import type { Clock } from './ports/clock.ts';
import type { Secrets } from './ports/secrets.ts';
import type { SessionJournal } from './ports/session-journal.ts';
import type { MovableRepository } from './ports/session-moves.ts';
import type { SessionObserver } from './ports/session-observer.ts';
import type { SessionRepository } from './ports/session-repository.ts';

/** A key of the container that knows the type of its value. */
export type Token<T> = symbol & { readonly type?: T };

function token<T>(description: string): Token<T> {
  return Symbol(description);
}

export { moveSessions } from './adapters/carry-over/move-sessions.ts';

/** The store of the sessions, as a program with a container sees it. */
export interface Store {
  readonly kind: 'redis' | 'memory';
  /** For people: `Redis at localhost:6379`. Never contains a password. */
  readonly label: string;
  /** The start of a `redis-cli` command for this Redis; the embedded store has none. */
  readonly cli?: string;
  readonly repository: SessionRepository;
  /** `undefined` if no journal is kept. */
  readonly journal?: SessionJournal | undefined;
  /** The repository without a near cache, for tools that move sessions. */
  readonly movable?: MovableRepository;
  /** Records the commands that a piece of work sends, if the store is Redis. */
  readonly trace?: CommandTrace;
  /** For operators; the embedded store has none. */
  readonly inspection?: RedisInspection;
  /** The sessions that connect-redis has written under that prefix, if the store is a Redis. */
  readonly connectRedisKeys?: (prefix: string) => RedisOldKeys;
  /** The near cache's figures, if there is one. */
  readonly nearCacheStats?: NearCache['stats'];
  /** The database, as spans describe it. */
  readonly database?: SpanDatabase;
  /** Memory used by the store in bytes; `undefined` if unknown. */
  readonly storeBytes?: () => Promise<number | undefined>;
  /** The ids of all sessions, page by page. Too expensive for a page view. An id may appear twice. */
  sessionIds(): AsyncIterable<readonly SessionId[]>;
  /** The number of live sessions, as far as it is known. */
  countSessions(): Promise<number | KnownCount | undefined>;
  /** Reports sessions that expire until the store is closed, as far as the store announces them. */
  watchExpiry?(observer: SessionObserver): Promise<void>;
  /** Resolves if the store answers, and rejects with `StoreUnavailableError` otherwise. */
  ready(): Promise<void>;
  /** Resolves if the store answers and takes writes, so that users can log in; rejects like `ready` otherwise. */
  takesWrites(): Promise<void>;
  close(): Promise<void>;
}

/** TLS takes several round trips, and a busy machine needs time. */
const LEAST_CONNECT_TIMEOUT_MS = 1000;

/** The number of sessions that a near cache keeps by default. */
const REMEMBERED_TOKENS = 10_000;

export const tokens = {
  clock: token<Clock>('Clock'),
  secrets: token<Secrets>('Secrets'),
  store: token<Store>('Store'),
  repository: token<SessionRepository>('SessionRepository'),
  service: token<SessionService>('SessionService'),
  /** Receives events. Nothing does by default; `observe.ts` registers one. */
  observer: token<SessionObserver>('SessionObserver'),
  /** Receives entries that the journal lost. Nothing does by default. */
  journalFailures: token<(failure: JournalFailure) => void>('JournalFailures'),
  log: token<ServerLog>('ServerLog'),
  metrics: token<SessionMetrics>('SessionMetrics'),
  figures: token<RecentFigures>('RecentFigures'),
};

export interface Container {
  resolve<T>(token: Token<T>): T;
  /** Closes everything that the container opened. */
  close(): Promise<void>;
}

export interface ContainerOptions {
  /**
   * Receives errors of Redis connections after the store has been opened. By default the log does, if one is
   * registered.
   */
  readonly onStoreError?: (error: Error) => void;
  /** Registers additional or replacement values for the tokens. Called before anything is resolved. */
  readonly register?: (container: DependencyContainer, config: Config) => void;
}

/**
 * Assembles the layers for this configuration and opens the store. Rejects with a `StartError` if Redis is required and
 * does not answer.
 */
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
          repository: observedRepository(c.resolve(tokens.repository), c.resolve(tokens.observer)),
          clock: c.resolve(tokens.clock),
          secrets: c.resolve(tokens.secrets),
          policy: config.policy,
          observer: c.resolve(tokens.observer),
          journal: c.resolve<Store>(tokens.store).journal,
          onJournalFailure: c.resolve(tokens.journalFailures),
          requestId: requestIdOf(c),
          rememberTokens: config.nearCache ? REMEMBERED_TOKENS : 0,
        }),
    ),
  });
  container.register(tokens.observer, { useValue: { notify: () => {} } });
  container.register(tokens.journalFailures, { useValue: () => {} });
  register?.(container, config);
  if (!container.isRegistered(tokens.store)) {
    const clock = container.resolve<Clock>(tokens.clock);
    const log = container.isRegistered(tokens.log)
      ? container.resolve<ServerLog>(tokens.log)
      : undefined;
    for (const notice of config.notices) log?.advises(notice);
    const store = await openStore(config, clock, {
      connectionFailed: onStoreError ?? ((error) => log?.connectionFailed(error)),
      passwordUnreadable: onStoreError ?? ((error) => log?.degraded(OLD_PASSWORD, error)),
    });
    container.register(tokens.store, { useValue: store });
  }
  return {
    resolve: (token) => container.resolve(token),
    async close() {
      await container.resolve<SessionService>(tokens.service).journalWritten();
      await container.resolve<Store>(tokens.store).close(); // dispose() would skip it
    },
  };
}

function requestIdOf(container: DependencyContainer): () => string | undefined {
  if (!container.isRegistered(tokens.log)) return () => undefined;
  const log = container.resolve<ServerLog>(tokens.log);
  return () => log.requestId;
}

/** Who receives failures after the store has been opened. */
interface Failures {
  readonly connectionFailed: (error: Error) => void;
  readonly passwordUnreadable: (error: Error) => void;
}

const OLD_PASSWORD = 'the password file of Redis cannot be read; the last password is used';

async function openStore(config: Config, clock: Clock, failures: Failures): Promise<Store> {
  if (config.store === 'memory') return memoryStore(clock, 'embedded in-memory store', config);
  const address: RedisAddress = config.redis ?? { kind: 'server', host: 'localhost', port: 6379 };
  const mayFallBack = config.store === 'auto' && config.redis === undefined && !config.production;
  try {
    return await redisStore(address, config, failures);
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    if (mayFallBack)
      return memoryStore(
        clock,
        `embedded in-memory store (no Redis at ${describe(address)})`,
        config,
      );
    throw new StartError(`cannot use Redis at ${describe(address)}: ${reasonOf(error)}`, {
      cause: error,
    });
  }
}

async function redisStore(
  address: RedisAddress,
  { prefix, nearCache, redisTimeoutMs, redisCaFile, journal }: Config,
  { connectionFailed: onStoreError, passwordUnreadable }: Failures,
): Promise<Store> {
  const { client, ping, close } = await connectRedis(
    withLastPasswords(address, passwordUnreadable),
    {
      onError: onStoreError,
      commandTimeoutMs: redisTimeoutMs,
      connectTimeoutMs: Math.max(LEAST_CONNECT_TIMEOUT_MS, redisTimeoutMs),
    },
  );
  const label = `Redis at ${describe(address)}`;
  const near = nearCache ? openNearCache({ client, prefix, onError: onStoreError }) : undefined;
  const inspection = new RedisInspection({ client, prefix });
  const repository = new RedisSessionRepository({ client, prefix });
  let watch: Promise<() => Promise<void>> | undefined;
  return {
    kind: 'redis',
    label: near === undefined ? label : `${label}, with a near cache`,
    cli: redisCli(address, { caFile: redisCaFile }),
    repository: near?.repository ?? repository,
    movable: repository,
    journal: redisJournal({ client, prefix }, journal),
    trace: new CommandTrace(client),
    inspection,
    connectRedisKeys: (prefix) => new RedisOldKeys(commandsOf(client), prefix),
    ...(near && { nearCacheStats: near.stats }),
    database: { system: 'redis', ...serverOf(address) },
    storeBytes: async () => sumOf((await inspection.servers()).map(({ usedBytes }) => usedBytes)),
    sessionIds: () => inspection.sessions(),
    countSessions: shareCount({ client, prefix }),
    async watchExpiry(observer) {
      watch = watchExpiry({ client, prefix, observer, onError: onStoreError });
      await watch;
    },
    ready: ping,
    takesWrites: () => ping({ prefix }),
    async close() {
      const stopWatching = await watch?.catch(() => undefined); // the caller of watchExpiry gets the error
      await stopWatching?.();
      await near?.close();
      await close();
    },
  };
}

function redisJournal(
  redis: Pick<RedisJournalOptions, 'client' | 'prefix'>,
  journal: Config['journal'],
): SessionJournal | undefined {
  if (journal === 'off') return undefined;
  return new RedisJournal(
    journal === 'existing' ? { ...redis, onlyExisting: true } : { ...redis, ...journal },
  );
}

/** `undefined` if one of them is. */
function sumOf(numbers: readonly (number | undefined)[]): number | undefined {
  return numbers.reduce(
    (sum, n) => (sum === undefined || n === undefined ? undefined : sum + n),
    0,
  );
}

/** The address, with passwords that keep their last value while their file cannot be read. */
function withLastPasswords(
  address: RedisAddress,
  onUnreadable: (error: Error) => void,
): RedisAddress {
  const { password } = address;
  const kept = password !== undefined && { password: lastPassword(password, onUnreadable) };
  if (address.kind !== 'sentinel') return { ...address, ...kept };
  const { sentinelAccess } = address;
  const ofSentinels = sentinelAccess?.password;
  return {
    ...address,
    ...kept,
    ...(ofSentinels !== undefined && {
      sentinelAccess: { ...sentinelAccess, password: lastPassword(ofSentinels, onUnreadable) },
    }),
  };
}

function lastPassword(
  password: string | (() => string),
  onUnreadable: (error: Error) => void,
): string | (() => string) {
  if (typeof password === 'string') return password;
  let last = password();
  let readable = true;
  return () => {
    try {
      last = password();
      readable = true;
    } catch (error) {
      if (readable) onUnreadable(error as Error); // once, although every attempt to connect asks for it
      readable = false;
    }
    return last;
  };
}

function memoryStore(clock: Clock, label: string, { journal }: Config): Store {
  const repository = new MemorySessionRepository(clock);
  return {
    kind: 'memory',
    label,
    repository,
    ...(typeof journal === 'object' && { journal: new MemoryJournal({ clock, ...journal }) }),
    async *sessionIds() {
      yield repository.ids();
    },
    countSessions: () => repository.count(),
    ready: async () => {},
    takesWrites: async () => {},
    close: async () => {},
  };
}

/** The address for people; never contains a password. */
function describe(address: RedisAddress): string {
  switch (address.kind) {
    case 'server':
      return hostAndPort(address);
    case 'url':
      return hostAndPort(parseRedisUrl(address.url));
    case 'socket':
      return address.path;
    case 'sentinel':
      return `${address.master} (by sentinel)`;
    case 'cluster':
      return `${address.nodes.map(hostAndPort).join(', ')} (cluster)`;
  }
}

function hostAndPort({ host, port }: HostAndPort): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** The server's address for spans, if there is a single server. */
function serverOf(address: RedisAddress): { readonly address?: string; readonly port?: number } {
  switch (address.kind) {
    case 'server':
      return { address: address.host, port: address.port };
    case 'url': {
      const { host, port } = parseRedisUrl(address.url);
      return { address: host, port };
    }
    case 'socket':
      return { address: address.path };
    case 'sentinel':
    case 'cluster':
      return {};
  }
}
