import { once } from 'node:events';
import type { ConnectionOptions } from 'node:tls';
import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { batchWrites } from './batch-writes.ts';
import { isCluster, refuseOnReplicas } from './clients/ioredis-cluster.ts';
import { storeUnavailable } from './redis-errors.ts';

/** Where a server listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What the servers ask for, if anything. */
export interface RedisAccess {
  /** A user of Redis' access control; without one, `password` is that of the default user. */
  readonly username?: string;
  readonly password?: string;
  /** The number of the database. A cluster has only 0. */
  readonly db?: number;
  /** TLS, with the options of Node's `tls.connect` as needed: `ca`, `cert`, `key`, `servername`. */
  readonly tls?: ConnectionOptions;
}

/** Where Redis is: one server, the master that sentinels watch over, or a cluster. */
export type RedisAddress =
  | ({ readonly kind: 'server'; readonly host: string; readonly port: number } & RedisAccess)
  /** A unix socket. */
  | ({ readonly kind: 'socket'; readonly path: string } & RedisAccess)
  /**
   * `redis://` or, with TLS, `rediss://`; with user, password and database number as needed. Of a query only `family`
   * (4 or 6) counts: a URL changes no other option of the client.
   */
  | { readonly kind: 'url'; readonly url: string; readonly tls?: ConnectionOptions }
  | ({
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      readonly master: string;
      /** What the sentinels themselves ask for. */
      readonly sentinelAccess?: Omit<RedisAccess, 'db'>;
    } & RedisAccess)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] } & Omit<
      RedisAccess,
      'db'
    >);

/** An open connection, for a repository and to be closed by whoever opened it. */
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
  // Naming the library to the server would need one more permission.
  disableClientInfo: true,
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
  // Only here, so that programs with another client load no ioredis.
  const client = open(await import('ioredis'), address);
  for (const prepare of [endSocketTimerWithSocket, batchWrites]) {
    if (isCluster(client)) client.on('+node', prepare);
    else prepare(client);
  }
  if (isCluster(client)) client.on('+node', refuseOnReplicas);
  const deadline = AbortSignal.timeout(READY_TIMEOUT_MS);
  try {
    await once(client, 'ready', { signal: deadline });
    if (isCluster(client)) await nodesSettled(client, deadline);
  } catch (error) {
    client.on('error', () => {}); // the first one was thrown; what follows while it closes tells nothing new
    client.disconnect();
    throw storeUnavailable(
      deadline.aborted ? new Error(`not ready within ${READY_TIMEOUT_MS} ms`) : reasonOf(error),
      'refused', // nobody had the client yet, so nothing was asked of it
    );
  }
  client.on('error', (error) => onError(reasonOf(error)));
  client.on('node error', onError);
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
      // `quit` fails when Redis is away; then there is nothing to wait for. It leaves the connections to sentinels open.
      await client.quit().catch(() => {});
      client.disconnect();
    },
  };
}

function open(
  { Cluster, Redis }: Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>,
  address: RedisAddress,
): Redis | Cluster {
  switch (address.kind) {
    case 'server':
      return new Redis({
        ...options,
        ...accessOf(address),
        host: address.host,
        port: address.port,
      });
    case 'socket':
      return new Redis({ ...options, ...accessOf(address), path: address.path });
    case 'url':
      return new Redis({ ...options, ...parseRedisUrl(address.url, address.tls) });
    case 'sentinel': {
      const { username, password, tls } = address.sentinelAccess ?? {};
      return new Redis({
        ...options,
        ...accessOf(address),
        sentinels: [...address.sentinels],
        name: address.master,
        failoverDetector: true,
        sentinelCommandTimeout: COMMAND_TIMEOUT_MS,
        sentinelReconnectStrategy: () => 500,
        enableTLSForSentinelMode: address.tls !== undefined,
        ...(username !== undefined && { sentinelUsername: username }),
        ...(password !== undefined && { sentinelPassword: password }),
        ...(tls !== undefined && { sentinelTLS: tls }),
      });
    }
    case 'cluster': {
      const cluster = new Cluster([...address.nodes], {
        redisOptions: { ...options, ...accessOf(address) },
        enableOfflineQueue: false,
        // It asks any node, which refuses while its connection is not up, and then all connections start over.
        enableReadyCheck: false,
        scaleReads: 'master',
        // A command is sent again only to the node that a MOVED or ASK names, which never ran it.
        maxRedirections: 5,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 50,
        slotsRefreshTimeout: COMMAND_TIMEOUT_MS,
        clusterRetryStrategy: (attempt) => Math.min(50 * attempt, 1000) + jitterMs(),
        // As given: a certificate is for the name, not for the address.
        dnsLookup: (name, answer) => answer(null, name),
      });
      // Left to itself ioredis connects to a node when a first command goes there, and refuses those that follow until
      // the connection stands. A replica may be the next primary. Deferred, as that first command may be on its way.
      cluster.on('+node', (node: Redis) => {
        setImmediate(() => {
          if (node.status === 'wait') node.connect().catch(() => {}); // told by 'node error'
        });
      });
      return cluster;
    }
  }
}

function accessOf({ username, password, db, tls }: RedisAccess): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(db !== undefined && { db }),
    ...(tls !== undefined && { tls }),
  };
}

// Not by ioredis: it takes every name in the query for an option, and prefers it to those given in code.
function parseRedisUrl(text: string, tls: ConnectionOptions | undefined): RedisOptions {
  const url = new URL(text);
  const family = Number(url.searchParams.get('family'));
  const secure = tls ?? (url.protocol === 'rediss:' ? {} : undefined);
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
    port: Number(url.port) || 6379,
    ...(family === 4 || family === 6 ? { family } : {}),
    ...accessOf({
      ...(url.username !== '' && { username: decodeURIComponent(url.username) }),
      ...(url.password !== '' && { password: decodeURIComponent(url.password) }),
      ...(url.pathname.length > 1 && { db: Number(url.pathname.slice(1)) }),
      ...(secure !== undefined && { tls: secure }),
    }),
  };
}

// ioredis 5 keeps the timer of `socketTimeout` when the socket closes first, and the timer then destroys whatever
// connection there is by that time (redis/ioredis#2147, fixed in 6.0).
function endSocketTimerWithSocket(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  redis.on('close', () => {
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
}

/** Resolves when every node that is known has answered or been given up: a cluster serves what it can. */
async function nodesSettled(cluster: Cluster, signal: AbortSignal): Promise<void> {
  await Promise.all(
    cluster.nodes('master').map((node) => {
      if (node.status === 'ready' || node.status === 'end') return undefined;
      return new Promise((resolve, reject) => {
        node.once('ready', resolve).once('end', resolve);
        signal.addEventListener('abort', reject, { once: true });
      });
    }),
  );
}

/** Of a cluster none of whose nodes could be asked, what the last one of them said. */
function reasonOf(error: unknown): Error {
  const { lastNodeError } = error as { lastNodeError?: Error };
  return lastNodeError ?? (error as Error);
}

// Many app servers that lost the same Redis come back one after the other.
function jitterMs(): number {
  return Math.random() * 100;
}
