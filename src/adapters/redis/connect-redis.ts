import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import { SessionError } from '../../domain/errors.ts';
import { isWhole } from '../../domain/whole-number.ts';
import { batchWrites } from './batch-writes.ts';
import { checkAddress } from './check-address.ts';
import { isCluster, refuseOnReplicas } from './clients/ioredis-cluster.ts';
import { tolerateEventLoopDelay } from './clients/ioredis-event-loop-delay.ts';
import { giveUpOnce } from './clients/ioredis-give-up-once.ts';
import { askAgainAfterFailover } from './clients/ioredis-sentinel-connector.ts';
import { endSocketTimerWithSocket } from './clients/ioredis-socket-timer.ts';
import { askForPasswords, openIoredis, type Patience, type Place } from './open-ioredis.ts';
import { type HostAndPort, parseRedisUrl, type RedisAddress } from './redis-address.ts';
import { ioredis, noteConnectionError, plainRedisError, storeUnavailable } from './redis-errors.ts';

/** An open connection for a repository. Whoever opened it must close it. */
export interface RedisConnection {
  /** The ioredis client, for a repository and other uses. */
  readonly client: Redis | Cluster;
  /**
   * Checks that Redis runs a script. Rejects with `StoreUnavailableError` if it does not do so in time or cannot, like
   * a Valkey without its Lua module. With the prefix of the sessions, it also checks that Redis takes writes to their
   * keys: it rejects on a replica, or if the primary has too few replicas (`min-replicas-to-write`). Nothing is written,
   * and a Redis whose memory is full passes.
   */
  ping(options?: { readonly prefix?: string }): Promise<void>;
  /** Waits for commands in flight, then closes the connection. */
  close(): Promise<void>;
}

/** Timeouts of a connection, and who receives its failures. */
export interface ConnectOptions {
  /** Receives each connection error, without arguments of commands. By default errors are ignored. */
  readonly onError?: (error: Error) => void;
  /**
   * Milliseconds within which a connection must be established, including TLS. Raise it across regions.
   *
   * @default 1000
   */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds within which a command must be answered; otherwise it fails with outcome `unknown`. Keep it below
   * `deadlineMs` of the middleware. Raise it across regions, and for tools that use a busy Redis. A connection that
   * sends nothing for twice this time while a command waits, and for at least a second, counts as dead and is replaced.
   *
   * @default 500
   */
  readonly commandTimeoutMs?: number;
  /**
   * Milliseconds within which the first connection must be ready, including retries. If three times `connectTimeoutMs`
   * is more than the default, that is the default instead.
   *
   * @default 3000
   */
  readonly readyTimeoutMs?: number;
  /**
   * Milliseconds after which an idle connection is kept alive by an empty packet (TCP keep-alive). Cloud networks
   * silently drop idle connections, Azure after 4 minutes and AWS after 350 seconds, so stay below that. 0 turns it
   * off.
   *
   * @default 60000
   */
  readonly keepAliveMs?: number;
}

const MOST_MS = 3600 * 1000;

/** A write that changes nothing, because no key that Sojourn uses has this name. Redis refuses it like any other write. */
const ASK_TO_WRITE = `return redis.call('HDEL', KEYS[1], '')`;

/** Enough different keys to ask every primary of a cluster in turn. */
const CLUSTER_SLOTS = 16_384;

/**
 * Opens a connection with options that are safe for sessions, and resolves when Redis is ready. Afterwards it
 * reconnects by itself, without a limit.
 *
 * @throws `StoreUnavailableError` if Redis cannot be reached; nothing is left open. `SessionError` (`invalid_option`)
 * for an invalid address or option.
 *
 * @example
 * ```ts
 * const { client, close } = await connectRedis({ kind: 'url', url: 'rediss://redis.internal:6380' });
 * const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
 * ```
 */
