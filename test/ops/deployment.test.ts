import { execFile } from 'node:child_process';
import { cp, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ValidationSeverity, validate } from 'dockerfile-utils';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { parse } from 'yaml';
import { parseCommandLine } from '../../src/cli/command-line.ts';
import { serve } from '../../src/cli/serve.ts';
import { readConfig, settings } from '../../src/config.ts';
import { systemdService } from '../support/systemd-service.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const ops = join(root, 'ops');
const read = (...path: string[]) => readFile(join(ops, ...path), 'utf8');
const run = promisify(execFile);

/** The settings of the second listener. */
const ADMIN = ['admin-host', 'admin-port', 'admin-token-file'];
const variables = new Map([
  ...Object.entries(settings).map(([name, { env }]) => [env as string, name] as const),
  ...ADMIN.map((name) => [name.toUpperCase().replaceAll('-', '_'), name] as const),
]);

/** Understood by the program as a server is started with them, but for those of the second listener, whose names are checked. */
function expectUnderstood(args: readonly string[], env: Readonly<Record<string, string>>): void {
  const flags = args.filter((arg) => arg.startsWith('--')).map((arg) => arg.slice(2));
  for (const flag of flags) expect([...Object.keys(settings), ...ADMIN]).toContain(flag);
  for (const name of Object.keys(env)) {
    if (name !== 'NODE_ENV') expect([...variables.keys()]).toContain(name);
  }
  const [command, ...rest] = args;
  expect(command).toBe('serve');
  const withoutAdmin = rest.filter(
    (arg, i) => !ADMIN.includes(arg.slice(2)) && !ADMIN.includes(rest[i - 1]?.slice(2) ?? ''),
  );
  expect(() => parseCommandLine(serve, withoutAdmin, env)).not.toThrow();
}

let secrets: string;
beforeAll(async () => {
  secrets = await mkdtemp(join(tmpdir(), 'sojourn-secrets-'));
  for (const name of ['redis-password', 'admin-token']) await writeFile(join(secrets, name), 'x');
});
afterAll(() => rm(secrets, { recursive: true }));

describe('the systemd unit', () => {
  const unit = join(ops, 'systemd', 'sojourn.service');
  /** CI does not let it be missing. */
  const ifThere = it.skipIf(inject('systemdAnalyzeBinary') === undefined);
  const analyze = (...args: string[]) => run(String(inject('systemdAnalyzeBinary')), args);

  ifThere('is one that systemd understands, and gives the program few rights', async () => {
    const place = await mkdtemp(join(tmpdir(), 'sojourn-unit-'));
    try {
      // The program is where it is on this machine, for systemd looks whether it can be run.
      const file = join(place, 'sojourn.service');
      await writeFile(
        file,
        (await readFile(unit, 'utf8')).replace('/usr/bin/node', process.execPath),
      );
      const { stdout, stderr } = await analyze('verify', '--man=no', file);
      expect(stdout + stderr).toBe('');
      // 0 is safest, 10 the default of a unit that says nothing. The network is most of what is left.
      const security = await analyze('security', '--offline=true', '--threshold=15', file);
      expect(security.stdout).toMatch(/Overall exposure level for sojourn\.service: 1\.\d OK/);
    } finally {
      await rm(place, { recursive: true });
    }
  });

  it('starts the server with flags and variables that exist', async () => {
    const { args, env } = await systemdService(secrets);
    expectUnderstood(args, env);
    expect(env).toMatchObject({ NODE_ENV: 'production', REDIS_USERNAME: 'sojourn' });
    const text = await readFile(unit, 'utf8');
    expect(text).toContain('LoadCredential=redis-password:');
  });

  it.each([
    [['REDIS_HOST'], { host: 'redis.internal' }],
    [['REDIS_URL'], { kind: 'url' }],
    [['REDIS_SENTINEL', 'REDIS_MASTER'], { kind: 'sentinel' }],
    [['REDIS_CLUSTER'], { kind: 'cluster' }],
    [[], { kind: 'server', host: 'localhost', port: 6379 }],
  ])('takes the place of Redis from the environment file: %j', async (names, address) => {
    const { env, proposed } = await systemdService(secrets);
    const chosen = Object.fromEntries(names.map((name) => [name, proposed[name]]));
    const { redis } = readConfig({}, { ...env, ...chosen });
    expect(redis).toMatchObject({ ...address, username: 'sojourn' });
  });

  it('sets nothing by a flag, which the environment file could not override', async () => {
    expect((await systemdService(secrets)).args).toEqual(['serve']);
  });

  it('waits for a stop longer than the server takes for one', async () => {
    const text = await readFile(unit, 'utf8');
    const program = await readFile(join(root, 'src', 'cli', 'server.ts'), 'utf8');
    const [inFlight, flush] = ['STOP_TIMEOUT_MS', 'FLUSH_TIMEOUT_MS'].map((name) =>
      Number(new RegExp(`${name} = ([\\d_]+)`).exec(program)?.[1]?.replaceAll('_', '')),
    );
    const seconds = Number(/^TimeoutStopSec=(\d+)$/m.exec(text)?.[1]);
    expect(seconds * 1000).toBeGreaterThan((inFlight ?? NaN) + 2 * (flush ?? NaN));
  });
});

