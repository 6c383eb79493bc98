import { once } from 'node:events';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { storeUnavailable } from './redis-errors.ts';

export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Where Redis is: one server, the master that sentinels watch over, or a cluster. */
export type RedisAddress =
  | { readonly kind: 'server'; readonly host: string; readonly port: number }
  /** `redis://` or, with TLS, `rediss://`; with user, password and database number as needed. */
  | { readonly kind: 'url'; readonly url: string }
  | {
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      readonly master: string;
    }
  | { readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] };

export interface RedisConnection {
  readonly client: Redis | Cluster;
  /** Resolves when Redis answers; rejects with `StoreUnavailableError` when it does not in time. */
  ping(): Promise<void>;
  /** Lets commands under way finish, then closes. */
  close(): Promise<void>;
}

const CONNECT_TIMEOUT_MS = 1000;
const COMMAND_TIMEOUT_MS = 500;
const SOCKET_TIMEOUT_MS = 1000;
const READY_TIMEOUT_MS = 3000;

/**
 * The client options that keep every command from running twice or late. With ioredis' defaults a command whose answer
 * got lost is sent again after reconnecting, and one that timed out waits in a queue until the server is back: a page
 * view counts double, a login that was refused happens after all. So: nothing is queued, nothing is sent again, and
 * no answer is waited for longer than `COMMAND_TIMEOUT_MS`.
 */
const options = {
  connectTimeout: CONNECT_TIMEOUT_MS,
  commandTimeout: COMMAND_TIMEOUT_MS,
  // A connection that says nothing while a command waits is dead (half-open); ioredis drops it and connects anew.
  socketTimeout: SOCKET_TIMEOUT_MS,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1000) + jitterMs(),
  // A master that was demoted answers READONLY, one that is not ready LOADING or MASTERDOWN: look for the right one.
  // `true` reconnects without sending the command again.
  reconnectOnError: (error) => /^(READONLY|LOADING|MASTERDOWN)/.test(error.message),
} satisfies RedisOptions;

/**
 * Opens a connection that is safe for sessions and resolves once Redis is ready. Rejects with `StoreUnavailableError`,
 * with nothing left open, when the first attempt fails. Afterwards it reconnects by itself for ever.
 * `onError` hears of every connection that failed.
 */
export async function connectRedis(
  address: RedisAddress,
  onError: (error: Error) => void = () => {},
): Promise<RedisConnection> {
  const client = open(address);
  try {
    await once(client, 'ready', { signal: AbortSignal.timeout(READY_TIMEOUT_MS) });
  } catch (error) {
    client.on('error', () => {}); // the first one was thrown; what follows while it closes tells nothing new
    client.disconnect();
    throw storeUnavailable(error);
  }
  client.on('error', onError);
  return {
    client,
    async ping() {
      try {
        await client.ping();
      } catch (error) {
        throw storeUnavailable(error);
      }
    },
    async close() {
      // `quit` fails when Redis is away; then there is nothing to wait for.
      await client.quit().catch(() => client.disconnect());
    },
  };
}

function open(address: RedisAddress): Redis | Cluster {
  switch (address.kind) {
    case 'server':
      return new Redis({ ...options, host: address.host, port: address.port });
    case 'url':
      return new Redis(address.url, options);
    case 'sentinel':
      return new Redis({
        ...options,
        sentinels: [...address.sentinels],
        name: address.master,
        failoverDetector: true,
        sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        sentinelReconnectStrategy: () => 500,
      });
    case 'cluster':
      return new Cluster([...address.nodes], {
        redisOptions: options,
        enableOfflineQueue: false,
        scaleReads: 'master',
        // A command is sent again only to the node that a MOVED or ASK names, which never ran it.
        maxRedirections: 5,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 50,
        slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
        clusterRetryStrategy: (attempt) => Math.min(50 * attempt, 1000) + jitterMs(),
      });
  }
}

// Many app servers that lost the same Redis come back one after the other.
function jitterMs(): number {
  return Math.random() * 100;
}
