import { execFile } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

/** What provisioning asks of the machine that the tests run on. */
export interface Machine {
  /** Continuous integration: nothing may be skipped there. */
  readonly ci: boolean;
  readonly root: boolean;
  /** The path of a program on PATH. */
  find(program: string): string | undefined;
  /** Installs a package with apt-get. */
  install(name: string): Promise<void>;
  warn(line: string): void;
}

/** A program that suites need. */
export interface Need {
  /** Any of these will do; the first is preferred. */
  readonly programs: readonly string[];
  /** The Debian package that brings one of them. */
  readonly package: string;
  /** Begins the sentence of the one who fails: `The live suites need Redis`. */
  readonly because: string;
  /** Begins the loud line: `LIVE SUITES ARE SKIPPED`. */
  readonly otherwise: string;
}

/**
 * The path of the program: one on PATH, else freshly installed if this is Debian and we are root. Otherwise `undefined`
 * and one loud line, or an error in CI, where tests that were skipped must not look like tests that passed.
 */
export async function provision(machine: Machine, need: Need): Promise<string | undefined> {
  const find = () => need.programs.map((name) => machine.find(name)).find((path) => path);
  const found = find();
  if (found !== undefined) return found;

  const names = need.programs.join(' or ');
  let reason = `no ${names} on PATH, and only root on Debian can install one`;
  if (machine.root && machine.find('apt-get') !== undefined) {
    try {
      await machine.install(need.package);
      const installed = find();
      if (installed !== undefined) return installed;
      reason = `apt-get installed ${need.package}, but it is not on PATH`;
    } catch (error) {
      // Not swallowed: the reason is printed or thrown below.
      reason = `apt-get could not install ${need.package}: ${error instanceof Error ? error.message : error}`;
    }
  }
  if (machine.ci) throw new Error(`${need.because}: ${reason}`);
  machine.warn(`!!! ${need.otherwise}: ${reason}`);
  return undefined;
}

export function thisMachine(env: NodeJS.ProcessEnv = process.env): Machine {
  return {
    ci: env.CI === 'true' || env.CI === '1',
    root: process.getuid?.() === 0,
    find: (program) => findOnPath(program, env.PATH ?? ''),
    install: (name) => withoutStartingServices(() => installPackage(name, env)),
    warn: (line) => console.warn(`\n${line}\n`),
  };
}

function findOnPath(program: string, path: string): string | undefined {
  return path
    .split(delimiter)
    .filter((directory) => directory !== '')
    .map((directory) => join(directory, program))
    .find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false; // not there, or not for us
  }
}

async function installPackage(name: string, env: NodeJS.ProcessEnv): Promise<void> {
  const run = (...args: string[]) =>
    promisify(execFile)('apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=120', ...args], {
      env: { ...env, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await run('update');
  await run('install', '-y', '--no-install-recommends', name);
}

/** Debian starts a service as soon as it is installed, unless this file forbids it (invoke-rc.d(8)). */
const POLICY = '/usr/sbin/policy-rc.d';
const FORBIDDEN_BY_POLICY = 101;

async function withoutStartingServices(install: () => Promise<void>): Promise<void> {
  const policy = `#!/bin/sh\nexit ${FORBIDDEN_BY_POLICY}\n`;
  const ours = await writeFile(POLICY, policy, { flag: 'wx', mode: 0o755 }).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return false; // the machine has a policy already: it stays
      throw error;
    },
  );
  try {
    await install();
  } finally {
    if (ours) await rm(POLICY);
  }
}
