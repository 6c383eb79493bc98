import type { Redis } from 'ioredis';

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
  readonly #client: Redis;
  readonly #connection: Redis;
  readonly #prefix: string;
  readonly #listener: InvalidationListener;
  readonly #timer: NodeJS.Timeout;
  #armed = false;
  #awaitedSince: number | undefined;

  constructor(client: Redis, prefix: string, listener: InvalidationListener) {
    this.#client = client;
    this.#prefix = prefix;
    this.#listener = listener;
    // ioredis would subscribe again without tracking: each new connection is armed from the start, here.
    this.#connection = client.duplicate({
      autoResubscribe: false,
      enableOfflineQueue: false,
      lazyConnect: false,
    });
    this.#connection.on('error', (error) => listener.failed(error));
    this.#connection.on('ready', () => void this.#arm());
    this.#connection.on('close', () => this.#lose());
    this.#connection.on('messageBuffer', (_channel: Buffer, keys: unknown) => this.#hear(keys));
    // The next one may lead to another server, of whose changes the old one knows nothing.
    client.on('close', this.#beginAnew);
    this.#timer = setInterval(() => this.#beat(), PING_INTERVAL_MS).unref();
  }

  close(): void {
    clearInterval(this.#timer);
    this.#client.off('close', this.#beginAnew);
    this.#lose();
    this.#connection.disconnect();
  }

  async #arm(): Promise<void> {
    const connection = this.#connection;
    try {
      const id = await connection.client('ID');
      const how = ['ON', 'REDIRECT', String(id), 'BCAST', 'PREFIX', this.#prefix];
      await connection.call('CLIENT', 'TRACKING', ...how);
      await connection.subscribe(CHANNEL);
      this.#listener.lost(); // what was read before Redis tracked
      this.#armed = true;
      this.#beat();
    } catch (error) {
      this.#listener.failed(error as Error);
      this.#awaitedSince ??= performance.now(); // `beat` gives the connection up and begins anew
    }
  }

  #beat(): void {
    const now = performance.now();
    if (this.#awaitedSince !== undefined) {
      if (now - this.#awaitedSince >= PROOF_MS - PING_INTERVAL_MS) this.#beginAnew();
      return;
    }
    if (!this.#armed) return;
    this.#awaitedSince = now;
    this.#connection.ping().then(
      () => {
        if (this.#awaitedSince !== now) return; // of a connection that was given up
        this.#awaitedSince = undefined;
        this.provenUntil = now + PROOF_MS;
      },
      () => {}, // told by 'close', or by the next beats
    );
  }

  #hear(keys: unknown): void {
    if (!Array.isArray(keys))
      this.#listener.lost(); // the database was emptied
    else for (const key of keys) this.#listener.changed(String(key));
  }

  readonly #beginAnew = (): void => {
    this.#lose();
    if (this.#connection.status === 'ready') this.#connection.disconnect(true); // else it is on its way
  };

  #lose(): void {
    this.#armed = false;
    this.#awaitedSince = undefined;
    this.provenUntil = 0;
    this.#listener.lost();
  }
}
