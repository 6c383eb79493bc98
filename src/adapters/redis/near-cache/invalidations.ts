import type { StoreUnavailableError } from '../../../domain/errors.ts';
import type { RedisCommands, RedisListening } from '../clients/redis-commands.ts';

export interface InvalidationListener {
  /** A key below the prefix was written, removed or has run out. */
  changed(key: string): void;
  /** Anything may have changed: what is known is to be forgotten. */
  lost(): void;
  /** The connection failed, or Redis refuses to track. The feed goes on trying. */
  failed(error: Error): void;
}

const CHANNEL = '__redis__:invalidate';
const PING_INTERVAL_MS = 400;

/** How long after a ping was sent its answer vouches for. The rest up to two seconds is for timers that are late. */
const PROOF_MS = 1800;

/**
 * What Redis tells of changes below a prefix, and until when that can be relied on. One connection of its own tracks in
 * broadcast mode, redirected to itself, so that there is no second one that could break alone. Redis answers in order:
 * the answer to a ping has behind it every change before that ping.
 */
export class NearCacheInvalidations {
  /** On the clock of `performance.now()`: until then nothing that changed is unknown for longer than the staleness bound. */
  provenUntil = 0;
  readonly #connection: RedisListening;
  readonly #prefix: string;
  readonly #listener: InvalidationListener;
  readonly #timer: NodeJS.Timeout;
  #armed = false;
  #awaitedSince: number | undefined;

  constructor(commands: RedisCommands, prefix: string, listener: InvalidationListener) {
    this.#prefix = prefix;
    this.#listener = listener;
    this.#connection = commands.listen({
      ready: () => void this.#arm(),
      lost: () => this.#lose(),
      failed: (error) => listener.failed(causeOf(error)),
      heard: (_channel, keys) => this.#hear(keys),
    });
    this.#timer = setInterval(() => this.#beat(), PING_INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#lose();
    this.#connection.close();
  }

  async #arm(): Promise<void> {
    const connection = this.#connection;
    try {
      const id = await connection.command('CLIENT', ['ID']);
      const how = ['ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', this.#prefix];
      await connection.command('CLIENT', ['TRACKING', ...how]);
      await connection.subscribe(CHANNEL);
      this.#listener.lost(); // what was read before Redis tracked
      this.#armed = true;
      this.#beat();
    } catch (error) {
      this.#listener.failed(causeOf(error));
      this.#awaitedSince ??= performance.now(); // `beat` gives the connection up and begins anew
    }
  }

  #beat(): void {
    const now = performance.now();
    if (this.#awaitedSince !== undefined) {
      if (now - this.#awaitedSince >= PROOF_MS - PING_INTERVAL_MS) this.#connection.renew(); // which is `lost`
      return;
    }
    if (!this.#armed) return;
    this.#awaitedSince = now;
    this.#connection.command('PING', []).then(
      () => {
        if (this.#awaitedSince !== now) return; // of a connection that was given up
        this.#awaitedSince = undefined;
        this.provenUntil = now + PROOF_MS;
      },
      () => {}, // told by 'close', or by the next beats
    );
  }

  #hear(keys: string | readonly string[] | null): void {
    if (!Array.isArray(keys))
      this.#listener.lost(); // the database was emptied
    else for (const key of keys) this.#listener.changed(key);
  }

  #lose(): void {
    this.#armed = false;
    this.#awaitedSince = undefined;
    this.provenUntil = 0;
    this.#listener.lost();
  }
}

/** What Redis or the client said. */
function causeOf(error: unknown): Error {
  const { cause } = error as StoreUnavailableError;
  return cause instanceof Error ? cause : (error as Error);
}
