import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeLive, redisUrl } from './support/live-redis.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

const documents = [
  ['README.md', 2],
  ['docs/hono.md', 2],
  ['docs/console.md', 1],
] as const;

describeLive.each(documents)('the examples in %s', async (document, least) => {
  const text = await readFile(join(root, document), 'utf8');
  const examples = [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map(([, code = '']) => code);

  let folder: string;
  beforeAll(async () => {
    // Inside the package, so that `sojourn` is this package by its exports, as built.
    folder = await mkdtemp(join(root, '.readme-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('are there', () => {
    expect(examples.length).toBeGreaterThanOrEqual(least);
  });

  it.each(examples.map((code, i) => [i + 1, code] as const))(
    'example %i compiles strictly, runs, and asserts nothing false',
    async (number, code) => {
      const [source, compiled] = [join(folder, `${number}.ts`), join(folder, `${number}.js`)];
      await writeFile(source, code);
      const options =
        '--ignoreConfig --strict --module nodenext --target es2022 --skipLibCheck --types node';
      await run(
        'npx',
        ['tsc', ...options.split(' '), '--rootDir', folder, '--outDir', folder, source],
        { cwd: root },
      );
      // console.assert does not fail a program; its output does fail this test.
      const env = { ...process.env, REDIS_URL: redisUrl() };
      const { stdout, stderr } = await run(process.execPath, [compiled], { env });
      expect(stdout + stderr).toBe('');
    },
    60_000,
  );
});
