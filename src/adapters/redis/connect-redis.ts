import { once } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import { SessionError } from '../../domain/errors.ts';
import { batchWrites } from './batch-writes.ts';
import { isCluster, refuseOnReplicas } from './clients/ioredis-cluster.ts';
import { endSocketTimerWithSocket } from './clients/ioredis-socket-timer.ts';
import { askForPasswords, openIoredis, type Patience, type Place } from './open-ioredis.ts';
import { type HostAndPort, parseRedisUrl, type RedisAddress } from './redis-address.ts';
import { plainRedisError, storeUnavailable } from './redis-errors.ts';

/** An open connection, for a repository and to be closed by whoever opened it. */
export interface RedisConnection {
  readonly client: Redis | Cluster;
  /**
   * Resolves when Redis runs a script; rejects with `StoreUnavailableError` when it does not in time, or not at all, as
   * a Valkey whose Lua is not installed.
   */
  ping(): Promise<void>;
  /** Lets commands under way finish, then closes. */
  close(): Promise<void>;
}

/** How patient a connection is, and who hears of its failures. */
export interface ConnectOptions {
  /** Hears of every connection that failed, in an error without arguments of commands. Default: nobody. */
  readonly onError?: (error: Error) => void;
  /**
   * Milliseconds until a connection must stand, TLS included. Raise it across regions.
   *
   * @default 1000
   */
  readonly connectTimeoutMs?: number;
  /**
   * Milliseconds until a command must be answered; then it fails with outcome `unknown`. Keep it below `deadlineMs` of the
   * middleware. Raise it across regions, and for tools that look at a busy Redis. A connection that says nothing for twice
   * as long while a command waits, and for a second at least, counts as dead and is replaced.
   *
   * @default 500
   */
  readonly commandTimeoutMs?: number;
  /**
   * Milliseconds until the first connection must be ready, several attempts included.
   *
   * @default 3000, or three times `connectTimeoutMs` where that is more
   */
  readonly readyTimeoutMs?: number;
  /**
   * Milliseconds after which an idle connection is kept alive by an empty packet (TCP keep-alive). Clouds drop idle
   * connections without a word, Azure after 4 minutes and AWS after 350 seconds, so stay below that. 0 sends none.
   *
   * @default 60000
   */
  readonly keepAliveMs?: number;
}

const MOST_MS = 3600 * 1000;

/**
 * Opens a connection that is safe for sessions and resolves once Redis is ready. Rejects with `StoreUnavailableError`,
 * with nothing left open, when the first attempt fails. Afterwards it reconnects by itself for ever.
 *
 * Throws a `SessionError` (`invalid_option`) for a URL or an option that makes no sense.
 */
export async function connectRedis(
  address: RedisAddress,
  { onError = () => {}, ...options }: ConnectOptions = {},
): Promise<RedisConnection> {
  const patience = patienceOf(options);
  const place = address.kind === 'url' ? atUrl(address) : address;
  // Only here, so that programs with another client load no ioredis.
  const client = openIoredis(await import('ioredis'), place, patience);
  for (const prepare of [endSocketTimerWithSocket, batchWrites]) {
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
    client.on('error', () => {}); // the first one was thrown; what follows while it closes tells nothing new
    client.disconnect();
    const cause = deadline.aborted
      ? new Error(`not ready within ${readyTimeoutMs} ms`)
      : reasonOf(error);
    throw storeUnavailable(
      await withHint(cause, place),
      'refused', // nobody had the client yet, so nothing was asked of it
    );
  }
  const told = (error: Error) => onError(plainRedisError(error));
  client.on('error', (error) => told(reasonOf(error)));
  client.on('node error', told);
  return {
    client,
    async ping() {
      try {
        await client.eval('return 1', 0); // PING is answered by a Redis without Lua as well
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

function patienceOf({
  connectTimeoutMs = 1000,
  commandTimeoutMs = 500,
  readyTimeoutMs = Math.max(3000, 3 * connectTimeoutMs),
  keepAliveMs = 60_000,
}: Omit<ConnectOptions, 'onError'>): Patience {
  const patience = { connectTimeoutMs, commandTimeoutMs, readyTimeoutMs, keepAliveMs };
  for (const [name, ms] of Object.entries(patience)) {
    const least = name === 'keepAliveMs' ? 0 : 1;
    if (Number.isSafeInteger(ms) && ms >= least && ms <= MOST_MS) continue;
    throw new SessionError(
      'invalid_option',
      `${name} must be a whole number of milliseconds from ${least} to ${MOST_MS}, not ${ms}.`,
    );
  }
  return patience;
}

function atUrl({ kind: _, url, ...access }: RedisAddress & { readonly kind: 'url' }): Place {
  return { kind: 'server', ...parseRedisUrl(url), ...access };
}

/** The error with the likely reason, where TLS is used on one side only. What Redis answers in words is reason enough. */
async function withHint(error: Error, place: Place): Promise<Error> {
  const at = error.name === 'ReplyError' ? undefined : firstAsked(place);
  if (at === undefined) return error;
  const { tlsMismatch } = await import('./tls-mismatch.ts'); // only here: `node:tls` takes as long to load as all of ours
  const hint = await tlsMismatch(at, at.byTls);
  if (hint === undefined) return error;
  return new Error(`${at.host}:${at.port} does not answer; ${hint} (${error.message})`);
}

/** Who is asked first, and whether by TLS; `undefined` for a unix socket, which has none. */
function firstAsked(place: Place): (HostAndPort & { readonly byTls: boolean }) | undefined {
  if (place.kind === 'socket') return undefined;
  if (place.kind === 'server') return { ...place, byTls: place.tls !== undefined };
  const [node, tls] =
    place.kind === 'cluster'
      ? [place.nodes[0], place.tls]
      : [place.sentinels[0], place.sentinelAccess?.tls];
  return node && { ...node, byTls: tls !== undefined };
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
