import type { LogLevel } from './adapters/pino/server-log.ts';
import type { HostAndPort, RedisAddress } from './adapters/redis/redis-address.ts';
import { SessionError } from './domain/errors.ts';
import { createPolicy, defaultPolicy, type SessionPolicy } from './domain/session-policy.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  readonly store: 'auto' | 'redis' | 'memory';
  /** Where Redis is, if the flags or the environment say so. */
  readonly redis: RedisAddress | undefined;
  readonly prefix: string;
  readonly policy: SessionPolicy;
  readonly secureCookie: boolean;
  /** A proxy in front sets `X-Forwarded-Host` and `X-Forwarded-Proto` on every request. */
  readonly trustProxy: boolean;
  /** Host names in lower case, `*.` before one for its subdomains, `*` for any. `undefined`: nobody said. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Origins whose pages may send unsafe requests here as well; `https://*.example.com` for subdomains. */
  readonly trustedOrigins: readonly string[];
  /** Sessions in use are kept in this process too: docs/near-cache.md. */
  readonly nearCache: boolean;
  readonly logLevel: LogLevel;
  /** In production there is no fallback to the embedded store. */
  readonly production: boolean;
}

/** A flag or a variable that makes no sense. The message is one line that names it. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** The store that the configuration asks for cannot be used. The message is one line that says which and why. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** What flags and environment can say. One without a hint takes no value as a flag. */
export const settings = {
  host: { env: 'HOST', hint: 'ADDRESS', help: 'address to listen on (127.0.0.1)' },
  port: { env: 'PORT', hint: 'PORT', help: 'port to listen on, 0 for a free one (8080)' },
  store: { env: 'SESSION_STORE', hint: 'STORE', help: 'auto, redis or memory (auto)' },
  'redis-url': {
    env: 'REDIS_URL',
    hint: 'URL',
    help: 'redis:// or rediss://, with user, password, db',
  },
  'redis-host': { env: 'REDIS_HOST', hint: 'HOST', help: 'Redis host (localhost)' },
  'redis-port': { env: 'REDIS_PORT', hint: 'PORT', help: 'Redis port (6379)' },
  'redis-cluster': {
    env: 'REDIS_CLUSTER',
    hint: 'HOST:PORT,...',
    help: 'nodes of a Redis Cluster',
  },
  'redis-sentinel': {
    env: 'REDIS_SENTINEL',
    hint: 'HOST:PORT,...',
    help: 'sentinels; needs --redis-master',
  },
  'redis-master': {
    env: 'REDIS_MASTER',
    hint: 'NAME',
    help: 'name of the master that the sentinels watch',
  },
  prefix: { env: 'SESSION_PREFIX', hint: 'PREFIX', help: 'what every key begins with' },
  ttl: { env: 'SESSION_TTL', hint: 'SECONDS', help: `idle timeout (${defaultPolicy.ttl})` },
  'max-ttl': {
    env: 'SESSION_MAX_TTL',
    hint: 'SECONDS',
    help: `longest idle timeout (${defaultPolicy.maxTtl})`,
  },
  lifetime: {
    env: 'SESSION_LIFETIME',
    hint: 'SECONDS',
    help: `longest life of a session (${defaultPolicy.lifetime})`,
  },
  'secure-cookie': {
    env: 'SECURE_COOKIE',
    hint: '',
    help: 'Secure cookie with the __Host- prefix, for HTTPS',
  },
  'trust-proxy': {
    env: 'TRUST_PROXY',
    hint: '',
    help: 'a proxy in front sets X-Forwarded-Host and -Proto',
  },
  'allowed-hosts': {
    env: 'ALLOWED_HOSTS',
    hint: 'NAME,...',
    help: 'names browsers may use besides localhost; *.NAME, *',
  },
  'trusted-origins': {
    env: 'TRUSTED_ORIGINS',
    hint: 'ORIGIN,...',
    help: 'sites whose pages may send forms; https://*.NAME',
  },
  'near-cache': {
    env: 'SESSION_NEAR_CACHE',
    hint: '',
    help: 'serve sessions in use from memory, kept true by Redis',
  },
  'log-level': {
    env: 'LOG_LEVEL',
    hint: 'LEVEL',
    help: 'debug, info, warn or error (warn; info in production)',
  },
} as const;

