import { parseRedisUrl, type RedisAccess, type RedisAddress } from './redis-address.ts';

interface RedisCliOptions {
  /** The file with the certificate authority, if TLS needs one. */
  readonly caFile?: string | undefined;
}

/**
 * The start of a command line for the same Redis, for people who type the rest: `redis-cli -h redis.internal -p 6380`.
 * It contains only what differs from the defaults of `redis-cli`, and never a password, for which `redis-cli` asks.
 */
export function redisCli(address: RedisAddress, { caFile }: RedisCliOptions = {}): string {
  const login = (access: RedisAccess) => loginWords(access, caFile);
  switch (address.kind) {
    case 'url': {
      const { kind: _, url, ...access } = address;
      return redisCli({ kind: 'server', ...parseRedisUrl(url), ...access }, { caFile });
    }
    case 'server':
      return line([...server(address), ...login(address)]);
    case 'socket':
      return line(['-s', word(address.path), ...login(address)]);
    case 'cluster':
      return line(['-c', ...server(address.nodes[0]), ...login(address)]);
    case 'sentinel': {
      // The sentinels say which server is the master when they are asked.
      const { sentinels, sentinelAccess = {}, master } = address;
      const ask = ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', word(master)];
      const asking = line([...server(sentinels[0]), ...login(sentinelAccess), ...ask]);
      return `set -- $(${asking}); ${line(['-h', '$1', '-p', '$2', ...login(address)])}`;
    }
  }
}

function line(words: readonly string[]): string {
  return ['redis-cli', ...words].join(' ');
}

const LOCAL: readonly string[] = ['localhost', '127.0.0.1'];

function server(at: { readonly host: string; readonly port: number } | undefined): string[] {
  if (at === undefined) return [];
  return [
    ...(LOCAL.includes(at.host) ? [] : ['-h', word(at.host)]),
    ...(at.port === 6379 ? [] : ['-p', String(at.port)]),
  ];
}

function loginWords({ username, password, db, tls }: RedisAccess, caFile?: string): string[] {
  return [
    ...(tls === undefined ? [] : ['--tls']),
    ...(tls === undefined || caFile === undefined ? [] : ['--cacert', word(caFile)]),
    ...(username === undefined ? [] : ['--user', word(username)]),
    ...(password === undefined ? [] : ['--askpass']),
    ...(db === undefined || db === 0 ? [] : ['-n', String(db)]),
  ];
}

/** The text as one word for a POSIX shell. */
function word(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
