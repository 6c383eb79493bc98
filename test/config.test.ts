import { mkdtempSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allSettings, ConfigError, readConfig, redisSettings, settings } from '../src/config.ts';

type Flags = Parameters<typeof readConfig>[0];
type Environment = Record<string, string>;

let folder: string;
let certificate: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sojourn-config-'));
  certificate = fileOf(rootCertificates[0] ?? '');
});
afterAll(() => rm(folder, { recursive: true }));

function fileOf(content: string): string {
  const path = join(folder, `file-${Math.random()}`);
  writeFileSync(path, content);
  return path;
}

function failure(flags: Flags, env: Environment = {}): string {
  try {
    readConfig(flags, env);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as Error).message).not.toMatch(/\n/);
    return (error as Error).message;
  }
  throw new Error('It was taken');
}

it.each([
  ['shop.example', ['shop.example']],
  [' Shop.Example. , *.PREVIEW.example ', ['shop.example', '*.preview.example']],
  ['*', ['*']],
  ['b\u00fccher.example', ['xn--bcher-kva.example']],
  ['10.0.0.1,[2001:DB8:0::1]', ['10.0.0.1', '[2001:db8::1]']],
  ['intranet', ['intranet']],
])('allowed hosts %j are kept as Host headers are compared: %j', (value, hosts) => {
  expect(readConfig({ 'allowed-hosts': value }, {}).allowedHosts).toEqual(hosts);
});

it.each([
  ['https://Shop.example:443/', ['https://shop.example']],
  [
    'http://shop.example:8080, https://*.Preview.example',
    ['http://shop.example:8080', 'https://*.preview.example'],
  ],
  ['https://[::1]:8443', ['https://[::1]:8443']],
])('trusted origins %j are kept as browsers write them: %j', (value, origins) => {
  expect(readConfig({ 'trusted-origins': value }, {}).trustedOrigins).toEqual(origins);
});

it.each([
  ['/demo', '/demo'],
  ['/demo/', '/demo'],
  ['/a/b-c/d.e_f~g', '/a/b-c/d.e_f~g'],
  ['/', ''],
])('the base path %j is kept as %j', (value, path) => {
  expect(readConfig({ 'base-path': value }, {}).basePath).toBe(path);
  expect(readConfig({}, { BASE_PATH: value }).basePath).toBe(path);
});

it.each([
  'demo',
  '//demo',
  '/a//b',
  '/a/../b',
  '/.',
  '/a b',
  '/a%20b',
  '/a?b',
  '/a#b',
  'https://h/a',
])('no base path is %j', (value) => {
  expect(failure({ 'base-path': value })).toContain('--base-path must be a path such as /demo');
});

it('allows no host by name and trusts no origin unless it is told to', () => {
  const config = readConfig({}, { ALLOWED_HOSTS: '', TRUSTED_ORIGINS: '' });
  expect(config).toMatchObject({ allowedHosts: undefined, trustedOrigins: [], trustProxy: false });
});

it('takes no time to refuse what is long', () => {
  const beganAt = performance.now();
  for (const value of [`${'a'.repeat(60_000)}*`, `${'a.'.repeat(30_000)}*`]) {
    expect(() => readConfig({ 'allowed-hosts': value }, {})).toThrow(ConfigError);
    expect(() => readConfig({ 'trusted-origins': `https://${value}` }, {})).toThrow(ConfigError);
  }
  expect(performance.now() - beganAt).toBeLessThan(1000);
});

