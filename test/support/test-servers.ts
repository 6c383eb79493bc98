import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { testFiles } from './unit-suites.ts';

/** A server binary that the live suites are to run against. */
export interface TestServer {
  readonly binary: string;
  /** For people: `Valkey 8.1.1`. */
  readonly name: string;
}

/**
 * The binaries that `SOJOURN_TEST_SERVERS` lists, separated as in PATH. Throws where one cannot be run: a server that
 * was asked for must not look like one that passed.
 */
export function testServers(env: NodeJS.ProcessEnv = process.env): readonly TestServer[] {
  const binaries = (env.SOJOURN_TEST_SERVERS ?? '').split(delimiter).filter((path) => path !== '');
  return [...new Set(binaries)].map((binary) => ({ binary, name: describeServer(binary) }));
}

/**
 * The test files below the directory that use a live server: those to run against each of them. Not those that build
 * applications in their folders, which two runs at once would do to each other; they try frameworks and not servers.
 */
export function liveSuites(directory: string): string[] {
  return testFiles(directory).filter((path) => {
    const source = readFileSync(path, 'utf8');
    return source.includes('/live-redis.ts') && !source.includes('describeOnRuntimes');
  });
}

function describeServer(binary: string): string {
  let line: string;
  try {
    line = execFileSync(binary, ['--version'], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    throw new Error(`SOJOURN_TEST_SERVERS names ${binary}, which cannot be run`, { cause: error });
  }
  const [, kind, version] = /^(\w+) server v=(\S+)/.exec(line) ?? [];
  if (kind === undefined) {
    throw new Error(`SOJOURN_TEST_SERVERS names ${binary}, which is no Redis or Valkey server`);
  }
  return `${kind} ${version}`;
}
