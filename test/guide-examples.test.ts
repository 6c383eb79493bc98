import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { completed, connectedTo, excerpts } from './support/doc-examples.ts';
import { programsOf } from './support/document-programs.ts';
import { describeLive, redisUrl } from './support/live-redis.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

/** The programs of these run in test/readme.test.ts; those of frameworks.md are files, which test/frameworks runs. */
const elsewhere = ['adapters.md', 'console.md', 'frameworks.md', 'hono.md'];

const guides = (await readdir(join(root, 'docs'))).filter(
  (name) => name.endsWith('.md') && !elsewhere.includes(name),
);
const documents = ['CONTRIBUTING.md', ...guides.map((name) => join('docs', name))];
const all = await Promise.all(
  documents.map(async (document) => {
    const examples = await programsOf(join(root, document));
    return { document, examples } as const;
  }),
);
const withExamples = all.filter(({ examples }) => examples.length > 0);

it('the guides have examples, and every excerpt that is known is one of them', () => {
  expect(withExamples.length).toBeGreaterThan(5);
  const firstLines = withExamples
    .flatMap(({ examples }) => examples)
    .map(({ code }) => firstLine(code));
  for (const line of excerpts.keys()) expect(firstLines).toContain(line);
});

describeLive.each(withExamples)('the examples in $document', ({ examples }) => {
  let folder: string;
  beforeAll(async () => {
    // Inside the package, so that `sojourn` is this package by its exports, as built.
    folder = await mkdtemp(join(root, '.programs-'));
    await Promise.all(
      examples.map(({ name, code }) =>
        writeFile(join(folder, `${name}.ts`), completed(code) ?? connectedTo(redisUrl(), code)),
      ),
    );
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('compile strictly', async () => {
    const options =
      '--ignoreConfig --strict --module nodenext --target es2022 --skipLibCheck --types node';
    const files = examples.map(({ name }) => join(folder, `${name}.ts`));
    const args = [...options.split(' '), '--rootDir', folder, '--outDir', folder, ...files];
    await run('npx', ['tsc', ...args], { cwd: root }).catch(({ stdout }) =>
      expect(stdout).toBe(''),
    );
  }, 60_000);

  const programs = examples.map(({ name, code }) => [name, code] as const);
  const whole = programs.filter(([, code]) => completed(code) === undefined);
  if (whole.length > 0) {
    it.each(whole)('example %s runs, and asserts nothing false', async (name, code) => {
      const url = pathToFileURL(join(folder, `${name}.js`));
      const program = `await import('${url}'); ${staysConnected(code) ? 'process.exit();' : ''}`;
      const args = ['--input-type=module', '--eval', program];
      const env = { ...process.env, REDIS_URL: redisUrl() };
      const { stdout, stderr } = await run(process.execPath, args, { env });
      // console.assert does not fail a program; its output does fail this test.
      expect(stdout + stderr).toBe('');
    });
  }
});

function firstLine(code: string): string {
  return code.split('\n')[0] ?? '';
}

/** As a server does, which the others must not: they have to end by themselves. */
function staysConnected(code: string): boolean {
  return /connectRedis|createClient/.test(code) && !/^await .*\.close\(\);$/m.test(code);
}
