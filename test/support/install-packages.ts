import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

const INSTALLED_WITHIN_MS = 300_000;

/**
 * Installs what the folder's own lock file says, unless that was done before, and this package beside it as it would be
 * published. Several test files may ask for the same folder at once. Needs what `npm run build` makes.
 */
export async function installPackages(folder: string): Promise<void> {
  const lock = join(folder, '.installing');
  await until(`nobody else installs into ${folder}`, () => taken(lock), {
    timeoutMs: INSTALLED_WITHIN_MS,
  });
  try {
    await installLocked(folder);
    await installThisPackage(folder);
  } finally {
    await rm(lock);
  }
}

/** Takes the lock, also from a process that died with it. */
async function taken(lock: string): Promise<boolean> {
  try {
    await writeFile(lock, String(process.pid), { flag: 'wx' });
    return true;
  } catch {
    if (!isAlive(Number(await readFile(lock, 'utf8')))) await rm(lock, { force: true });
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function installLocked(folder: string): Promise<void> {
  const wanted = await readFile(join(folder, 'package-lock.json'), 'utf8');
  const stamp = join(folder, 'node_modules', '.installed');
  if ((await readFile(stamp, 'utf8').catch(() => undefined)) === wanted) return;
  const args = 'ci --ignore-scripts --no-audit --no-fund --loglevel=error'.split(' ');
  await run('npm', args, { cwd: folder, timeout: INSTALLED_WITHIN_MS });
  await writeFile(stamp, wanted);
}

async function installThisPackage(folder: string): Promise<void> {
  const packed = await mkdtemp(join(tmpdir(), 'sojourn-pack-'));
  const args = ['pack', '--ignore-scripts', '--json', '--pack-destination', packed];
  const { stdout } = await run('npm', args, { cwd: root });
  const [{ filename }] = JSON.parse(stdout) as [{ filename: string }];
  const target = join(folder, 'node_modules', 'sojourn');
  await rm(target, { recursive: true, force: true });
  await mkdir(target);
  await run('tar', ['-xzf', join(packed, filename), '-C', target, '--strip-components=1']);
  // What it needs is here already. The frameworks may need other versions of the same packages.
  await symlink(join(root, 'node_modules'), join(target, 'node_modules'));
  await rm(packed, { recursive: true });
}
