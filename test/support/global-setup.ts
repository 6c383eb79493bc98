import type { TestProject } from 'vitest/node';
import { type Machine, thisMachine } from './provision.ts';
import { provisionCaddy } from './provision-caddy.ts';
import { provisionChromium } from './provision-chromium.ts';
import { provisionNginx } from './provision-nginx.ts';
import { provisionPromtool } from './provision-promtool.ts';
import { provisionRedis } from './provision-redis.ts';
import { provisionSystemdAnalyze } from './provision-systemd-analyze.ts';
import { startRedisServer } from './redis-server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** A Redis that suites share: each keeps to keys of its own, nobody flushes it. */
    readonly redisUrl: string | undefined;
    /** For suites that start servers of their own. */
    readonly redisBinary: string | undefined;
    /** A browser for suites that look at pages. */
    readonly chromiumBinary: string | undefined;
    /** A proxy for suites that look from behind one. */
    readonly nginxBinary: string | undefined;
    /** Those that read what operators take from `ops/`. */
    readonly caddyBinary: string | undefined;
    readonly systemdAnalyzeBinary: string | undefined;
    readonly promtoolBinary: string | undefined;
    /** Why suites are skipped, in words: for the end of the run. */
    readonly skipReasons: readonly string[] | undefined;
  }
}

/**
 * Once a run: finds or installs Redis, Chromium, nginx and what reads the files of `ops/`, and starts the shared one unless `REDIS_URL` names it. Where
 * `SOJOURN_TEST_SERVERS` lists binaries, once for each of them, and each is the shared one of its own run.
 */
export default async function setUp(project: TestProject): Promise<() => Promise<void>> {
  const skipReasons: string[] = [];
  const machine: Machine = {
    ...thisMachine(),
    warn(line) {
      skipReasons.push(line.replace(/^!+ /, ''));
      thisMachine().warn(line);
    },
  };
  const listed = project.getProvidedContext().redisBinary;
  const given = listed === undefined ? process.env.REDIS_URL || undefined : undefined;
  const binary = listed ?? (await provisionRedis(machine));
  const server =
    given === undefined && binary !== undefined ? await startRedisServer({ binary }) : undefined;
  project.provide('redisUrl', given ?? server?.url);
  project.provide('redisBinary', binary);
  project.provide('chromiumBinary', await provisionChromium(machine));
  project.provide('nginxBinary', await provisionNginx(machine));
  project.provide('caddyBinary', await provisionCaddy(machine));
  project.provide('systemdAnalyzeBinary', await provisionSystemdAnalyze(machine));
  project.provide('promtoolBinary', await provisionPromtool(machine));
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    skipReasons.push('frameworks and runtimes are installed on Linux x64 alone');
  }
  if (given !== undefined)
    skipReasons.push('REDIS_URL names the shared Redis: nothing is known of its version');
  project.provide('skipReasons', skipReasons);
  return async () => server?.stop();
}