describe('the idle timeout and its maximum', () => {
  it.each([
    [
      { 'max-ttl': '60' },
      {},
      'the default 1800 of --ttl (SESSION_TTL) exceeds --max-ttl 60: set both',
    ],
    [
      {},
      { SESSION_MAX_TTL: '60' },
      'the default 1800 of --ttl (SESSION_TTL) exceeds SESSION_MAX_TTL 60: set both',
    ],
    [
      { ttl: '2592001' },
      {},
      '--ttl 2592001 exceeds the default 2592000 of --max-ttl (SESSION_MAX_TTL): set both',
    ],
    [{ ttl: '61' }, { SESSION_MAX_TTL: '60' }, '--ttl 61 exceeds SESSION_MAX_TTL 60'],
  ])('are refused by the names of their settings: %j %j', (flags, env, message) => {
    expect(failure(flags, env as unknown as Environment)).toBe(message);
  });

  it.each(['ttl', 'max-ttl', 'lifetime'] as const)(
    '--%s has a least and a greatest value',
    (name) => {
      for (const value of ['0', '3162240001', '999999999999999']) {
        expect(failure({ [name]: value })).toBe(
          `--${name} must be a whole number of seconds from 1 to 3162240000, not "${value}"`,
        );
      }
    },
  );

  it('may be equal', () => {
    expect(readConfig({ 'max-ttl': '60', ttl: '60' }, {}).policy).toMatchObject({
      ttl: 60,
      maxTtl: 60,
    });
  });
});

