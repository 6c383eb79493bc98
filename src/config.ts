import type { LogLevel } from './adapters/pino/server-log.ts';
import type { RedisAddress } from './adapters/redis/redis-address.ts';
import { type AdminPlace, adminPlace } from './config/admin-place.ts';
import { ConfigError } from './config/config-error.ts';
import { type Environment, type Flags, Given } from './config/given.ts';
import { isPlacedByFlag, redisPlace } from './config/redis-place.ts';
import { allSettings, type Setting } from './config/settings.ts';
import {
  hostName,
  listOf,
  origin,
  pathBelow,
  portNumber,
  TIMEOUT,
  timeoutMs,
  wholeNumber,
  yesOrNo,
} from './config/values.ts';
import { DEFAULT_KEEP_DAYS, MOST_KEEP_DAYS } from './domain/journal-retention.ts';
import {
  createPolicy,
  defaultPolicy,
  MAX_SECONDS,
  type SessionPolicy,
} from './domain/session-policy.ts';

export type { AdminPlace } from './config/admin-place.ts';
export { ConfigError } from './config/config-error.ts';
export { allSettings, isSecret, redisSettings, type Setting, settings } from './config/settings.ts';

export interface Config {
  readonly host: string;
  readonly port: number;
  /** The second listener, for metrics and the operator's console; `undefined` without `--admin-port`. */
  readonly admin: AdminPlace | undefined;
  readonly store: 'auto' | 'redis' | 'memory';
  /** Where Redis is; `undefined` if no setting says so. */
  readonly redis: RedisAddress | undefined;
  /** File with the certificate authority for Redis' certificate. */
  readonly redisCaFile: string | undefined;
  /** How long Redis may take to answer a command, in milliseconds. */
  readonly redisTimeoutMs: number;
  readonly prefix: string;
  readonly policy: SessionPolicy;
  readonly secureCookie: boolean;
  /** The path below which a proxy serves the server, without a slash at its end: `/demo`; empty for a site of its own. */
  readonly basePath: string;
  /** Trust `X-Forwarded-Host` and `X-Forwarded-Proto`: a proxy in front sets them on every request. */
  readonly trustProxy: boolean;
  /** Host names in lower case, `*.` in front for subdomains, `*` for any. `undefined` if not set. */
  readonly allowedHosts: readonly string[] | undefined;
  /** Other origins whose pages may send unsafe requests here; `https://*.example.com` for subdomains. */
  readonly trustedOrigins: readonly string[];
  /** Keep sessions in use in this process too: docs/near-cache.md. */
  readonly nearCache: boolean;
  /** How many days entries are kept. `existing` for the tools, which add to existing journals and start none. */
  readonly journal: { readonly keepDays: number } | 'existing' | 'off';
  readonly logLevel: LogLevel;
  /** In production the embedded store is never a fallback. */
  readonly production: boolean;
  /** The flag or variable that set this, for messages: `--host` or `HOST`. */
  readonly sourceOf: (setting: Setting) => string;
  /** The flag or variable that set this; `undefined` if the default applies. */
  readonly saidBy: (setting: Setting) => string | undefined;
  /** Variables that were ignored, and why: one line each. */
  readonly notices: readonly string[];
}

/** The configured store cannot be used. The message is one line that says which and why. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/** The prefix of an application's sessions if none is configured. */
export const DEFAULT_PREFIX = 'session:';

/** The demo has no passwords. With the applications' prefix, its cookies would open their sessions. */
export const DEMO_PREFIX = 'session:demo:';

/** The demo has no passwords, and everybody without a name shares one. */
const MAX_SESSIONS_PER_NAME = 50;

const SERVER_TIMEOUT_MS = 500;

/** Longer than for the server: a tool may be used on a busy Redis. */
const TOOL_TIMEOUT_MS = 10_000;

/**
 * Reads the configuration from flags and environment; only the settings in `understood` are read from the environment.
 * Throws a `ConfigError`.
 */
