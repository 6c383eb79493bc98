// Installs the peers, unless they are there, and compiles the benchmarks together with the sources that they measure.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function run(command) {
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(new URL('node_modules', import.meta.url))) run('npm ci --prefix bench');
run('npx tsc -p bench');
