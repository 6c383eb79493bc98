import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { isCluster } from './clients/ioredis-cluster.ts';
import type { RedisAccess, RedisAddress } from './redis-address.ts';

/** A URL is another way to say where one server is. */
export type Place =
  | Exclude<RedisAddress, { readonly kind: 'url' | 'server' }>
  | (RedisAddress & { readonly kind: 'server'; readonly family?: 4 | 6 });

/** As `ConnectOptions` has them. */
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
        // It asks any node, which refuses while its connection is not up, and then all connections start over.
        enableReadyCheck: false,
        scaleReads: 'master',
        // A command is sent again only to the node that a MOVED or ASK names, which never ran it.
        maxRedirections: 5,
        retryDelayOnFailover: 0,
        retryDelayOnClusterDown: 50,
        slotsRefreshTimeout: commandTimeoutMs,
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
    ...(db !== undefined && { db }),
    ...(tls !== undefined && { tls }),
    // Copied for every node of a cluster, with the password of that moment.
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

/** Has the client look a password up anew for each connection, where it is a function that answers it. */
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
 * The client options that keep every command from running twice or late. With ioredis' defaults a command whose answer
 * got lost is sent again after reconnecting, and one that timed out waits in a queue until the server is back: a page
 * view counts double, a login that was refused happens after all. So: nothing is queued, nothing is sent again, and
 * no answer is waited for longer than `commandTimeoutMs`.
 */
function safeOptions({ connectTimeoutMs, commandTimeoutMs, keepAliveMs }: Patience) {
  return {
    connectTimeout: connectTimeoutMs,
    commandTimeout: commandTimeoutMs,
    // A connection that says nothing while a command waits is dead (half-open); ioredis drops it and connects anew.
    socketTimeout: Math.max(LEAST_SOCKET_TIMEOUT_MS, 2 * commandTimeoutMs),
    ...(keepAliveMs > 0 && { keepAlive: keepAliveMs }),
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    retryStrategy: (attempt) => Math.min(50 * 2 ** Math.min(attempt, 5), 1000) + jitterMs(),
    // Naming the library to the server would need one more permission.
    disableClientInfo: true,
    // A master that was demoted answers READONLY, one that is not ready LOADING or MASTERDOWN: look for the right one.
    // `true` reconnects without sending the command again.
    reconnectOnError: (error) => /^(READONLY|LOADING|MASTERDOWN)/.test(error.message),
  } satisfies RedisOptions;
}

// Many app servers that lost the same Redis come back one after the other.
function jitterMs(): number {
  return Math.random() * 100;
}
