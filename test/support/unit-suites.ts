import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** Modules that start a process or open a socket. */
const REACHES_OUT =
  /^(node:(child_process|cluster|dgram|http|http2|https|net)|playwright-core|@hono\/node-server)$/;

/** Hands out the servers of a run. */
const LIVE_REDIS = join('test', 'support', 'live-redis.ts');

/** Every test file below the directory, those of installed packages aside. */
export function testFiles(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : testFiles(path);
      return /\.test\.tsx?$/.test(entry.name) ? [path] : [];
    })
    .sort();
}

/**
 * The test files below the directory that start no server, no browser and no other process: neither they nor the helpers
 * that they import use a module that could. `test/support/no-servers.ts` holds them to it while they run.
 */
export function unitSuites(directory: string): string[] {
  const known = new Map<string, boolean>();
  return testFiles(directory).filter((file) => !reachesOut(file, known));
}

function reachesOut(file: string, known: Map<string, boolean>): boolean {
  const before = known.get(file);
  if (before !== undefined) return before;
  known.set(file, false); // for modules that import each other
  const answer =
    file === LIVE_REDIS ||
    importsOf(file).some((name) => {
      if (!name.startsWith('.')) return REACHES_OUT.test(name);
      const path = join(dirname(file), name);
      return path.startsWith('test') && existsSync(path) && reachesOut(path, known);
    });
  known.set(file, answer);
  return answer;
}

function importsOf(file: string): string[] {
  const source = readFileSync(file, 'utf8').replace(/^(import|export) type .*?;$/gms, '');
  return [...source.matchAll(/(?:\bfrom |\bimport\(|^import )'([^']+)'/gm)].map(
    ([, name = '']) => name,
  );
}
