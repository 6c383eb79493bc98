import { readdirSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { extname } from 'node:path';
import { expect, it } from 'vitest';

const DOCUMENT = 'docs/frameworks.md';
/** A file's path, and the block with its text, if it is there already. */
const PROGRAM = /^<!-- (test\/\S+) -->\n(?:\n```\w+\n.*?^```\n)?/gms;

/** Those without a `Request` to hand to the shop, which have it in them; and the shop. */
const WHOLE_SHOPS = [
  'express',
  'fastify',
  'nest/main',
  'nest/sojourn.module',
  'session-store',
  'shop',
].map((name) => `test/frameworks/apps/${name}.ts`);

function withPrograms(text: string): string {
  return text.replace(PROGRAM, (_all, path: string) => {
    return `<!-- ${path} -->\n\n\`\`\`${extname(path).slice(1)}\n${readFileSync(path, 'utf8')}\`\`\`\n`;
  });
}

it('the programs in the document are the files that the tests run', async () => {
  const text = await readFile(DOCUMENT, 'utf8');
  const expected = withPrograms(text);
  if (process.env.WRITE_TABLES) await writeFile(DOCUMENT, expected);
  else expect(text).toBe(expected);
});

it('every program that the tests run is in the document', async () => {
  const shown = [...(await readFile(DOCUMENT, 'utf8')).matchAll(PROGRAM)].map(([, path]) => path);
  const top = readdirSync('test/frameworks/apps', { withFileTypes: true });
  const programs = top.filter((entry) => entry.isFile()).map(({ name }) => name);
  expect(programs.length).toBeGreaterThan(8);
  expect(shown).toEqual(
    expect.arrayContaining(programs.map((name) => `test/frameworks/apps/${name}`)),
  );
});

it('no framework or runtime asks for more than 15 lines in a file, its imports aside', async () => {
  for (const [, path = ''] of (await readFile(DOCUMENT, 'utf8')).matchAll(PROGRAM)) {
    if (WHOLE_SHOPS.includes(path)) continue;
    const own = readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => !/^(import .*)?$/.test(line));
    expect(own.length, path).toBeLessThanOrEqual(15);
  }
});
