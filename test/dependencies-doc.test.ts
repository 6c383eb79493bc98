import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

const { dependencies, devDependencies } = JSON.parse(await read('package.json'));
const rows = (await read('docs', 'dependencies.md'))
  .split('\n')
  .filter((line) => line.startsWith('| '))
  .map((line) => line.split('|').map((cell) => cell.trim()));

it.each(Object.keys({ ...dependencies, ...devDependencies }))(
  'docs/dependencies.md tells what %s is for, and its licence',
  async (name) => {
    const { license } = JSON.parse(await read('node_modules', name, 'package.json'));
    const names = (cell = '') => cell.split(/,\s*|\s+/);
    const [, , licence, purpose] = rows.find(([, cell]) => names(cell).includes(name)) ?? [];
    expect(purpose).toBeTruthy();
    for (const one of license.split(' OR ')) expect(licence).toContain(one);
  },
);
