import {
  type ParsedRedisUrl,
  parseRedisUrl,
  type RedisAccess,
  type RedisAddress,
} from '../adapters/redis/redis-address.ts';
import { SessionError } from '../domain/errors.ts';
import { ConfigError } from './config-error.ts';
import { certificateFile, passwordFile, withoutLineEnd } from './files.ts';
import type { Given } from './given.ts';
import { type Setting, settings } from './settings.ts';
import { listOf, portNumber, serverAndPort, serverName, yesOrNo } from './values.ts';

/** The settings of each way to specify where Redis is. */
const ways = {
  url: ['redis-url'],
  server: ['redis-host', 'redis-port'],
  sentinel: ['redis-sentinel', 'redis-master'],
  cluster: ['redis-cluster'],
} as const satisfies Readonly<Record<string, readonly Setting[]>>;

type Way = keyof typeof ways;

const places: readonly Setting[] = Object.values(ways).flat();
const credentials = ['redis-username', 'redis-password', 'redis-password-file'] as const;

const HOSTS =
  'host:port,... and nothing else: give user and password by --redis-username and ' +
  '--redis-password-file, or REDIS_PASSWORD';

/** True if a flag says where Redis is. */
export function isPlacedByFlag(given: Given): boolean {
  return places.some((name) => given.byFlag(name));
}

/** Where Redis is and how to authenticate; `undefined` if nothing says so. Throws a `ConfigError`. */
export function redisPlace(all: Given): RedisAddress | undefined {
  // A single flag overrides all other ways that variables use.
  const flagged = waysOf((name) => all.byFlag(name));
  const dropped = flagged.length === 0 ? [] : otherWays(flagged);
  const { given, way, url } = theWay(all.withoutVariables(dropped));
  const access = accessOf(given, url);
  switch (way) {
    case 'url':
      return { kind: 'url', url: given.text('redis-url') ?? '', ...access };
    case 'cluster':
      return { kind: 'cluster', nodes: hosts(given, 'redis-cluster') ?? [], ...access };
    case 'sentinel':
      return sentinelPlace(given, access);
    case 'server':
      return { kind: 'server', ...server(given), ...access };
    case undefined: {
      if (Object.keys(access).length === 0) return undefined;
      return { kind: 'server', host: 'localhost', port: 6379, ...access };
    }
  }
}

/** The one way that remains, and the settings that apply to it. */
function theWay(given: Given): { given: Given; way: Way | undefined; url?: ParsedRedisUrl } {
  const [way, ...more] = waysOf((name) => given.has(name));
  if (way !== 'url') {
    refuseSeveral(given, way, more);
    return { given, way };
  }
  const url = parsedUrl(given);
  // Some platforms set a URL and, in addition, the same host and port.
  const same = server(given, url);
  const agrees = same.host === url.host && same.port === url.port;
  refuseSeveral(given, way, agrees ? more.filter((other) => other !== 'server') : more);
  const saysWho = url.username !== undefined || url.password !== undefined;
  return {
    given: saysWho && given.byFlag('redis-url') ? given.withoutVariables(credentials) : given,
    way,
    url,
  };
}

function waysOf(said: (name: Setting) => boolean): readonly Way[] {
  return (Object.keys(ways) as Way[]).filter((way) => ways[way].some(said));
}

function otherWays(flagged: readonly Way[]): readonly Setting[] {
  return (Object.keys(ways) as Way[])
    .filter((way) => !flagged.includes(way))
    .flatMap((way) => ways[way]);
}

function refuseSeveral(given: Given, way: Way | undefined, more: readonly Way[]): void {
  if (way === undefined || more.length === 0) return;
  const sources = [way, ...more].map((one) =>
    ways[one]
      .filter((name) => given.has(name))
      .map((name) => given.source(name))
      .join(' with '),
  );
  throw new ConfigError(
    `${sources.join(' and ')} specify Redis in ${sources.length} different ways: use only one`,
  );
}

function parsedUrl(given: Given): ParsedRedisUrl {
  try {
    return parseRedisUrl(given.text('redis-url') ?? '');
  } catch (error) {
    if (!(error instanceof SessionError)) throw error;
    throw new ConfigError(`${given.source('redis-url')}: ${error.message}`);
  }
}

function server(given: Given, fallback = { host: 'localhost', port: 6379 }) {
  const host = given.read(
    'redis-host',
    serverName,
    'a host name or an address, without a port; for a URL use --redis-url (REDIS_URL)',
  );
  const port = given.read('redis-port', (value) => portNumber(value, 1), 'a port from 1 to 65535');
  return { host: host ?? fallback.host, port: port ?? fallback.port };
}

function hosts(given: Given, name: 'redis-cluster' | 'redis-sentinel') {
  return given.read(name, (value) => listOf(value, serverAndPort), HOSTS);
}

function sentinelPlace(given: Given, access: RedisAccess): RedisAddress {
  const sentinels = hosts(given, 'redis-sentinel');
  const master = given.read(
    'redis-master',
    (value) => (/^[\w.-]+$/.test(value) ? value : undefined), // as Sentinel requires
    'a name of letters, digits and . _ -',
  );
  if (sentinels === undefined || master === undefined) {
    const [there, missing] = ['redis-sentinel', 'redis-master'] as const satisfies Setting[];
    const [has, needs] = sentinels === undefined ? [missing, there] : [there, missing];
    throw new ConfigError(`${given.source(has)} needs ${given.source(needs)}`);
  }
  const username = given.text('redis-sentinel-username');
  const password = passwordOf(given, 'redis-sentinel');
  const sentinelAccess = {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(access.tls !== undefined && { tls: access.tls }),
  };
  return { kind: 'sentinel', sentinels, master, ...access, sentinelAccess };
}

function accessOf(given: Given, url: ParsedRedisUrl | undefined): RedisAccess {
  const username = given.text('redis-username');
  const password = passwordOf(given, 'redis');
  const tls = tlsOf(given, url);
  return {
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(tls !== undefined && { tls }),
  };
}

function passwordOf(
  given: Given,
  whose: 'redis' | 'redis-sentinel',
): RedisAccess['password'] | undefined {
  const [plain, file] = [`${whose}-password`, `${whose}-password-file`] as const;
  if (given.has(plain) && given.has(file) && !given.byFlag(file)) {
    throw new ConfigError(
      `${given.source(plain)} and ${given.source(file)} are both set: set only one of them`,
    );
  }
  if (!given.has(file)) return given.read(plain, withoutLineEnd, 'a password');
  return given.read(file, (path) => passwordFile(path, given.source(file)), 'a file');
}

function tlsOf(given: Given, url: ParsedRedisUrl | undefined): RedisAccess['tls'] {
  const said = given.read('redis-tls', yesOrNo, 'true or false');
  const asking = (
    [
      ['redis-url', url?.tls !== undefined],
      ['redis-ca', given.has('redis-ca')],
    ] as const
  )
    .filter(([, asks]) => asks)
    .map(([name]) => name);
  if (said === false && asking.length > 0 && !asking.some((name) => given.byFlag(name))) {
    const sources = asking.map((name) => given.source(name)).join(' and ');
    throw new ConfigError(`${settings['redis-tls'].env} turns TLS off, but ${sources} requires it`);
  }
  if (said !== true && asking.length === 0) return undefined;
  const ca = given.read(
    'redis-ca',
    (path) => certificateFile(path, given.source('redis-ca')),
    'a file',
  );
  return ca === undefined ? {} : { ca };
}
