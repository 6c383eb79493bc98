import type { ConnectionOptions } from 'node:tls';
import { SessionError } from '../../domain/errors.ts';

/** Host name or address of a server, and its port. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** Credentials, database and TLS options. */
export interface RedisAccess {
  /** User name for Redis' access control (ACL). Without it, `password` belongs to the default user. */
  readonly username?: string;
  /**
   * The password, or a function that returns it. The function is called before every connection, so that the password
   * can be changed without a restart.
   */
  readonly password?: string | (() => string);
  /** The number of the database. A cluster has only database 0. @default 0 */
  readonly db?: number;
  /**
   * Turns TLS on. Accepts the options of Node's `tls.connect`, such as `ca`, `cert`, `key` and `servername`; `{}` for
   * none.
   */
  readonly tls?: ConnectionOptions;
}

/**
 * The address of Redis: a single server, a Sentinel deployment or a cluster.
 *
 * @example
 * ```ts
 * const server: RedisAddress = { kind: 'url', url: 'rediss://redis.internal:6380' };
 * const sentinel: RedisAddress = {
 *   kind: 'sentinel',
 *   sentinels: [{ host: 'sentinel-1', port: 26379 }, { host: 'sentinel-2', port: 26379 }],
 *   master: 'main',
 * };
 * const cluster: RedisAddress = { kind: 'cluster', nodes: [{ host: 'node-1', port: 6379 }] };
 * ```
 */
export type RedisAddress =
  | ({ readonly kind: 'server'; readonly host: string; readonly port: number } & RedisAccess)
  /** A Unix socket. */
  | ({ readonly kind: 'socket'; readonly path: string } & RedisAccess)
  /** A URL such as `redis://user:password@host:port/database`. Properties given beside the URL take precedence. */
  | ({ readonly kind: 'url'; readonly url: string } & RedisAccess)
  | ({
      readonly kind: 'sentinel';
      readonly sentinels: readonly HostAndPort[];
      readonly master: string;
      /** Credentials and TLS of the sentinels themselves. */
      readonly sentinelAccess?: Omit<RedisAccess, 'db'>;
    } & RedisAccess)
  | ({ readonly kind: 'cluster'; readonly nodes: readonly HostAndPort[] } & Omit<
      RedisAccess,
      'db'
    >);

/** The parts of a Redis URL. */
export interface ParsedRedisUrl extends RedisAccess {
  readonly host: string;
  readonly port: number;
  /** The address family for looking up the host. */
  readonly family?: 4 | 6;
}

const DEFAULT_PORT = 6379;
export const MAX_DATABASE = 2 ** 31 - 1;

/** URL schemes of Redis and Valkey, and whether they mean TLS. */
const schemes: ReadonlyMap<string, boolean> = new Map([
  ['redis:', false],
  ['valkey:', false],
  ['rediss:', true],
  ['valkeys:', true],
]);

const ENCODING =
  'In user and password, every character except letters, digits, - . _ and ~ must be percent-encoded: ' +
  '# as %23, / as %2F, : as %3A, @ as %40, ? as %3F, % as %25';

/**
 * Parses `redis://user:password@host:port/database`, or `rediss:` for TLS. Everything is optional; without a host it is `localhost`. The
 * query may contain `db` and `family` (4 or 6), and no other client options.
 *
 * Throws a `SessionError` (`invalid_option`) that says what is wrong and never repeats the URL, because it may contain
 * a password.
 */
export function parseRedisUrl(text: string): ParsedRedisUrl {
  const scheme = /^[a-z]+:(?=\/\/)/i.exec(text)?.[0].toLowerCase() ?? '';
  const secure = schemes.get(scheme);
  if (secure === undefined) {
    throw invalid(
      'must begin with redis://, or with rediss:// for TLS, as in redis://redis.internal:6380/0',
    );
  }
  if (text.includes('#')) throw invalid(`must not contain #. ${ENCODING}`);
  if (!URL.canParse(text))
    throw invalid(`must have a host, and a port from 1 to 65535. ${ENCODING}`);
  const url = new URL(text);
  if (url.port === '0') throw invalid('must have a port from 1 to 65535');
  return {
    host: decode(url.hostname).replace(/^\[|\]$/g, '') || 'localhost', // `URL` encodes `bücher.example`
    port: Number(url.port) || DEFAULT_PORT,
    ...(url.username !== '' && { username: decode(url.username) }),
    ...(url.password !== '' && { password: decode(url.password) }),
    ...options(url),
    ...(secure && { tls: {} }),
  };
}

function options({ pathname, searchParams }: URL): Pick<ParsedRedisUrl, 'db' | 'family'> {
  const path = pathname.replace(/^\//, '');
  const databases = [...(path === '' ? [] : [path]), ...searchParams.getAll('db')];
  const [db, ...others] = databases.map(databaseNumber);
  if (others.some((other) => other !== db)) throw invalid('must name one database, not several');
  const family = searchParams.get('family');
  if (family !== null && family !== '4' && family !== '6')
    throw invalid('must have family=4 or family=6, if any');
  const unknown = [...searchParams.keys()].find((name) => name !== 'db' && name !== 'family');
  if (unknown !== undefined) {
    throw invalid(
      `accepts only the options db and family after the ?, not ${JSON.stringify(unknown.slice(0, 40))}: ` +
        'give other options in code or by flags',
    );
  }
  return {
    ...(db !== undefined && { db }),
    ...(family !== null && { family: family === '4' ? 4 : 6 }),
  };
}

function databaseNumber(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MAX_DATABASE) return Number(text);
  throw invalid('must end with the number of a database, as in /0, or without one');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`must not contain % except before two hexadecimal digits. ${ENCODING}`); // the error has no further details
  }
}

function invalid(what: string): SessionError {
  return new SessionError('invalid_option', `The Redis URL ${what}.`);
}
