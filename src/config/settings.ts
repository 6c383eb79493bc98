import { DEFAULT_KEEP_DAYS } from '../domain/journal-retention.ts';
import { defaultPolicy } from '../domain/session-policy.ts';

interface SettingText {
  /** The environment variable; '' if there is none. */
  readonly env: string;
  /** Placeholder for the value in `--help`. A flag without it takes no value. */
  readonly hint: string;
  readonly help: string;
  /** A secret has no flag, because its value would be visible in the process list. */
  readonly secret?: true;
}

/** All settings that flags and the environment can have. */
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
  'redis-username': { env: 'REDIS_USERNAME', hint: 'NAME', help: 'Redis user (default)' },
  'redis-password': { env: 'REDIS_PASSWORD', hint: '', help: 'Redis password', secret: true },
  'redis-password-file': {
    env: 'REDIS_PASSWORD_FILE',
    hint: 'FILE',
    help: 'file with the password, read at each connection',
  },
  'redis-sentinel-username': {
    env: 'REDIS_SENTINEL_USERNAME',
    hint: 'NAME',
    help: 'user name for the sentinels',
  },
  'redis-sentinel-password': {
    env: 'REDIS_SENTINEL_PASSWORD',
    hint: '',
    help: 'password for the sentinels',
    secret: true,
  },
  'redis-sentinel-password-file': {
    env: 'REDIS_SENTINEL_PASSWORD_FILE',
    hint: 'FILE',
    help: 'file with that password',
  },
  'redis-tls': { env: 'REDIS_TLS', hint: '', help: 'TLS to Redis, its cluster and its sentinels' },
  'redis-ca': {
    env: 'REDIS_CA',
    hint: 'FILE',
    help: 'PEM file with the CA to trust; turns TLS on',
  },
  'redis-timeout': {
    env: 'REDIS_TIMEOUT',
    hint: 'MS',
    help: 'how long to wait for an answer of Redis (500)',
  },
  timeout: { env: '', hint: 'MS', help: 'how long to wait for an answer of Redis (10000)' },
  prefix: { env: 'SESSION_PREFIX', hint: 'PREFIX', help: 'prefix of all keys' },
  ttl: { env: 'SESSION_TTL', hint: 'SECONDS', help: `idle timeout (${defaultPolicy.ttl})` },
  'max-ttl': {
    env: 'SESSION_MAX_TTL',
    hint: 'SECONDS',
    help: `longest idle timeout (${defaultPolicy.maxTtl})`,
  },
  lifetime: {
    env: 'SESSION_LIFETIME',
    hint: 'SECONDS',
    help: `maximum lifetime of a session (${defaultPolicy.lifetime})`,
  },
  'secure-cookie': {
    env: 'SECURE_COOKIE',
    hint: '',
    help: 'Secure cookie with the __Host- prefix, for HTTPS',
  },
  'base-path': {
    env: 'BASE_PATH',
    hint: 'PATH',
    help: 'path below which a proxy serves it, such as /demo',
  },
  'trust-proxy': {
    env: 'TRUST_PROXY',
    hint: '',
    help: 'trust X-Forwarded-Host and -Proto from a proxy',
  },
  'allowed-hosts': {
    env: 'ALLOWED_HOSTS',
    hint: 'NAME,...',
    help: 'host names to accept beside localhost; *.NAME, *',
  },
  'trusted-origins': {
    env: 'TRUSTED_ORIGINS',
    hint: 'ORIGIN,...',
    help: 'sites that may send forms; https://*.NAME',
  },
  'admin-host': {
    env: 'ADMIN_HOST',
    hint: 'ADDRESS',
    help: 'address of metrics and console (127.0.0.1)',
  },
  'admin-port': {
    env: 'ADMIN_PORT',
    hint: 'PORT',
    help: 'port of metrics and console, 0 for a free one (none)',
  },
  'admin-token': {
    env: 'ADMIN_TOKEN',
    hint: '',
    help: 'token that metrics and console require',
    secret: true,
  },
  'admin-token-file': {
    env: 'ADMIN_TOKEN_FILE',
    hint: 'FILE',
    help: 'file with that token; required beyond loopback',
  },
  'near-cache': {
    env: 'SESSION_NEAR_CACHE',
    hint: '',
    help: 'serve sessions in use from memory',
  },
  journal: {
    env: 'SESSION_JOURNAL',
    hint: 'on|off',
    help: "record what happens to each user's sessions (on)",
  },
  'journal-days': {
    env: 'SESSION_JOURNAL_DAYS',
    hint: 'DAYS',
    help: `days for which entries are kept (${DEFAULT_KEEP_DAYS})`,
  },
  'log-level': {
    env: 'LOG_LEVEL',
    hint: 'LEVEL',
    help: 'debug, info, warn or error (warn; info in production)',
  },
} as const satisfies Readonly<Record<string, SettingText>>;

export type Setting = keyof typeof settings;

export function isSecret(name: Setting): boolean {
  const { secret }: SettingText = settings[name];
  return secret === true;
}

/** The settings of the server; `--timeout` belongs to the tools. */
export const allSettings: readonly Setting[] = (Object.keys(settings) as Setting[]).filter(
  (name) => name !== 'timeout',
);

/** The settings of commands that do not serve: where the sessions are. */
export const redisSettings: readonly Setting[] = allSettings
  .filter((name) => name === 'store' || name === 'prefix' || name.startsWith('redis-'))
  // The server's timeout is too short for a tool that is used on a busy Redis.
  .map((name) => (name === 'redis-timeout' ? 'timeout' : name));