describe('where Redis is', () => {
  const local = { kind: 'server', host: 'localhost', port: 6379 };

  it.each<[Flags, Environment, unknown]>([
    [{}, {}, undefined],
    [{}, { REDIS_URL: 'redis://a/2' }, { kind: 'url', url: 'redis://a/2' }],
    [{}, { REDIS_HOST: 'a' }, { ...local, host: 'a' }],
    [{}, { REDIS_PORT: '7' }, { ...local, port: 7 }],
    [{}, { REDIS_HOST: '[::1]', REDIS_PORT: '7' }, { ...local, host: '::1', port: 7 }],
    [{}, { REDIS_HOST: 'my_redis' }, { ...local, host: 'my_redis' }],
    [{ 'redis-port': '7' }, { REDIS_HOST: 'a' }, { ...local, host: 'a', port: 7 }],
    [
      {},
      { REDIS_CLUSTER: 'a:1, [::1]:2,10.0.0.1:3' },
      {
        kind: 'cluster',
        nodes: [
          { host: 'a', port: 1 },
          { host: '::1', port: 2 },
          { host: '10.0.0.1', port: 3 },
        ],
      },
    ],
    [
      { 'redis-sentinel': 'a:1' },
      { REDIS_MASTER: 'main' },
      {
        ...{ kind: 'sentinel', sentinels: [{ host: 'a', port: 1 }], master: 'main' },
        sentinelAccess: {},
      },
    ],
  ])('%j and %j say %j', (flags, env, place) => {
    expect(readConfig(flags, env).redis).toEqual(place);
  });

  it.each<[Flags, Environment, unknown]>([
    [{ 'redis-host': 'a' }, { REDIS_URL: 'redis://b' }, { host: 'a', port: 6379 }],
    [{ 'redis-port': '7' }, { REDIS_URL: 'redis://b' }, { host: 'localhost', port: 7 }],
    [{ 'redis-host': 'a' }, { REDIS_URL: 'nonsense' }, { host: 'a' }],
    [{ 'redis-host': 'a' }, { REDIS_CLUSTER: 'b:1', REDIS_SENTINEL: 'c:1' }, { host: 'a' }],
    [{ 'redis-host': 'a' }, { REDIS_MASTER: 'main' }, { host: 'a' }],
    [{ 'redis-host': 'a' }, { REDIS_HOST: 'b', REDIS_PORT: '7' }, { host: 'a', port: 7 }],
    [{ 'redis-url': 'redis://a' }, { REDIS_HOST: 'b', REDIS_PORT: '1' }, { url: 'redis://a' }],
    [{ 'redis-url': 'redis://a' }, { REDIS_HOST: 'b:c', REDIS_PORT: 'x' }, { url: 'redis://a' }],
    [{ 'redis-url': 'redis://a' }, { REDIS_SENTINEL: 'b:1' }, { url: 'redis://a' }],
    [{ 'redis-cluster': 'a:1' }, { REDIS_URL: 'redis://b' }, { kind: 'cluster' }],
    [
      { 'redis-sentinel': 'a:1', 'redis-master': 'm' },
      { REDIS_CLUSTER: 'b:1' },
      { kind: 'sentinel' },
    ],
  ])('is what a flag says, %j, whatever variables say: %j', (flags, env, place) => {
    expect(readConfig(flags, env).redis).toMatchObject(place as object);
  });

  it.each<[Flags, Environment, readonly string[]]>([
    [{ 'redis-url': 'redis://a', 'redis-host': 'b' }, {}, ['--redis-url', '--redis-host']],
    [{ 'redis-cluster': 'a:1', 'redis-host': 'b' }, {}, ['--redis-cluster', '--redis-host']],
    [{}, { REDIS_URL: 'redis://a', REDIS_HOST: 'b' }, ['REDIS_URL', 'REDIS_HOST']],
    [{}, { REDIS_URL: 'redis://a', REDIS_PORT: '7' }, ['REDIS_URL', 'REDIS_PORT']],
    [{}, { REDIS_CLUSTER: 'a:1', REDIS_SENTINEL: 'a:1' }, ['REDIS_CLUSTER', 'REDIS_SENTINEL']],
    [{ 'redis-master': 'm' }, {}, ['--redis-master', 'REDIS_SENTINEL']],
    [{}, { REDIS_SENTINEL: 'a:1' }, ['REDIS_SENTINEL', '--redis-master']],
    [{}, { REDIS_PASSWORD: 'a', REDIS_PASSWORD_FILE: 'b' }, ['REDIS_PASSWORD and', '_FILE']],
    [{}, { REDIS_TLS: 'no', REDIS_URL: 'rediss://a' }, ['REDIS_TLS', 'REDIS_URL']],
    [{}, { REDIS_TLS: 'no', REDIS_CA: 'a' }, ['REDIS_TLS', 'REDIS_CA']],
  ])('is refused where %j and %j contradict each other, by their names', (flags, env, named) => {
    const message = failure(flags, env);
    for (const name of named) expect(message).toContain(name);
  });

  it('may be said twice, as some platforms do, in a URL and by host and port', () => {
    const url = 'redis://:pw@a:7';
    expect(readConfig({}, { REDIS_URL: url, REDIS_HOST: 'a', REDIS_PORT: '7' }).redis).toEqual({
      ...{ kind: 'url', url },
    });
  });

  it('is on the embedded store only where no flag names a Redis', () => {
    const env = { SESSION_STORE: 'memory', REDIS_URL: 'redis://a' };
    expect(readConfig({}, env).store).toBe('memory');
    expect(readConfig({ 'redis-host': 'b' }, env).store).toBe('auto');
    expect(readConfig({ 'redis-host': 'b', store: 'memory' }, env).store).toBe('memory');
  });
});

