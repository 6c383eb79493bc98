import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe } from 'vitest';
import { describeLive } from './live-redis.ts';

/** Where the runtimes are installed, for `installPackages`. */
export const runtimesFolder = fileURLToPath(new URL('../runtimes', import.meta.url));

/**
 * A suite that needs a Redis and the runtimes. Skipped where there are no packages of them: anywhere but on Linux on x64,
 * which CI is.
 */
export const describeOnRuntimes =
  process.platform === 'linux' && process.arch === 'x64' ? describeLive : describe.skip;

const programs = {
  'Node 22': 'node22/bin/node',
  'Node 24': 'node24/bin/node',
  'Node 26': 'node26/bin/node',
  Bun: 'bun/bin/bun',
  Deno: 'deno/deno',
  workerd: 'workerd/bin/workerd',
} as const;

export type RuntimeName = keyof typeof programs;

/** The path of its program. */
export function runtimeBinary(name: RuntimeName): string {
  const [folder = '', ...path] = programs[name].split('/');
  return join(installed(folder), ...path);
}

/** Its name and the version of its package: `Node 24.21.0`. */
export function runtimeLabel(name: RuntimeName): string {
  const [folder = ''] = programs[name].split('/');
  const { version } = JSON.parse(readFileSync(join(installed(folder), 'package.json'), 'utf8'));
  return `${name.split(' ')[0]} ${version}`;
}

function installed(folder: string): string {
  return join(runtimesFolder, 'node_modules', folder);
}