export async function connectRedis(
  address: RedisAddress,
  { onError = () => {}, ...options }: ConnectOptions = {},
): Promise<RedisConnection> {
  checkAddress(address);
  const patience = patienceOf(options);
  const place = address.kind === 'url' ? atUrl(address) : address;
  // Imported here, so that programs with another client do not load ioredis.
  const client = openIoredis(await import('ioredis'), place, patience);
  const preparations = [
    endSocketTimerWithSocket,
    tolerateEventLoopDelay,
    askAgainAfterFailover,
    giveUpOnce,
    batchWrites,
  ];
  for (const prepare of preparations) {
    if (isCluster(client)) client.on('+node', prepare);
    else prepare(client);
  }
  if (isCluster(client)) client.on('+node', refuseOnReplicas);
  askForPasswords(client, place);
  const { readyTimeoutMs } = patience;
  const deadline = AbortSignal.timeout(readyTimeoutMs);
  try {
    await once(client, 'ready', { signal: deadline });
    if (isCluster(client)) await nodesSettled(client, deadline);
  } catch (error) {
    client.on('error', () => {}); // the first error is thrown; later ones add nothing
    client.disconnect();
    const cause = deadline.aborted
      ? new Error(`not ready within ${readyTimeoutMs} ms`)
      : reasonOf(error);
    throw storeUnavailable(
      await withHint(cause, place),
      'refused', // the client was not in use yet, so no command was sent
    );
  }
  const told = (error: Error) => onError(plainRedisError(error));
  client.on('error', (error) => {
    noteConnectionError(client, reasonOf(error));
    told(reasonOf(error));
  });
  client.on('ready', () => noteConnectionError(client, undefined));
  client.on('node error', told);
  return {
    client,
    async ping({ prefix } = {}) {
      try {
        if (prefix === undefined)
          await client.eval('return 1', 0); // a Redis without Lua would also answer PING
        else await client.eval(ASK_TO_WRITE, 1, `${prefix}ping:${randomInt(CLUSTER_SLOTS)}`);
      } catch (error) {
        throw storeUnavailable(error, undefined, ioredis(client));
      }
    },
    async close() {
      // `quit` fails if Redis is down; there is nothing to wait for then. It leaves connections to sentinels open.
      await client.quit().catch(() => {});
      client.disconnect();
    },
  };
}

function patienceOf({
  connectTimeoutMs = 1000,
  commandTimeoutMs = 500,
  readyTimeoutMs = Math.max(3000, 3 * connectTimeoutMs),
  keepAliveMs = 60_000,
}: Omit<ConnectOptions, 'onError'>): Patience {
  const patience = { connectTimeoutMs, commandTimeoutMs, readyTimeoutMs, keepAliveMs };
  for (const [name, ms] of Object.entries(patience)) {
    const least = name === 'keepAliveMs' ? 0 : 1;
    if (isWhole(ms, least, MOST_MS)) continue;
    throw new SessionError(
      'invalid_option',
      `${name} must be a whole number of milliseconds from ${least} to ${MOST_MS}, not ${ms}.`,
    );
  }
  return patience;
}

function atUrl({ kind: _, url, ...access }: RedisAddress & { readonly kind: 'url' }): Place {
  const given = Object.entries(access).filter(([, value]) => value !== undefined); // `tls: undefined` must not turn TLS off
  return { kind: 'server', ...parseRedisUrl(url), ...Object.fromEntries(given) };
}

/** Adds the likely reason to the error if only one side uses TLS. An error that Redis itself sent says enough. */
async function withHint(error: Error, place: Place): Promise<Error> {
  const at = error.name === 'ReplyError' ? undefined : firstAsked(place);
  if (at === undefined) return error;
  const { tlsMismatch } = await import('./tls-mismatch.ts'); // imported here, because loading `node:tls` takes as long as all of our code
  const hint = await tlsMismatch(at, at.byTls);
  if (hint === undefined) return error;
  return new Error(`${at.host}:${at.port} does not answer; ${hint} (${error.message})`);
}

/** The server that is asked first, and whether by TLS; `undefined` for a Unix socket, which has no TLS. */
function firstAsked(place: Place): (HostAndPort & { readonly byTls: boolean }) | undefined {
  if (place.kind === 'socket') return undefined;
  if (place.kind === 'server') return { ...place, byTls: place.tls !== undefined };
  const [node, tls] =
    place.kind === 'cluster'
      ? [place.nodes[0], place.tls]
      : [place.sentinels[0], place.sentinelAccess?.tls];
  return node && { ...node, byTls: tls !== undefined };
}

/**
 * Resolves when every known node has answered or has been given up. A cluster can serve with the nodes that it has.
 */
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

/** For a cluster of which no node could be reached, the error of the last one. */
function reasonOf(error: unknown): Error {
  const { lastNodeError } = error as { lastNodeError?: Error };
  return lastNodeError ?? (error as Error);
}
