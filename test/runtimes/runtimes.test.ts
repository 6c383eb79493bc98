import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { sessionRepositoryContract } from '../../src/testing.ts';
import { installPackages } from '../support/install-packages.ts';
import { redisUrl, useTestPrefix } from '../support/live-redis.ts';
import {
  describeOnRuntimes,
  type RuntimeName,
  runtimeBinary,
  runtimeLabel,
  runtimesFolder,
} from '../support/runtimes.ts';
import { tableIn } from '../support/table.ts';

interface Runner {
  readonly runtime: RuntimeName;
  /** Runs the contract by the runtime's own test runner. */
  readonly contract: readonly string[];
  /** What that runner says of so many tests that passed, and of none that failed. */
  readonly says: (passed: number) => RegExp;
  readonly smoke: readonly string[];
}

const nodes = (['Node 22', 'Node 24', 'Node 26'] as const).map((runtime) => ({
  runtime,
  contract: ['--test', '--test-reporter=tap', 'node.contract.ts'],
  says: (passed: number) => new RegExp(`^# pass ${passed}\n# fail 0$`, 'm'),
  smoke: ['smoke.ts'],
}));

const deno = '--allow-all --no-check --node-modules-dir=manual'.split(' ');

const runners: readonly Runner[] = [
  ...nodes,
  {
    runtime: 'Bun',
    contract: ['test', './bun.contract.ts'],
    says: (passed) => new RegExp(`^ ${passed} pass\n 0 fail$`, 'm'),
    smoke: ['smoke.ts'],
  },
  {
    runtime: 'Deno',
    contract: ['test', ...deno, 'deno.contract.ts'],
    says: (passed) =>
      new RegExp(`ok \\| ${passed / 2 + 1} passed \\(${passed / 2} steps\\) \\| 0 failed`),
    smoke: ['run', ...deno, 'smoke.ts'],
  },
];

const root = fileURLToPath(new URL('../..', import.meta.url));
const programs = join(runtimesFolder, 'programs');
const run = promisify(execFile);

describeOnRuntimes('on', () => {
  const prefix = useTestPrefix();
  /** How many cases of the contract passed, by runtime. */
  const passed = new Map<string, number>();
  beforeAll(() => installPackages(runtimesFolder), 300_000);

  it('the smoke test leaves out no entry point', async () => {
    const { exports, name } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    const smoke = await readFile(join(programs, 'smoke.ts'), 'utf8');
    const doors = Object.keys(exports).filter((door) => door !== './package.json');
    expect(doors.length).toBeGreaterThan(8);
    for (const door of doors) expect(smoke).toContain(` from '${name}${door.slice(1)}';`);
  });

  it('the programs compile strictly', async () => {
    const tsc = join('node_modules', 'typescript', 'bin', 'tsc');
    await run(process.execPath, [tsc, '-p', runtimesFolder]).catch(({ stdout }) =>
      expect(stdout).toBe(''),
    );
  }, 60_000);

  describe.each(runners)('$runtime', ({ runtime, contract, says, smoke }) => {
    const output = async (args: readonly string[]) => {
      const env = {
        ...process.env,
        NO_COLOR: '1',
        REDIS_URL: redisUrl(),
        PREFIX: `${prefix}${runtime}:`,
      };
      const { stdout, stderr } = await run(runtimeBinary(runtime), args, {
        cwd: programs,
        env,
      }).catch((failed) => failed);
      return `${stdout}${stderr}`;
    };

    it('every entry point works', async () => {
      expect(await output(smoke)).toContain('ok\n');
    });

    it('the stores keep the contract', async () => {
      expect(await output(contract)).toMatch(says(2 * sessionRepositoryContract.length));
      passed.set(runtime, 2 * sessionRepositoryContract.length);
    }, 60_000);
  });

  it('passed where the README says so', async () => {
    const rows = runners.map(({ runtime }) => [
      runtimeLabel(runtime),
      `${passed.get(runtime) ?? 0}`,
    ]);
    const head = ['runtime', 'cases of the storage contract, in memory and on Redis'];
    const { written, ran } = await tableIn(join(root, 'README.md'), 'runtimes', [head, ...rows]);
    expect(written).toBe(ran);
  });
});
