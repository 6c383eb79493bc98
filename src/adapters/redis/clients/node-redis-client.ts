import type { StoreUnavailableError } from '../../../domain/errors.ts';
import { storeUnavailable } from '../redis-errors.ts';
import { nodeRedis } from './node-redis-errors.ts';
import type { RedisScript, Whereabouts } from './redis-commands.ts';
import { setTolerantTimeout } from './tolerant-timeout.ts';

/** Options of a single command that override those of the client. */
export interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly timeout: undefined;
  readonly typeMapping: object;
}

type Listener = (...args: never[]) => void;

interface Emitter {
  on(event: string, listener: Listener): unknown;
  off(event: string, listener: Listener): unknown;
}

/** One connection: from `createClient`, or lent by a pool or a sentinel client. Only the members used here. */
export interface NodeRedis extends Emitter {
  readonly isOpen: boolean;
  readonly isReady: boolean;
  readonly options: NodeRedisOptions;
  connect(): Promise<unknown>;
  destroy(): void;
  duplicate(overrides: object): NodeRedis;
  sendCommand(words: readonly string[], options: SendOptions): Promise<unknown>;
  subscribe(
    channel: string,
    listener: (message: unknown, channel: unknown) => void,
    bufferMode: true,
  ): Promise<unknown>;
}

export interface NodeRedisOptions {
  readonly disableOfflineQueue?: boolean;
  readonly socket?: {
    readonly host?: string;
    readonly port?: number;
    readonly path?: string;
    readonly tls?: boolean;
  };
  readonly database?: number;
  readonly username?: string;
  readonly password?: string;
}

/** From `createClientPool`, or `createPool` of a client. */
export interface NodeRedisPool extends Emitter {
  execute<T>(task: (client: NodeRedis) => T): Promise<Awaited<T>>;
}

/** From `createSentinel`. */
export interface NodeRedisSentinel extends Emitter {
  _execute<T>(isReadonly: boolean, task: (client: NodeRedis) => Promise<T>): Promise<T>;
}

export interface NodeRedisMaster {
  readonly address: string;
  readonly host: string;
  readonly port: number;
  readonly client?: NodeRedis;
}

/** From `createCluster`. */
export interface NodeRedisCluster extends Emitter {
  readonly masters: readonly NodeRedisMaster[];
  /** By slot; `undefined` for a slot that no node serves. */
  readonly slots: readonly ({ readonly master: NodeRedisMaster } | undefined)[];
  readonly _slots: {
    /** Asks this node first, then the root nodes. */
    rediscover(startWith: NodeRedis): Promise<unknown>;
  };
  readonly _options: {
    readonly rootNodes: readonly (NodeRedisOptions & { readonly url?: string })[];
    readonly defaults?: NodeRedisOptions;
    readonly nodeAddressMap?: unknown;
  };
  connect(): Promise<unknown>;
  destroy(): void;
  duplicate(overrides: object): NodeRedisCluster;
  nodeClient(node: NodeRedisMaster): Promise<NodeRedis>;
  sendCommand(
    key: string,
    isReadonly: boolean,
    words: readonly string[],
    options: SendOptions,
  ): Promise<unknown>;
}

/** The default of node-redis 6; version 5 has none. */
const DEFAULT_TIMEOUT_MS = 5000;

/** The client's `commandOptions.timeout`. */
export function timeoutOf(client: object): number {
  const { commandOptions, _commandOptions } = client as {
    commandOptions?: { timeout?: number };
    _commandOptions?: { timeout?: number };
  };
  return (commandOptions ?? _commandOptions)?.timeout || DEFAULT_TIMEOUT_MS;
}

/** Sends a command on this connection, with a limit on the wait: see `withinTime`. */
export function send(
  client: NodeRedis,
  words: readonly string[],
  timeoutMs: number,
): Promise<unknown> {
  // Without an offline queue commands never wait to be sent, and a signal costs as much as the rest of the client's
  // work.
  return client.options.disableOfflineQueue
    ? withinTime(timeoutMs, client.sendCommand(words, asIs))
    : abortedInTime(timeoutMs, (options) => client.sendCommand(words, options));
}