export type Setting = keyof typeof settings;

export const allSettings = Object.keys(settings) as readonly Setting[];

/** Which sessions, in which Redis: all that a command needs to know which serves nothing. */
export const redisSettings: readonly Setting[] = [
  'store',
  'redis-url',
  'redis-host',
  'redis-port',
  'redis-cluster',
  'redis-sentinel',
  'redis-master',
  'prefix',
];

/** Where an application's sessions are that was given no prefix. */
export const DEFAULT_PREFIX = 'session:';

/** The server has no password: under the applications' prefix its cookies would open their sessions. */
export const DEMO_PREFIX = 'session:demo:';

/** Of the server, as it has no password: everybody who gives no name shares one. */
const MAX_SESSIONS_PER_NAME = 50;

/** The configuration that flags and environment describe; of the environment, only those settings count. Throws a `ConfigError`. */
export function readConfig(
  flags: Readonly<Partial<Record<Setting, string | boolean>>>,
  env: Readonly<Record<string, string | undefined>>,
  understood: readonly Setting[] = allSettings,
  defaultPrefix = DEMO_PREFIX,
): Config {
  /** Under the name that the value was given by, for the message. */
  const given = new Map<Setting, { readonly value: string; readonly source: string }>();
  for (const name of understood) {
    const variable = settings[name].env;
    const flag = flags[name];
    const fromEnv = env[variable];
    if (flag !== undefined) given.set(name, { value: String(flag), source: `--${name}` });
    else if (fromEnv) given.set(name, { value: fromEnv, source: variable });
  }

  function read<T>(
    name: Setting,
    parse: (value: string) => T | undefined,
    expected: string,
  ): T | undefined {
    const setting = given.get(name);
    if (setting === undefined) return undefined;
    const parsed = parse(setting.value);
    if (parsed !== undefined) return parsed;
    const shown = name === 'redis-url' ? '' : `, not ${JSON.stringify(setting.value)}`; // it may hold a password
    throw new ConfigError(`${setting.source} must be ${expected}${shown}`);
  }
  const text = (name: Setting) => read(name, (value) => value || undefined, 'a text');
  const seconds = (name: Setting) => read(name, wholeNumber, 'a whole number of seconds');
  const port = (name: Setting, least: number) =>
    read(name, (value) => portNumber(value, least), `a port from ${least} to 65535`);
  const hosts = (name: Setting) => read(name, hostsAndPorts, 'host:port,...');

  function redisAddress(): RedisAddress | undefined {
    const url = read('redis-url', redisUrl, 'a redis:// or rediss:// URL');
    const nodes = hosts('redis-cluster');
    const sentinels = hosts('redis-sentinel');
    const master = text('redis-master');
    const [host, serverPort] = [text('redis-host'), port('redis-port', 1)];
    const ways = [url, nodes, sentinels, host ?? serverPort].filter((way) => way !== undefined);
    if (ways.length > 1) {
      throw new ConfigError(
        'Say where Redis is in one way: a URL, a host and port, sentinels or a cluster',
      );
    }
    if ((sentinels === undefined) !== (master === undefined)) {
      throw new ConfigError('--redis-sentinel and --redis-master go together');
    }
    if (url !== undefined) return { kind: 'url', url };
    if (nodes !== undefined) return { kind: 'cluster', nodes };
    if (sentinels !== undefined && master !== undefined)
      return { kind: 'sentinel', sentinels, master };
    if (ways.length === 0) return undefined;
    return { kind: 'server', host: host ?? 'localhost', port: serverPort ?? 6379 };
  }

  function policy(): SessionPolicy {
    const [ttl, maxTtl, lifetime] = [seconds('ttl'), seconds('max-ttl'), seconds('lifetime')];
    try {
      return createPolicy({
        maxSessions: MAX_SESSIONS_PER_NAME,
        ...(ttl === undefined ? {} : { ttl }),
        ...(maxTtl === undefined ? {} : { maxTtl }),
        ...(lifetime === undefined ? {} : { lifetime }),
      });
    } catch (error) {
      if (error instanceof SessionError) throw new ConfigError(error.message);
      throw error;
    }
  }

  return {
    host: text('host') ?? '127.0.0.1',
    port: port('port', 0) ?? 8080,
    store: read('store', storeName, 'auto, redis or memory') ?? 'auto',
    redis: redisAddress(),
    prefix: text('prefix') ?? defaultPrefix,
    policy: policy(),
    secureCookie: read('secure-cookie', yesOrNo, 'true or false') ?? false,
    trustProxy: read('trust-proxy', yesOrNo, 'true or false') ?? false,
    allowedHosts: read(
      'allowed-hosts',
      (value) => listOf(value, hostName),
      'host names such as shop.example, *.shop.example or *, without scheme and port',
    ),
    trustedOrigins:
      read(
        'trusted-origins',
        (value) => listOf(value, origin),
        'origins such as https://shop.example or https://*.shop.example',
      ) ?? [],
    nearCache: read('near-cache', yesOrNo, 'true or false') ?? false,
    logLevel:
      read('log-level', logLevel, 'debug, info, warn or error') ??
      (env.NODE_ENV === 'production' ? 'info' : 'warn'),
    production: env.NODE_ENV === 'production',
  };
}