describe('the Dockerfile', () => {
  const lines = async () =>
    (await read('docker', 'Dockerfile')).replaceAll('\\\n', ' ').split('\n');

  it('is one that Docker understands', async () => {
    const { ERROR } = ValidationSeverity;
    const strict = {
      ...{ deprecatedMaintainer: ERROR, directiveCasing: ERROR, emptyContinuationLine: ERROR },
      ...{ instructionCasing: ERROR, instructionCmdMultiple: ERROR },
      ...{ instructionEntrypointMultiple: ERROR, instructionHealthcheckMultiple: ERROR },
      ...{ instructionJSONInSingleQuotes: ERROR, instructionWorkdirRelative: ERROR },
    };
    expect(validate(await read('docker', 'Dockerfile'), strict)).toEqual([]);
    expect(validate('FROM a\nRUM x', strict)).toHaveLength(1); // so it looks
  });

  it('copies what is there and gets past .dockerignore, which is enough to build from', async () => {
    const copied = (await lines())
      .filter((line) => /^COPY (?!--from)/.test(line))
      .flatMap((line) => line.split(' ').slice(1, -1));
    const kept = (await read('docker', 'Dockerfile.dockerignore')).split('\n').filter(Boolean);
    expect(kept).toEqual(['*', ...copied.map((path) => `!${path}`)]);
    const place = await mkdtemp(join(tmpdir(), 'sojourn-image-'));
    try {
      for (const path of copied) await cp(join(root, path), join(place, path), { recursive: true });
      await symlink(join(root, 'node_modules'), join(place, 'node_modules')); // what `npm ci` makes there
      await run('npm', ['run', 'build'], { cwd: place });
      const { stdout } = await run(process.execPath, ['dist/main.js', '--version'], { cwd: place });
      expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
    } finally {
      await rm(place, { recursive: true });
    }
  }, 180_000);

  it('starts the server with flags that exist, not as root', async () => {
    const words = async (instruction: string) =>
      JSON.parse(
        (await lines())
          .find((line) => line.startsWith(`${instruction} `))
          ?.slice(instruction.length) ?? '',
      );
    expect(await words('ENTRYPOINT')).toEqual(['node', 'dist/main.js']);
    expectUnderstood(await words('CMD'), { NODE_ENV: 'production' });
    expect(await lines()).toContain('USER node');
  });
});

interface Service {
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly volumes?: readonly string[];
  readonly secrets?: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: Readonly<Record<string, object>>;
  readonly build?: { readonly context: string; readonly dockerfile: string };
}