/**
 * Like `send`, for a command that may wait for a connection, in an offline queue or for a node of a cluster. Once the
 * time is over, it is not sent any more.
 */
export function abortedInTime(
  timeoutMs: number,
  send: (options: SendOptions) => Promise<unknown>,
): Promise<unknown> {
  const late = new AbortController();
  const answer = send({ ...asIs, abortSignal: late.signal });
  return withinTime(timeoutMs, answer, () => late.abort());
}

/**
 * Strings and numbers as Redis returned them, whatever type mapping the client has, and no timer of the client, since
 * there is one here.
 */
const asIs: SendOptions = { timeout: undefined, typeMapping: {} };

/**
 * Limits the wait for an answer: node-redis applies `timeout` to commands that have not been sent, and otherwise waits
 * as long as the connection lasts.
 */
function withinTime(
  timeoutMs: number,
  answer: Promise<unknown>,
  abort?: () => void,
): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const giveUp = () => {
      abort?.();
      // A command that was not sent is rejected by the abort, with a better message.
      setImmediate(() =>
        reject(unavailable(new Error(`no answer within ${timeoutMs} ms`), 'unknown')),
      );
    };
    setTolerantTimeout(giveUp, timeoutMs, (next) => {
      timer = next;
    });
    answer.then(
      (answer) => {
        clearTimeout(timer);
        resolve(answer);
      },
      (error) => {
        clearTimeout(timer);
        reject(unavailable(error));
      },
    );
  });
}

/** Runs the script by its digest, and then by its text if Redis does not know the digest. */
export async function runScript(
  script: RedisScript,
  key: string,
  args: readonly (string | number)[],
  send: (words: readonly string[]) => Promise<unknown>,
): Promise<unknown> {
  const rest = ['1', key, ...args.map(String)];
  try {
    return await send(['EVALSHA', digests.get(script) ?? (await digestOf(script)), ...rest]);
  } catch (error) {
    if (!isUnknownScript(error)) throw error;
    return send(['EVAL', script.lua, ...rest]);
  }
}

const digests = new WeakMap<RedisScript, string>();

async function digestOf(script: RedisScript): Promise<string> {
  const { createHash } = await import('node:crypto'); // imported on use: it takes as long to load as this whole module
  const digest = createHash('sha1').update(script.lua).digest('hex');
  digests.set(script, digest);
  return digest;
}

function isUnknownScript(error: unknown): boolean {
  const { cause } = error as StoreUnavailableError;
  return cause instanceof Error && cause.message.startsWith('NOSCRIPT');
}

export function unavailable(
  error: unknown,
  outcome?: 'refused' | 'unknown',
): StoreUnavailableError {
  return storeUnavailable(error, outcome, nodeRedis);
}

export function whereIs({ options }: NodeRedis): Whereabouts {
  const { socket = {}, database, username, password } = options;
  return {
    host: socket.host ?? 'localhost',
    port: socket.port ?? 6379,
    path: socket.path || undefined,
    db: database ?? 0,
    tls: socket.tls === true,
    username: username || undefined,
    password: Boolean(password),
  };
}

/** Options that a connection of its own does not need: nothing would read its cache or its notifications. */
export const alone = {
  clientSideCache: undefined,
  emitInvalidate: false,
  maintNotifications: 'disabled',
  pingInterval: 0,
} as const;

/** Destroys a client that may have ended already, which node-redis treats as an error. */
export function destroy(client: { destroy(): void }): void {
  try {
    client.destroy();
  } catch {
    // it has ended, as intended
  }
}

/** Connects a client that is used only once. Rejects with `StoreUnavailableError` and leaves nothing open. */
export async function connectOnce(
  client: { connect(): Promise<unknown>; destroy(): void } & Emitter,
  timeoutMs: number,
): Promise<void> {
  client.on('error', () => {}); // the caller gets the error from the connection attempt or the answer
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((_, reject) => {
    const giveUp = () => reject(new Error(`not connected within ${timeoutMs} ms`));
    setTolerantTimeout(giveUp, timeoutMs, (next) => {
      timer = next;
    });
  });
  try {
    await Promise.race([client.connect(), late]);
  } catch (error) {
    destroy(client);
    throw unavailable(error, 'refused');
  } finally {
    clearTimeout(timer);
  }
}
