import {
  alone,
  connectOnce,
  destroy,
  type NodeRedis,
  type NodeRedisOptions,
  send,
  timeoutOf,
  unavailable,
} from './node-redis-client.ts';
import type { RedisListener, RedisListening } from './redis-commands.ts';

/** Where connections of one's own come from. */
export interface ConnectionSource {
  /** A client that is not connected yet, to where the shared one leads now. */
  duplicate(overrides: (options: NodeRedisOptions) => object): Promise<NodeRedis>;
  /** Tells when the shared connection broke. Answers what ends that. */
  onLost(lost: () => void): () => void;
}

const CONNECT_TIMEOUT_MS = 1000;
const LONGEST_PAUSE_MS = 1000;

/**
 * A connection that hears what Redis tells by itself. Each is a client of its own: node-redis would subscribe again on a
 * new connection before Redis was told to track.
 */
export class NodeRedisListening implements RedisListening {
  database = 0;
  readonly #source: ConnectionSource;
  readonly #listener: RedisListener;
  readonly #stopFollowing: () => void;
  #client: NodeRedis | undefined;
  #pause: NodeJS.Timeout | undefined;
  #failures = 0;
  /** How often the shared connection broke, or this one was to be renewed. */
  #generation = 0;
  #closed = false;

  constructor(source: ConnectionSource, listener: RedisListener) {
    this.#source = source;
    this.#listener = listener;
    this.#stopFollowing = source.onLost(() => this.renew());
    void this.#connect();
  }

  command(name: string, args: readonly (string | number)[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined)
      return Promise.reject(unavailable(new Error('not connected'), 'refused'));
    const words = [name, ...args.map(String)];
    return send(client, words, timeoutOf(client));
  }

  async subscribe(channel: string): Promise<void> {
    const client = this.#client;
    if (client === undefined) throw unavailable(new Error('not connected'), 'refused');
    const hear = (message: unknown) => {
      if (client === this.#client) this.#listener.heard(channel, toText(message));
    };
    await client.subscribe(channel, hear, true).catch((error) => {
      throw unavailable(error);
    });
  }

  renew(): void {
    this.#generation += 1;
    this.#listener.lost();
    if (this.#client !== undefined) this.#giveUp(this.#client);
  }

  close(): void {
    this.#closed = true;
    this.#stopFollowing();
    clearTimeout(this.#pause);
    const client = this.#client;
    this.#client = undefined;
    if (client !== undefined) destroy(client);
  }

  async #connect(): Promise<void> {
    const generation = this.#generation;
    let client: NodeRedis;
    try {
      client = await this.#source.duplicate(({ socket }) => ({
        ...alone,
        // What Redis pushes in RESP3 node-redis hands to nobody but its own cache.
        RESP: 2,
        disableOfflineQueue: true,
        socket: { ...socket, reconnectStrategy: false },
      }));
      if (this.#closed) return;
      client.on('error', (error: Error) => this.#fail(client, error));
      await connectOnce(client, CONNECT_TIMEOUT_MS);
    } catch (error) {
      if (this.#closed) return;
      this.#listener.failed(error as Error);
      this.#connectLater();
      return;
    }
    if (this.#closed) {
      destroy(client);
      return;
    }
    if (generation !== this.#generation || !client.isOpen) {
      destroy(client); // it may lead to where the shared connection led before
      this.#connectLater();
      return;
    }
    this.#client = client;
    this.#failures = 0;
    this.database = client.options.database ?? 0;
    this.#listener.ready();
  }

  #fail(client: NodeRedis, error: Error): void {
    if (client !== this.#client) return; // it is being connected, which fails
    this.#listener.failed(error);
    this.#listener.lost();
    this.#giveUp(client);
  }

  #giveUp(client: NodeRedis): void {
    this.#client = undefined;
    destroy(client);
    this.#connectLater();
  }

  #connectLater(): void {
    const pause = Math.min(50 * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures += 1;
    this.#pause = setTimeout(() => void this.#connect(), pause).unref();
  }
}

function toText(message: unknown): string | readonly string[] | null {
  if (Array.isArray(message)) return message.map(String);
  return message === null ? null : String(message);
}