describe('the compose file', () => {
  let compose: {
    readonly services: Readonly<Record<string, Service>>;
    readonly secrets: Readonly<Record<string, { readonly file: string }>>;
    readonly volumes: Readonly<Record<string, unknown>>;
  };
  beforeAll(async () => {
    compose = parse(await read('docker', 'compose.yml'), { merge: true });
  });

  it('has two servers, a Redis, a Prometheus and a Grafana, reached from this machine only', () => {
    const names = ['grafana', 'prometheus', 'redis', 'sojourn-1', 'sojourn-2'];
    expect(Object.keys(compose.services).sort()).toEqual(names);
    for (const { ports = [] } of Object.values(compose.services)) {
      for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    }
    expect(compose.services.redis).not.toHaveProperty('ports');
  });

  it('names files, secrets, volumes and services that are there', async () => {
    const folder = join(ops, 'docker');
    for (const { volumes = [], secrets = [], depends_on = {}, build } of Object.values(
      compose.services,
    )) {
      for (const volume of volumes) {
        const [from = ''] = volume.split(':');
        if (from.startsWith('.')) await stat(resolve(folder, from));
        else expect(compose.volumes).toHaveProperty(from);
      }
      for (const secret of secrets) expect(compose.secrets).toHaveProperty(secret);
      for (const name of Object.keys(depends_on)) expect(compose.services).toHaveProperty(name);
      if (build) await stat(resolve(folder, build.context, build.dockerfile));
    }
    const ignored = (await read('docker', '.gitignore')).split('\n').filter(Boolean);
    const files = Object.values(compose.secrets).map(({ file }) => file.replace('./', ''));
    expect(ignored).toEqual(files); // no secret is checked in
  });

  it('starts the servers with flags and variables that exist, as the user of users.acl', () => {
    for (const name of ['sojourn-1', 'sojourn-2']) {
      const { command = [], environment = {} } = compose.services[name] ?? {};
      const env = Object.fromEntries(
        Object.entries(environment).map(([name, value]) => [
          name,
          value.replace('/run/secrets', secrets),
        ]),
      );
      expectUnderstood(command, { ...env, NODE_ENV: 'production' });
      expect(environment.REDIS_USERNAME).toBe('sojourn');
    }
  });

  it('has Prometheus scrape both servers, with the rules, and Grafana show what it has', async () => {
    const here = parse(await read('docker', 'prometheus.yml'));
    const alone = parse(await read('prometheus', 'prometheus.yml'));
    expect(here.rule_files).toEqual(alone.rule_files);
    const [{ job_name, static_configs, authorization }] = here.scrape_configs;
    expect(job_name).toBe(alone.scrape_configs[0].job_name);
    expect(static_configs[0].targets).toEqual(['sojourn-1:9464', 'sojourn-2:9464']);
    expect(authorization.credentials_file).toBe('/run/secrets/admin-token');
    expect(compose.services.prometheus?.secrets).toContain('admin-token');
    const sources = parse(await read('grafana', 'provisioning', 'datasources', 'prometheus.yml'));
    expect(sources.datasources[0].url).toBe('http://prometheus:9090');
    const boards = parse(await read('grafana', 'provisioning', 'dashboards', 'sojourn.yml'));
    const { path } = boards.providers[0].options;
    expect(compose.services.grafana?.volumes).toContain(
      `../grafana/sojourn.json:${path}/sojourn.json:ro`,
    );
  });

  it.skipIf(inject('promtoolBinary') === undefined)(
    'has a configuration of Prometheus that is valid',
    async () => {
      const file = join(ops, 'docker', 'prometheus.yml');
      await run(String(inject('promtoolBinary')), ['check', 'config', '--syntax-only', file]);
    },
  );
});

it('every file of ops is looked at by a test', async () => {
  const entries = await readdir(ops, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map(({ name }) => name);
  const tests = await readdir(dirname(fileURLToPath(import.meta.url)));
  const texts = await Promise.all(
    tests.map((name) => readFile(new URL(name, import.meta.url), 'utf8')),
  );
  for (const name of files)
    expect(
      texts.some((text) => text.includes(name)),
      name,
    ).toBe(true);
});
