import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Exit } from './sojourn-process.ts';

export const MAIN = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/**
 * Runs the built program until it ends: `npm run build` comes first. Its environment is empty but for `env`, so that
 * nobody's settings change the tests.
 */
export function runSojourn(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Exit> {
  return run(process.execPath, [MAIN, ...args], env);
}

/** Runs a line of a shell in which `sojourn` is the built program. */
export function runShell(line: string, env: Readonly<Record<string, string>> = {}): Promise<Exit> {
  const sojourn = 'sojourn() { "$NODE" "$MAIN" "$@"; }';
  return run('/bin/sh', ['-c', `${sojourn}; ${line}`], {
    ...{ PATH: process.env.PATH ?? '', NODE: process.execPath, MAIN },
    ...env,
  });
}

function run(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Exit> {
  return new Promise((resolve) => {
    const options = { env, maxBuffer: 64 * 1024 * 1024 };
    execFile(command, args, options, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : null;
      resolve({ code, stdout, stderr });
    });
  });
}
