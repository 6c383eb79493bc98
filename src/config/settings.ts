import { DEFAULT_KEEP_DAYS } from '../domain/journal-retention.ts';
import { defaultPolicy } from '../domain/session-policy.ts';

interface SettingText {
  /** The variable. '' where there is none. */
  readonly env: string;
  /** What stands for the value in `--help`. Without one the flag takes no value. */
  readonly hint: string;
  readonly help: string;
  /** A secret has no flag: everybody who lists processes would see it. */
  readonly secret?: true;
}

/** What flags and environment can say. */
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
  'redis-username': { env: 'REDIS_USERNAME', hint: 'NAME', help: 'user of Redis (default)' },
  'redis-password': { env: 'REDIS_PASSWORD', hint: '', help: 'password of Redis', secret: true },
  'redis-password-file': {
    env: 'REDIS_PASSWORD_FILE',
    hint: 'FILE',
    help: 'file of the password, read at each connection',
  },
  'redis-sentinel-username': {
    env: 'REDIS_SENTINEL_USERNAME',
    hint: 'NAME',
    help: 'user of the sentinels',
  },
  'redis-sentinel-password': {
    env: 'REDIS_SENTINEL_PASSWORD',
    hint: '',
    help: 'password of the sentinels',
    secret: true,
  },
  'redis-sentinel-password-file': {
    env: 'REDIS_SENTINEL_PASSWORD_FILE',
    hint: 'FILE',
    help: 'file of that password',
  },
  'redis-tls': { env: 'REDIS_TLS', hint: '', help: 'TLS to Redis, its cluster and its sentinels' },
  'redis-ca': {
    env: 'REDIS_CA',
    hint: 'FILE',
    help: 'PEM file of the authority to trust; turns TLS on',
  },
  'redis-timeout': {
    env: 'REDIS_TIMEOUT',
    hint: 'MS',
    help: 'how long Redis may take to answer (500)',
  },
  timeout: { env: '', hint: 'MS', help: 'how long Redis may take to answer (10000)' },
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
  'base-path': {
    env: 'BASE_PATH',
    hint: 'PATH',
    help: 'path below which a proxy serves it, such as /demo',
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
    help: 'token that metrics and console ask for',
    secret: true,
  },
  'admin-token-file': {
    env: 'ADMIN_TOKEN_FILE',
    hint: 'FILE',
    help: 'file of that token; needed beyond loopback',
  },
  'near-cache': {
    env: 'SESSION_NEAR_CACHE',
    hint: '',
    help: 'serve sessions in use from memory, kept true by Redis',
  },
  journal: {
    env: 'SESSION_JOURNAL',
    hint: 'on|off',
    help: "keep what happens to each user's sessions (on)",
  },
  'journal-days': {
    env: 'SESSION_JOURNAL_DAYS',
    hint: 'DAYS',
    help: `for how long the journal keeps an entry (${DEFAULT_KEEP_DAYS})`,
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

/** What the server understands: `--timeout` is for the tools. */
export const allSettings: readonly Setting[] = (Object.keys(settings) as Setting[]).filter(
  (name) => name !== 'timeout',
);

/** Which sessions, in which Redis: all that a command needs to know which serves nothing. */
export const redisSettings: readonly Setting[] = allSettings
  .filter((name) => name === 'store' || name === 'prefix' || name.startsWith('redis-'))
  // What is short enough for a server is too short for who looks at a busy Redis.
  .map((name) => (name === 'redis-timeout' ? 'timeout' : name));
