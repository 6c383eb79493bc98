import { setTimeout } from 'node:timers/promises';
import type { RedisOldKeys } from '../adapters/express/carry-over/redis-old-keys.ts';
import type { RedisInspection } from '../adapters/redis/inspect/inspection.ts';
import { type Config, ConfigError, StartError } from '../config.ts';
import type { ContainerOptions } from '../container.ts';
import type { SessionService } from '../domain/session-service.ts';
import type { SessionJournal } from '../ports/session-journal.ts';
import type { MovableRepository } from '../ports/session-moves.ts';
import type { SessionRepository } from '../ports/session-repository.ts';

/** What commands work with. */
export interface OpenedRedis {
  /** `Redis at localhost:6379` */
  readonly label: string;
  readonly service: SessionService;
  readonly repository: SessionRepository;
  readonly journal: SessionJournal;
  /** The same, for sessions to be carried to another place or from one. */
  readonly movable: MovableRepository | undefined;
  readonly inspection: RedisInspection;
  /** The sessions that connect-redis has written under that prefix. */
  readonly connectRedisKeys: (prefix: string) => RedisOldKeys;
  /** Rejects with `StoreUnavailableError` where Redis does not answer, or cannot run scripts. */
  ready(): Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** SHA-256, in base64url. */
  readonly digest: (text: string) => string;
}

/** Opens the Redis that the configuration names for as long as `use` takes. There is never another store in its place. */
export async function withRedis(
  config: Config,
  use: (redis: OpenedRedis) => Promise<void>,
  options: ContainerOptions = {},
): Promise<void> {
  if (config.store === 'memory') {
    throw new ConfigError(`${config.sourceOf('store')} must be redis here: ${ELSEWHERE}`);
  }
  const { createContainer, tokens } = await import('../container.ts'); // not for --help
  const container = await createContainer({ ...config, store: 'redis' }, options).catch((error) => {
    if (!(error instanceof StartError) || config.redis !== undefined) throw error;
    throw new StartError(`${error.message}; ${ELSEWHERE}`, { cause: error });
  });
  try {
    const store = container.resolve(tokens.store);
    const { label, repository, movable, journal, inspection, connectRedisKeys, ready } = store;
    if (!inspection || !journal || !connectRedisKeys) {
      throw new Error('Only Redis can be inspected.');
    }
    await use({
      label,
      repository,
      journal,
      movable,
      inspection,
      connectRedisKeys,
      ready,
      service: container.resolve(tokens.service),
      now: container.resolve(tokens.clock).now,
      digest: container.resolve(tokens.secrets).sha256,
    });
  } catch (error) {
    // What was done before it failed is to be in the journal, if that can be.
    await Promise.race([
      container.resolve(tokens.service).journalWritten(),
      setTimeout(1000, undefined, { ref: false }),
    ]);
    void container.close(); // a Redis that did not answer would be waited for once more
    throw error;
  }
  await container.close();
}

const ELSEWHERE = 'an embedded store lives inside its server, where nobody else can look';
