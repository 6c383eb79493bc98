import { setTimeout } from 'node:timers/promises';
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
  /** The same repository, for moving sessions to or from another place. */
  readonly movable: MovableRepository | undefined;
  readonly inspection: RedisInspection;
  /** Rejects with `StoreUnavailableError` if Redis does not answer or cannot run scripts. */
  ready(): Promise<void>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** SHA-256, in base64url. */
  readonly digest: (text: string) => string;
}

/** Opens the configured Redis while `use` runs. There is never a fallback to another store. */
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
    const { label, repository, movable, journal, inspection, ready } = container.resolve(
      tokens.store,
    );
    if (inspection === undefined || journal === undefined) {
      throw new Error('Only Redis can be inspected.');
    }
    await use({
      label,
      repository,
      journal,
      movable,
      inspection,
      ready,
      service: container.resolve(tokens.service),
      now: container.resolve(tokens.clock).now,
      digest: container.resolve(tokens.secrets).sha256,
    });
  } catch (error) {
    // Work done before the failure should still get into the journal, if possible.
    await Promise.race([
      container.resolve(tokens.service).journalWritten(),
      setTimeout(1000, undefined, { ref: false }),
    ]);
    void container.close(); // not awaited: a Redis that did not answer would be waited for again
    throw error;
  }
  await container.close();
}

const ELSEWHERE = 'an embedded store can be read only by its own server';
