import { plainRedisError } from '../redis-errors.ts';
import {
  alone,
  connectOnce,
  destroy,
  type NodeRedis,
  type NodeRedisOptions,
  runScript,
  send,
  unavailable,
} from './node-redis-client.ts';
import type { ConnectionEvents, RedisScript, StandingConnection } from './redis-commands.ts';

/** Where connections of their own come from. */
export interface ConnectionSource {
  /** How long the shared client waits for an answer; a duplicate does not know that. */
  readonly timeoutMs: number;
  /** A client that is not connected yet, for the server that the shared client uses now. */
  duplicate(overrides: (options: NodeRedisOptions) => object): Promise<NodeRedis>;
  /** Calls `lost` when the shared connection breaks. Returns a function that ends this. */
  onLost(lost: () => void): () => void;
}

const CONNECT_TIMEOUT_MS = 1000;
const LONGEST_PAUSE_MS = 1000;

/**
 * A standing connection. Each time it uses a new client, because node-redis would resubscribe on a new connection
 * before Redis was told to track.
 */
export class NodeRedisStanding implements StandingConnection {
  database = 0;
  readonly #source: ConnectionSource;
  readonly #events: ConnectionEvents;
  readonly #stopFollowing: () => void;
  #client: NodeRedis | undefined;
  #pause: NodeJS.Timeout | undefined;
  #failures = 0;
  /** How often the shared connection broke, or this one was to be renewed. */
  #generation = 0;
  #closed = false;

  constructor(source: ConnectionSource, events: ConnectionEvents) {
    this.#source = source;
    this.#events = events;
    this.#stopFollowing = source.onLost(() => this.renew());
    void this.#connect();
  }

  command(name: string, args: readonly (string | number)[]): Promise<unknown> {
    return this.#send([name, ...args.map(String)]);
  }

  script(script: RedisScript, key: string, args: readonly (string | number)[]): Promise<unknown> {
    return runScript(script, key, args, (words) => this.#send(words));
  }

  async subscribe(channel: string): Promise<void> {
    const client = this.#client;
    if (client === undefined) throw unavailable(new Error('not connected'), 'refused');
    const hear = (message: unknown) => {
      if (client === this.#client) this.#events.heard(channel, toText(message));
    };
    await client.subscribe(channel, hear, true).catch((error) => {
      throw unavailable(error);
    });
  }

  renew(): void {
    this.#generation += 1;
    this.#events.lost();
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

  #send(words: readonly string[]): Promise<unknown> {
    const client = this.#client;
    if (client === undefined)
      return Promise.reject(unavailable(new Error('not connected'), 'refused'));
    return send(client, words, this.#source.timeoutMs);
  }

  async #connect(): Promise<void> {
    const generation = this.#generation;
    let client: NodeRedis;
    try {
      client = await this.#source.duplicate(({ socket }) => ({
        ...alone,
        // node-redis passes RESP3 push messages only to its own cache.
        RESP: 2,
        disableOfflineQueue: true,
        socket: { ...socket, reconnectStrategy: false },
      }));
      if (this.#closed) return;
      client.on('error', (error: Error) => this.#fail(client, error));
      await connectOnce(client, CONNECT_TIMEOUT_MS);
    } catch (error) {
      if (this.#closed) return;
      this.#events.failed(unavailable(error));
      this.#connectLater();
      return;
    }
    if (this.#closed) {
      destroy(client);
      return;
    }
    if (generation !== this.#generation || !client.isOpen) {
      destroy(client); // it may be connected to the previous server
      this.#connectLater();
      return;
    }
    this.#client = client;
    this.#failures = 0;
    this.database = client.options.database ?? 0;
    this.#events.ready();
  }

  #fail(client: NodeRedis, error: Error): void {
    if (client !== this.#client) return; // the connection attempt reports the error
    this.#events.failed(plainRedisError(error));
    this.#events.lost();
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
