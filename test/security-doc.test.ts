import { readdir, readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const root = new URL('../', import.meta.url);

it('docs/security.md names tests that exist', async () => {
  const document = await readFile(new URL('docs/security.md', root), 'utf8');
  const rows = document
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| ---'));
  const named = rows.flatMap((row) =>
    [...(row.split('|').at(-2) ?? '').matchAll(/`([^`]+)`/g)].map(([, name = '']) => name),
  );
  expect(named.length).toBeGreaterThan(50);
  const tests = await readTests();
  // What `it.each` fills in stands in the source as its placeholder.
  const missing = named.filter(
    (name) => !tests.includes(name) && !tests.includes(name.replace(/: a \w+$/, ': a %s')),
  );
  expect(missing).toEqual([]);
});

/** The tests and the contract of a store, whose cases are tests wherever they are registered. */
async function readTests(): Promise<string> {
  const sources = await Promise.all(['test/', 'src/testing/'].map(readAll));
  return sources.flat().join('\n');
}

async function readAll(path: string): Promise<string[]> {
  const folder = new URL(path, root);
  const files = (await readdir(folder, { recursive: true })).filter((name) => /\.tsx?$/.test(name));
  return Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
}
