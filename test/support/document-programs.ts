import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A TypeScript block of a document. */
export interface Program {
  /** Of its file, without the ending: as its first line, `// name.ts`, says, or its number. */
  readonly name: string;
  readonly code: string;
}

/** The programs of a document, compiled together, so that one may import another by its file's name. */
export interface CompiledPrograms {
  /** What the compiler says about that program; empty if it is right. */
  complaints(program: Program): string;
  /** What the program prints, on both streams. Rejects if it fails. */
  output(program: Program, env?: Readonly<Record<string, string>>): Promise<string>;
  remove(): Promise<void>;
}

export async function programsOf(document: string): Promise<readonly Program[]> {
  const blocks = (await readFile(document, 'utf8')).matchAll(/^```ts\n(.*?)^```$/gms);
  return [...blocks].map(([, code = ''], i) => {
    const [, name] = /^\/\/ ([\w.-]+)\.ts\n/.exec(code) ?? [];
    return { name: name ?? `${i + 1}`, code };
  });
}

/** Compiles them strictly, inside of the package at `root`: so `sojourn` is this package by its exports, as built. */
export async function compilePrograms(
  root: string,
  programs: readonly Program[],
): Promise<CompiledPrograms> {
  const folder = await mkdtemp(join(root, '.programs-'));
  for (const { name, code } of programs) await writeFile(join(folder, `${name}.ts`), code);
  const options =
    '--ignoreConfig --strict --module nodenext --target es2023 --skipLibCheck --types node';
  const files = programs.map(({ name }) => `${name}.ts`);
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  const said = await run(process.execPath, [tsc, ...options.split(' '), ...files], {
    cwd: folder,
  }).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  );
  return {
    complaints({ name }) {
      const own = said.split('\n').filter((line) => line.startsWith(`${name}.ts(`));
      return own.join('\n');
    },
    async output({ name, code }, env = {}) {
      const isTest = code.includes("from 'node:test'");
      const args = isTest ? ['--test', '--test-reporter=tap', `${name}.js`] : [`${name}.js`];
      const options = { cwd: folder, env: { ...process.env, ...env }, maxBuffer: 2 ** 24 };
      const { stdout, stderr } = await run(process.execPath, args, options);
      return stdout + stderr;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}
