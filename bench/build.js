// Installs the peers as the lock file says, unless that was done before, and compiles the benchmarks together with the
// sources that they measure. `npm run typecheck` runs it too: a benchmark that no longer fits the sources fails there.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const stamp = new URL('node_modules/.installed', import.meta.url);
const wanted = readFileSync(new URL('package-lock.json', import.meta.url), 'utf8');

function run(command) {
  const { status } = spawnSync(command, { cwd: root, shell: true, stdio: ['ignore', 2, 2] });
  if (status !== 0) process.exit(status ?? 1);
}

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  run('npm ci --prefix bench --ignore-scripts --no-audit --no-fund --loglevel=error');
  writeFileSync(stamp, wanted);
}
run('npx tsc -p bench');