describe('what Redis asks for', () => {
  it.each<[Flags, Environment, unknown]>([
    [
      { 'redis-host': 'a' },
      { REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p' },
      { username: 'u', password: 'p' },
    ],
    [{}, { REDIS_PASSWORD: 'p' }, { kind: 'server', host: 'localhost', password: 'p' }],
    [{}, { REDIS_PASSWORD: 'p\n' }, { password: 'p' }],
    [{ 'redis-tls': true }, {}, { kind: 'server', host: 'localhost', tls: {} }],
    [
      {},
      { REDIS_CLUSTER: 'a:1', REDIS_PASSWORD: 'p', REDIS_TLS: 'on' },
      { password: 'p', tls: {} },
    ],
    [
      {},
      { REDIS_SENTINEL: 'a:1', REDIS_MASTER: 'm', REDIS_PASSWORD: 'p', REDIS_TLS: '1' },
      { password: 'p', tls: {}, sentinelAccess: { tls: {} } },
    ],
    [
      {},
      {
        ...{ REDIS_SENTINEL: 'a:1', REDIS_MASTER: 'm' },
        ...{ REDIS_SENTINEL_USERNAME: 'su', REDIS_SENTINEL_PASSWORD: 'sp' },
      },
      { sentinelAccess: { username: 'su', password: 'sp' } },
    ],
    [{}, { REDIS_URL: 'redis://u:p@a', REDIS_PASSWORD: 'q' }, { kind: 'url', password: 'q' }],
    [{}, { REDIS_URL: 'redis://a', REDIS_TLS: 'yes' }, { kind: 'url', tls: {} }],
    [{ 'redis-url': 'redis://a' }, { REDIS_PASSWORD: 'q' }, { kind: 'url', password: 'q' }],
  ])('%j and %j say %j', (flags, env, access) => {
    expect(readConfig(flags, env).redis).toMatchObject(access as object);
  });

  it('is what the URL of a flag says, whatever variables say', () => {
    const url = 'rediss://:p@a';
    const env = { REDIS_USERNAME: 'u', REDIS_PASSWORD: 'q', REDIS_TLS: 'false' };
    expect(readConfig({ 'redis-url': url }, env).redis).toEqual({ kind: 'url', url, tls: {} });
  });

  it('may be a password in a file, which is read anew each time, without its line end', () => {
    const path = fileOf('first\r\n');
    const { redis } = readConfig({ 'redis-password-file': path }, { REDIS_PASSWORD: 'other' });
    const password = redis?.password as () => string;
    expect(password()).toBe('first');
    writeFileSync(path, ' seco\nnd \n');
    expect(password()).toBe(' seco\nnd ');
    writeFileSync(path, '');
    expect(password).toThrow('--redis-password-file names an empty file');
  });

  it('may be an authority, which turns TLS on', () => {
    const env = { REDIS_CLUSTER: 'a:1', REDIS_CA: certificate };
    expect(readConfig({}, env).redis).toMatchObject({
      tls: { ca: expect.stringContaining('BEGIN CERTIFICATE') },
    });
    expect(readConfig({ 'redis-ca': certificate }, { REDIS_TLS: 'no' }).redis?.tls).toBeDefined();
  });

  it.each<[Flags, Environment, RegExp]>([
    [
      { 'redis-password-file': '/nowhere/at/all' },
      {},
      /^--redis-password-file names a file that cannot be read: no such file/,
    ],
    [
      {},
      { REDIS_PASSWORD_FILE: '/' },
      /^REDIS_PASSWORD_FILE names a file that cannot be read: it is a directory/,
    ],
    [
      {},
      { REDIS_PASSWORD_FILE: '/dev/null' },
      /^REDIS_PASSWORD_FILE names an empty file: it must contain the password$/,
    ],
    [{}, { REDIS_CA: '/nowhere' }, /^REDIS_CA names a file that cannot be read/],
    [{}, { REDIS_CA: '/dev/null' }, /^REDIS_CA names a file without a certificate/],
    [{}, { REDIS_TLS: 'require' }, /^REDIS_TLS must be true or false$/],
    [{ 'redis-timeout': '0.5' }, {}, /^--redis-timeout must be a whole number of milliseconds/],
    [{}, { REDIS_TIMEOUT: '5' }, /^REDIS_TIMEOUT must be a whole number of milliseconds from 10 /],
  ])('is refused by the name of what says it: %j, %j', (flags, env, message) => {
    expect(failure(flags, env)).toMatch(message);
  });
});

it.each<[string, string]>([
  ['redis-cluster', ':se-cret@h:1'],
  ['redis-cluster', 'redis://:se-cret@h:1'],
  ['redis-cluster', 'h:1,user:se-cret@h:2'],
  ['redis-sentinel', 'se-cret@h:1'],
  ['redis-host', ':se-cret@h'],
  ['redis-host', 'redis://:se-cret@h'],
  ['redis-host', 'h:se-cret'],
  ['redis-port', 'se-cret'],
  ['redis-port', 'redis://:se-cret@h:6379'],
  ['redis-master', ':se-cret@h'],
  ['redis-url', 'http://:se-cret@h'],
  ['redis-url', 'redis://:se-cr#et@h'],
  ['redis-url', 'redis://:se-cret@h/main'],
  ['redis-url', ':se-cret@h'],
  ['redis-tls', 'se-cret'],
  ['redis-timeout', 'se-cret'],
  ['redis-ca', 'se-cret'],
  ['redis-password-file', 'se-cret'],
] as const)('never repeats what may be a password: %s %s', (name, value) => {
  const setting = name as keyof typeof settings;
  for (const [flags, env, source] of [
    [{ [setting]: value }, {}, `--${name}`],
    [{}, { [settings[setting].env]: value }, settings[setting].env],
  ] as const) {
    const message = failure(flags, env);
    expect(message).toContain(source);
    expect(message).not.toMatch(/se-cr|cret/);
  }
});

describe('a variable that others have set for purposes of their own', () => {
  it.each([
    ['REDIS_PORT', 'tcp://10.3.240.10:6379'],
    ['REDIS_PORT', 'tcp://[fd00::1]:6379'],
    ['REDIS_PORT', 'udp://10.3.240.10:6379'],
    ['PORT', 'tcp://10.3.240.10:80'],
    ['HOST', 'x86_64-conda-linux-gnu'],
    ['HOST', 'x86_64-conda_cos6-linux-gnu'],
    ['HOST', 'arm64-apple-darwin20.0.0'],
    ['HOST', 'arm-linux-gnueabihf'],
    ['HOST', 'x86_64-w64-mingw32'],
  ])('is passed over with a line that names it: %s=%s', (name, value) => {
    const { notices, host, port, redis } = readConfig({}, { [name]: value });
    expect({ host, port, redis }).toEqual({ host: '127.0.0.1', port: 8080, redis: undefined });
    expect(notices).toEqual([expect.stringMatching(new RegExp(`^${name} is ignored: `))]);
  });

  it('leaves what stands beside it', () => {
    const env = { REDIS_PORT: 'tcp://10.3.240.10:6379', REDIS_HOST: 'redis.internal' };
    expect(readConfig({}, env).redis).toMatchObject({ host: 'redis.internal', port: 6379 });
    expect(readConfig({ 'redis-port': '7' }, env)).toMatchObject({
      redis: { host: 'redis.internal', port: 7 },
      notices: [],
    });
  });

  it.each(['localhost', 'shop.example', 'my-linux-box', 'web-prod-linux-01', '0.0.0.0', '::'])(
    'is not an address: HOST=%s',
    (host) => {
      expect(readConfig({}, { HOST: host })).toMatchObject({ host, notices: [] });
    },
  );

  it('is not a port that is none: PORT is named with what it holds', () => {
    const pipe = String.raw`\\.\pipe\node`;
    expect(failure({}, { PORT: pipe })).toBe(
      `PORT must be a port from 0 to 65535, not ${JSON.stringify(pipe)}`,
    );
    expect(failure({ 'redis-port': 'tcp://a:1' })).toContain('--redis-port');
  });
});

it('is patient with Redis as a server or as a tool that looks at a busy one', () => {
  const timeout = (flags: Flags, env: Environment, understood = allSettings) =>
    readConfig(flags, env, understood).redisTimeoutMs;
  expect(timeout({}, {})).toBe(500);
  expect(timeout({}, { REDIS_TIMEOUT: '2000' })).toBe(2000);
  expect(timeout({ 'redis-timeout': '60000' }, { REDIS_TIMEOUT: '2000' })).toBe(60_000);
  expect(timeout({}, { REDIS_TIMEOUT: '2000' }, redisSettings)).toBe(10_000);
  expect(timeout({ timeout: '30000' }, {}, redisSettings)).toBe(30_000);
});
