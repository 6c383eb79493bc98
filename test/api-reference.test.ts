import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const run = promisify(execFile);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sojourn-api-'));
});
afterAll(() => rm(folder, { recursive: true }));

it('the API reference covers every door of the package', async () => {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const { entryPoints } = JSON.parse(await readFile(join(root, 'typedoc.json'), 'utf8'));
  const doors = Object.keys(exports).filter((door) => !door.endsWith('.json'));
  const sources = doors.map((door) => (door === '.' ? 'src/index.ts' : `src/${door.slice(2)}.ts`));
  expect([...entryPoints].sort()).toEqual(sources.sort());
});

it('every public symbol has a doc comment, and every link in one leads somewhere', async () => {
  const typedoc = join('node_modules', 'typedoc', 'bin', 'typedoc');
  // It fails where something is missing that typedoc.json requires, and says what.
  await run(process.execPath, [typedoc, '--out', folder], { cwd: root }).catch((error) => {
    expect(error.stdout + error.stderr).toBe('');
  });
  const page = await readFile(join(folder, 'classes', 'express.SojournStore.html'), 'utf8');
  expect(page).toContain('express-session');
}, 60_000);
