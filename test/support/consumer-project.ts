import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface ConsumerProject {
  readonly folder: string;
  /** The output of a program in the project's folder; rejects if it fails. */
  run(command: string, ...args: string[]): Promise<string>;
  remove(): Promise<void>;
}

export interface ConsumerOptions {
  /** Of the package under test, with everything installed. */
  readonly root: string;
  readonly tarball: string;
  /** What the consumer has besides, from the root's own packages. */
  readonly packages: readonly string[];
  readonly files: Readonly<Record<string, string>>;
}

interface LockedPackage {
  readonly version: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

/**
 * A project outside of this one that has installed the tarball with npm, without a network: what it depends on is there
 * already, copied from the root's packages.
 */
export async function createConsumer(options: ConsumerOptions): Promise<ConsumerProject> {
  const { root, tarball, packages, files } = options;
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-consumer-'));
  const locked = await lockedPackages(root);
  const own = Object.keys(locked['']?.dependencies ?? {});
  for (const path of closure([...own, ...packages], locked)) {
    await cp(join(root, path), join(folder, path), { recursive: true });
  }
  const version = (name: string) => locked[`node_modules/${name}`]?.version ?? '*';
  const dependencies = Object.fromEntries(packages.map((name) => [name, version(name)]));
  const manifest = { private: true, type: 'module', dependencies };
  await writeAll(folder, { 'package.json': JSON.stringify(manifest), ...files });
  await run('npm', ['install', '--offline', '--ignore-scripts', '--no-audit', tarball], {
    cwd: folder,
  });
  return {
    folder,
    run: async (command, ...args) => (await run(command, args, { cwd: folder })).stdout,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function lockedPackages(root: string): Promise<Record<string, LockedPackage>> {
  return JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')).packages;
}

/** Where the packages and all that they depend on are, found as Node would. */
function closure(names: readonly string[], locked: Record<string, LockedPackage>): Set<string> {
  const paths = new Set<string>();
  const visit = (name: string, from: string) => {
    for (let at = from; ; at = at.slice(0, Math.max(0, at.lastIndexOf('/node_modules/')))) {
      const path = `${at === '' ? '' : `${at}/`}node_modules/${name}`;
      const found = locked[path];
      if (found === undefined && at === '') return;
      if (found === undefined) continue;
      if (paths.has(path)) return;
      paths.add(path);
      for (const dependency of Object.keys(found.dependencies ?? {})) visit(dependency, path);
      return;
    }
  };
  for (const name of names) visit(name, '');
  return paths;
}

async function writeAll(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(folder, name, '..'), { recursive: true });
    await writeFile(join(folder, name), text);
  }
}