function wholeNumber(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

function portNumber(value: string, least: number): number | undefined {
  const port = wholeNumber(value);
  return port !== undefined && port >= least && port <= 65535 ? port : undefined;
}

function hostsAndPorts(value: string): HostAndPort[] | undefined {
  const hosts = value.split(',').map((part) => {
    const [, host, port] = /^(?:\[(?=.*\]))?([^\s,\]]+?)\]?:(\d+)$/.exec(part.trim()) ?? [];
    return { host, port: portNumber(port ?? '', 1) };
  });
  const valid = hosts.every(({ host, port }) => host !== undefined && port !== undefined);
  return valid ? (hosts as HostAndPort[]) : undefined;
}

/** What stands between commas, if all of it makes sense. */
function listOf(
  value: string,
  parse: (part: string) => string | undefined,
): readonly string[] | undefined {
  const parsed = value.split(',').map((part) => parse(part.trim()));
  return parsed.every((part) => part !== undefined) ? parsed : undefined;
}

const LABEL = String.raw`[^\s./?#@:*%\\[\]]+`;
const HOST = String.raw`(?:\*\.)?${LABEL}(?:\.${LABEL})*\.?|\[[\da-f:.]+\]`;

function hostName(text: string): string | undefined {
  if (text === '*') return text;
  if (!new RegExp(`^(?:${HOST})$`, 'i').test(text) || !URL.canParse(`http://${text}`)) {
    return undefined;
  }
  return new URL(`http://${text}`).hostname.replace(/\.$/, '');
}

function origin(text: string): string | undefined {
  const isOne = new RegExp(`^https?://(?:${HOST})(?::\\d+)?/?$`, 'i').test(text);
  return isOne && URL.canParse(text) ? new URL(text).origin : undefined;
}

function redisUrl(value: string): string | undefined {
  if (!URL.canParse(value)) return undefined;
  const { protocol, username, password, pathname } = new URL(value);
  const valid =
    /^rediss?:$/.test(protocol) && isEncoded(username + password) && /^\/?\d*$/.test(pathname);
  return valid ? value : undefined;
}

/** `%` stands only where a character is encoded by it. */
function isEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false; // it says no more than that
  }
}

function storeName(value: string): Config['store'] | undefined {
  return value === 'auto' || value === 'redis' || value === 'memory' ? value : undefined;
}

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function logLevel(value: string): LogLevel | undefined {
  return logLevels.find((level) => level === value);
}

function yesOrNo(value: string): boolean | undefined {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  return /^(false|0|no|off)$/i.test(value) ? false : undefined;
}
