import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { isCluster } from './clients/ioredis-cluster.ts';
import type { RedisAccess, RedisAddress } from './redis-address.ts';

/** An address without URLs: a URL is another form of a server's address. */
export type Place =
  | Exclude<RedisAddress, { readonly kind: 'url' | 'server' }>
  | (RedisAddress & { readonly kind: 'server'; readonly family?: 4 | 6 });

/** As in `ConnectOptions`, with the defaults filled in. */
export interface Patience {
  readonly connectTimeoutMs: number;
  readonly commandTimeoutMs: number;
  readonly readyTimeoutMs: number;
  readonly keepAliveMs: number;
}

const LEAST_SOCKET_TIMEOUT_MS = 1000;

/** A client that is about to connect. */
export function openIoredis(
  { Cluster, Redis }: Pick<typeof import('ioredis'), 'Cluster' | 'Redis'>,
  address: Place,
  patience: Patience,
): Redis | Cluster {
  const options = safeOptions(patience);
  const { commandTimeoutMs } = patience;
  switch (address.kind) {
    case 'server':
      return new Redis({
        ...options,
        ...accessOf(address),
        host: address.host,
        port: address.port,
        ...(address.family && { family: address.family }),
      });
    case 'socket':
      return new Redis({ ...options, ...accessOf(address), path: address.path });
    case 'sentinel': {
      const { username, password, tls } = address.sentinelAccess ?? {};
      return new Redis({
        ...options,
        ...accessOf(address),
        sentinels: [...address.sentinels],
        name: address.master,
        failoverDetector: true,
        sentinelCommandTimeout: commandTimeoutMs,
        sentinelReconnectStrategy: () => 500,
        enableTLSForSentinelMode: address.tls !== undefined,
        ...(username !== undefined && { sentinelUsername: username }),
        ...(password !== undefined && { sentinelPassword: text(password) }),
        ...(tls !== undefined && { sentinelTLS: tls }),
      });
    }
    case 'cluster': {
      const cluster = new Cluster([...address.nodes], {
        redisOptions: { ...options, ...accessOf(address) },
        enableOfflineQueue: false,
        // The ready check asks any node, which refuses while its connection is not open, and then all connections start
        // over.
        enableReadyCheck: false,
        scaleReads: 'master',
        // A command is sent again only to the node named by a MOVED or ASK; the first node did not run it.
        maxRedirections: 5,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 50,
        slotsRefreshTimeout: commandTimeoutMs,
        clusterRetryStrategy: (attempt) => Math.min(50 * attempt, 1000) + jitterMs(),
        // Unresolved: a certificate is for the name, not for the address.
        dnsLookup: (name, answer) => answer(null, name),
      });
      // By default ioredis connects to a node when the first command for it is sent, and rejects those that follow
      // until the connection is open. Replicas are connected too, because one may be the next primary. Deferred,
      // because that first command may be on its way.
      cluster.on('+node', (node: Redis) => {
        setImmediate(() => {
          if (node.status === 'wait') node.connect().catch(() => {}); // the event 'node error' reports it
        });
      });
      return cluster;
    }
  }
}

function accessOf({ username, password, db, tls }: RedisAccess): RedisOptions {
  return {
    ...(username !== undefined && { username }),
    ...(db !== undefined && { db }),
    ...(tls !== undefined && { tls }),
    // Copied for every node of a cluster, with the password at that time.
    ...(password !== undefined && {
      get password() {
        return text(password);
      },
    }),
  };
}

function text(password: string | (() => string)): string {
  return typeof password === 'function' ? password() : password;
}

/** Makes the client call the password function, if there is one, for each connection. */
export function askForPasswords(client: Redis | Cluster, place: Place): void {
  const { password } = place;
  const ofSentinels = place.kind === 'sentinel' ? place.sentinelAccess?.password : undefined;
  const ask = (redis: Redis) => {
    if (typeof password === 'function') {
      Object.defineProperty(redis.options, 'password', { get: password, enumerable: true });
    }
    if (typeof ofSentinels === 'function') {
      Object.defineProperty(redis.options, 'sentinelPassword', {
        get: ofSentinels,
        enumerable: true,
      });
    }
    const duplicate = redis.duplicate.bind(redis);
    redis.duplicate = (override) => {
      const copy = duplicate(override);
      ask(copy);
      return copy;
    };
  };
  if (typeof password !== 'function' && typeof ofSentinels !== 'function') return;
  if (isCluster(client)) client.on('+node', ask);
  else ask(client);
}

/**
 * Client options with which no command runs twice or late. With ioredis' defaults, a command whose answer was lost is
 * sent again after reconnecting, and a command that timed out waits in a queue until the server is back: a page view
 * counts twice, and a login that was refused happens later. So nothing is queued, nothing is sent again, and no command
 * waits longer than `commandTimeoutMs`.
 */
function safeOptions({ connectTimeoutMs, commandTimeoutMs, keepAliveMs }: Patience) {
  return {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A connection that sends nothing while a command waits is dead (half-open). ioredis drops it and reconnects.
    socketTimeout: Math.max(LEAST_SOCKET_TIMEOUT_MS, 2 * commandTimeoutMs),
    ...(keepAliveMs > 0 && { keepAlive: keepAliveMs }),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1000) + jitterMs(),
    // Sending the name of the library to the server would require one more permission.
    disableClientInfo: true,
    // A demoted primary answers READONLY, and one that is not ready LOADING or MASTERDOWN: reconnect to find the right
    // one. `true` reconnects without sending the command again.
    reconnectOnError: (error) => /^(READONLY|LOADING|MASTERDOWN)/.test(error.message),
  } satisfies RedisOptions;
}

// So that many app servers that lost the same Redis do not all return at once.
function jitterMs(): number {
  return Math.random() * 100;
}
