import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { installPackages } from '../support/install-packages.ts';
import { redisUrl, useTestPrefix } from '../support/live-redis.ts';
import {
  describeOnRuntimes,
  runtimeBinary,
  runtimeLabel,
  runtimesFolder,
} from '../support/runtimes.ts';
import { tableIn } from '../support/table.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { type Application, applications } from './applications.ts';
import { type RunningApp, startApp } from './running-app.ts';
import { scenario, visit } from './scenario.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = fileURLToPath(new URL('.', import.meta.url));
const run = promisify(execFile);

/** Without a Redis, as in a pipeline. Nobody is told that it was built. */
async function build(args: readonly string[], cwd: string): Promise<void> {
  const env = {
    ...process.env,
    ...{ NODE_ENV: 'production', REDIS_URL: 'redis://127.0.0.1:1' },
    ...{
      NEXT_TELEMETRY_DISABLED: '1',
      ASTRO_TELEMETRY_DISABLED: '1',
      NUXT_TELEMETRY_DISABLED: '1',
    },
  };
  await run(runtimeBinary('Node 24'), args, { cwd, env }).catch(({ stdout, stderr }) => {
    throw new Error(`It was not built:\n${stdout}${stderr}`);
  });
}

function versionOf(name: string): string {
  const places = [folder, root].map((place) => join(place, 'node_modules', name, 'package.json'));
  const manifest = places.find((path) => existsSync(path)) ?? '';
  return JSON.parse(readFileSync(manifest, 'utf8')).version;
}

describeOnRuntimes('the scenario', () => {
  const prefix = useTestPrefix();
  let redis: TcpProxy;
  /** Steps that passed, by application. */
  const passed = new Map<Application, number>();

  beforeAll(async () => {
    await Promise.all([installPackages(folder), installPackages(runtimesFolder)]);
    const { hostname, port } = new URL(redisUrl());
    redis = await startTcpProxy({ host: hostname, port: Number(port) });
  }, 300_000);
  afterAll(() => redis?.stop());

  it('is served by programs that compile strictly', async () => {
    const args = [join('node_modules', 'typescript', 'bin', 'tsc'), '-p', folder];
    await run(process.execPath, args).catch(({ stdout }) => expect(stdout).toBe(''));
  }, 120_000);

  describe.each(applications)('$framework on $runtime', (application) => {
    let app: RunningApp;
    let visited: ReturnType<typeof visit>;

    beforeAll(async () => {
      const cwd = join(folder, 'apps', application.folder ?? '');
      if (application.build) await build(application.build, cwd);
      app = await startApp({
        command: runtimeBinary(application.runtime),
        args: application.start,
        cwd,
        env: {
          REDIS_URL: `redis://127.0.0.1:${redis.port}`,
          PREFIX: `${prefix}${applications.indexOf(application)}:`,
          DEADLINE_MS: '5000', // a busy machine is slow
        },
      });
      visited = visit({
        url: app.url,
        countsAtOnce: application.countsAtOnce ?? true,
        connectsPerRequest: application.connectsPerRequest ?? false,
        cutOff: () => redis.disturb((_piece, { cut }) => cut()),
        reconnect: () => redis.calm(),
      });
    }, 120_000);
    afterAll(async () => {
      redis.calm();
      await app?.stop();
    });

    it.each(scenario)('$name', async ({ run }) => {
      await run(visited);
      passed.set(application, (passed.get(application) ?? 0) + 1);
    });
  });

  it('passed where the README says so', async () => {
    const frameworks = [...new Set(applications.map(({ framework }) => framework))];
    const rows = frameworks.map((framework) => {
      const on = applications.filter((application) => application.framework === framework);
      const [{ package: name } = {}] = on;
      const runtimes = on.map(({ runtime }) => runtimeLabel(runtime)).join(', ');
      const steps = Math.min(...on.map((application) => passed.get(application) ?? 0));
      return [framework, name ? versionOf(name) : '', runtimes, `${steps} of ${scenario.length}`];
    });
    const head = ['framework', 'version', 'on', 'steps passed'];
    const { written, ran } = await tableIn(join(root, 'README.md'), 'frameworks', [head, ...rows]);
    expect(written).toBe(ran);
  });
});
