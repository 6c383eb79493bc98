import { spawnSync } from 'node:child_process';
import { cpus } from 'node:os';

/** Where the measured program runs, and where Redis and whatever asks the program run. */
export const PROGRAM_CORE = 0;
export const OTHER_CORE = 1;

/** Keeps a process on one core, where the system has `taskset` and more than one core. True if it did. */
export function pinToCore(pid: number | undefined, core: number): boolean {
  if (pid === undefined || cpus().length < 2) return false;
  const { status } = spawnSync('taskset', ['-acp', String(core), String(pid)], { stdio: 'ignore' });
  return status === 0;
}