export function readConfig(
  flags: Flags,
  env: Environment,
  understood: readonly Setting[] = allSettings,
  defaultPrefix = DEMO_PREFIX,
): Config {
  const given = Given.by(flags, env, understood);
  const sources = new Map(understood.map((name) => [name, given.source(name)]));
  // A flag that names a Redis overrides a variable that chooses the embedded store.
  const store = isPlacedByFlag(given) ? given.withoutVariables(['store']) : given;
  const flag = (name: Setting) => given.read(name, yesOrNo, 'true or false') ?? false;
  const port =
    given.read('port', (value) => portNumber(value, 0), 'a port from 0 to 65535') ?? 8080;
  return {
    host: given.text('host') ?? '127.0.0.1',
    port,
    admin: adminPlace(given, port),
    store: store.read('store', storeName, 'auto, redis or memory') ?? 'auto',
    redis: redisPlace(given),
    redisCaFile: given.text('redis-ca'),
    redisTimeoutMs: redisTimeoutMs(given, understood),
    prefix: given.text('prefix') ?? defaultPrefix,
    policy: policy(given),
    secureCookie: flag('secure-cookie'),
    basePath:
      given.read(
        'base-path',
        pathBelow,
        'a path such as /demo, of letters, digits and - . _ ~ between its slashes',
      ) ?? '',
    trustProxy: flag('trust-proxy'),
    allowedHosts: given.read(
      'allowed-hosts',
      (value) => listOf(value, hostName),
      'host names such as shop.example, *.shop.example or *, without scheme and port',
    ),
    trustedOrigins:
      given.read(
        'trusted-origins',
        (value) => listOf(value, origin),
        'origins such as https://shop.example or https://*.shop.example',
      ) ?? [],
    nearCache: flag('near-cache'),
    journal: journal(given, understood),
    logLevel:
      given.read('log-level', logLevel, 'debug, info, warn or error') ??
      (env.NODE_ENV === 'production' ? 'info' : 'warn'),
    production: env.NODE_ENV === 'production',
    sourceOf: (name) => sources.get(name) ?? `--${name}`,
    saidBy: (name) => (given.has(name) ? given.source(name) : undefined),
    notices: given.notices,
  };
}

function redisTimeoutMs(given: Given, understood: readonly Setting[]): number {
  const name = understood.includes('timeout') ? 'timeout' : 'redis-timeout';
  const fallback = name === 'timeout' ? TOOL_TIMEOUT_MS : SERVER_TIMEOUT_MS;
  return given.read(name, timeoutMs, TIMEOUT) ?? fallback;
}

function journal(given: Given, understood: readonly Setting[]): Config['journal'] {
  if (!understood.includes('journal')) return 'existing';
  const keepDays = given.read(
    'journal-days',
    keptDays,
    `a whole number of days from 1 to ${MOST_KEEP_DAYS}`,
  );
  const isOn = given.read('journal', yesOrNo, 'on or off') ?? true;
  return isOn ? { keepDays: keepDays ?? DEFAULT_KEEP_DAYS } : 'off';
}

function keptDays(value: string): number | undefined {
  const days = wholeNumber(value);
  return days !== undefined && days >= 1 && days <= MOST_KEEP_DAYS ? days : undefined;
}

function policy(given: Given): SessionPolicy {
  const seconds = (name: Setting) =>
    given.read(name, someSeconds, `a whole number of seconds from 1 to ${MAX_SECONDS}`);
  const [ttl, maxTtl, lifetime] = [seconds('ttl'), seconds('max-ttl'), seconds('lifetime')];
  refuseBeyondMax(given, ttl, maxTtl);
  return createPolicy({
    maxSessions: MAX_SESSIONS_PER_NAME,
    ...(ttl === undefined ? {} : { ttl }),
    ...(maxTtl === undefined ? {} : { maxTtl }),
    ...(lifetime === undefined ? {} : { lifetime }),
  });
}

function someSeconds(value: string): number | undefined {
  const seconds = wholeNumber(value);
  return seconds !== undefined && seconds >= 1 && seconds <= MAX_SECONDS ? seconds : undefined;
}

/** One of the two may be a default that nobody has typed. */
function refuseBeyondMax(
  given: Given,
  ttl = defaultPolicy.ttl,
  maxTtl = defaultPolicy.maxTtl,
): void {
  if (ttl <= maxTtl) return;
  const named = (setting: Setting, seconds: number) =>
    given.has(setting)
      ? `${given.source(setting)} ${seconds}`
      : `the default ${seconds} of ${given.source(setting)}`;
  const advice = given.has('ttl') && given.has('max-ttl') ? '' : ': set both';
  throw new ConfigError(`${named('ttl', ttl)} exceeds ${named('max-ttl', maxTtl)}${advice}`);
}

function storeName(value: string): Config['store'] | undefined {
  return value === 'auto' || value === 'redis' || value === 'memory' ? value : undefined;
}

const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

function logLevel(value: string): LogLevel | undefined {
  return logLevels.find((level) => level === value);
}
