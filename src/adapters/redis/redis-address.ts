import type { ConnectionOptions } from 'node:tls';
import { SessionError } from '../../domain/errors.ts';

/** Where a server listens. */
export interface HostAndPort {
  readonly host: string;
  readonly port: number;
}

/** What the servers ask for, if anything. */
export interface RedisAccess {
  /** A user of Redis' access control; without one, `password` is that of the default user. */
  readonly username?: string;
  /**
   * The password, or a function that answers it and is asked before every connection, so that a password can be
   * changed without a restart.
   */
  readonly password?: string | (() => string);
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
  /** As `parseRedisUrl` takes it. What is given beside the URL is stronger than what the URL says. */
  | ({ readonly kind: 'url'; readonly url: string } & RedisAccess)
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

/** What a URL says of a server. */
export interface ParsedRedisUrl extends RedisAccess {
  readonly host: string;
  readonly port: number;
  /** 4 or 6: which kind of address to look the host up for. */
  readonly family?: 4 | 6;
}

const DEFAULT_PORT = 6379;
const MAX_DATABASE = 2 ** 31 - 1;

/** Whether each name, of Redis' own kind or Valkey's, means TLS. */
const schemes: ReadonlyMap<string, boolean> = new Map([
  ['redis:', false],
  ['valkey:', false],
  ['rediss:', true],
  ['valkeys:', true],
]);

const ENCODING =
  'In user and password every character but letters, digits, - . _ and ~ must be percent-encoded: ' +
  '# as %23, / as %2F, : as %3A, @ as %40, ? as %3F, % as %25';

/**
 * What `redis://user:password@host:port/database` says; with `rediss:` by TLS. All but the host may be left out. The
 * query may hold `db` and `family` (4 or 6), and no other option of any client.
 *
 * Throws a `SessionError` (`invalid_option`) that says what is wrong and never repeats the URL, which may hold a password.
 */
export function parseRedisUrl(text: string): ParsedRedisUrl {
  const scheme = /^[a-z]+:(?=\/\/)/i.exec(text)?.[0].toLowerCase() ?? '';
  const secure = schemes.get(scheme);
  if (secure === undefined) {
    throw invalid(
      'begins with redis:// or, with TLS, with rediss://, as in redis://redis.internal:6380/0',
    );
  }
  if (text.includes('#')) throw invalid(`holds no #. ${ENCODING}`);
  if (!URL.canParse(text)) throw invalid(`has a host, and a port from 1 to 65535. ${ENCODING}`);
  const url = new URL(text);
  if (url.port === '0') throw invalid('has a port from 1 to 65535');
  return {
    host: url.hostname.replace(/^\[|\]$/g, '') || 'localhost',
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
  if (others.some((other) => other !== db)) throw invalid('names one database, not several');
  const family = searchParams.get('family');
  if (family !== null && family !== '4' && family !== '6')
    throw invalid('has family=4 or family=6');
  const unknown = [...searchParams.keys()].find((name) => name !== 'db' && name !== 'family');
  if (unknown !== undefined) {
    throw invalid(
      `has no options but db and family after the ?, and not ${JSON.stringify(unknown.slice(0, 40))}: ` +
        'options are given in code or by flags',
    );
  }
  return {
    ...(db !== undefined && { db }),
    ...(family !== null && { family: family === '4' ? 4 : 6 }),
  };
}

function databaseNumber(text: string): number {
  if (/^\d{1,10}$/.test(text) && Number(text) <= MAX_DATABASE) return Number(text);
  throw invalid('ends with the number of a database, as in /0, or with none');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid(`has no % but before two hexadecimal digits. ${ENCODING}`); // it says no more than that
  }
}

function invalid(what: string): SessionError {
  return new SessionError('invalid_option', `The URL of a Redis ${what}.`);
}
