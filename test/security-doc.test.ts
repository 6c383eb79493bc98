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

it('docs/security.md names a test for every claim that is not yours to make, nor said not to hold', async () => {
  const document = await readFile(new URL('docs/security.md', root), 'utf8');
  const [, standards = ''] = document.split(/^## OWASP ASVS.*V7.*$/m);
  const rows = standards
    .split('\n')
    .filter((line) => /^\| (?!---|id |section )/.test(line))
    .map((line) => line.split('|').map((cell) => cell.trim()));
  expect(rows.length).toBeGreaterThan(60);
  const unproven = rows.filter(
    ([, , claim = '', proof = '']) =>
      !proof.includes('`') && !/\*\*Yours\*\*|^Not done/.test(claim),
  );
  expect(unproven).toEqual([]);
});

it('docs/security.md claims of ASVS 3.4 what the demo does, line by line', async () => {
  const document = await readFile(new URL('docs/security.md', root), 'utf8');
  const claims = new Map(
    [...document.matchAll(/^\| (3\.4\.\S+) \| (.*?) \|/gm)].map(([, id, claim = '']) => [
      id,
      claim,
    ]),
  );
  expect([...claims.keys()]).toEqual([1, 2, 3, 4, 5, 6, 7, 8].map((n) => `3.4.${n}`));
  // What the headers, which test/server-requests.test.ts spells out, leave open.
  expect(claims.get('3.4.1')).toContain('without `includeSubDomains`');
  expect(claims.get('3.4.7')).toMatch(/^Not done/);
});

/** The tests and the contract of a store, whose cases are tests wherever they are registered. */
async function readTests(): Promise<string> {
  const sources = await Promise.all(['test/', 'src/testing/'].map(readAll));
  return sources.flat().join('\n');
}

async function readAll(path: string): Promise<string[]> {
  const folder = new URL(path, root);
  const files = (await readdir(folder, { recursive: true })).filter(
    (name) => /\.tsx?$/.test(name) && !name.includes('node_modules'),
  );
  return Promise.all(files.map((name) => readFile(new URL(name, folder), 'utf8')));
}
