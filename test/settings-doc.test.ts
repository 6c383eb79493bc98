import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { helpFor } from '../src/cli/command-line.ts';
import { serve } from '../src/cli/serve.ts';
import { settings } from '../src/config.ts';

const document = await readFile(new URL('../docs/operations.md', import.meta.url), 'utf8');
const [, chapter = ''] = /^## Settings$(.*?)^## /ms.exec(document) ?? [];
const rows = chapter.split('\n').filter((line) => line.startsWith('| `'));
const cells = (column: number) => rows.map((row) => row.split('|')[column] ?? '').join();

const lines = helpFor(serve)
  .split('\n')
  .filter((line) => line.startsWith('  ') && !line.includes('--help'));

it('the table of settings has every flag of --help, and no other', () => {
  const flags = lines.flatMap((line) => /^ {2}--([\w-]+)/.exec(line)?.[1] ?? []);
  expect(flags.length).toBeGreaterThan(20);
  expect(allOf(cells(1), /`--([\w-]+)`/g)).toEqual(flags.toSorted());
});

it('the table of settings has every variable of --help, and no other', () => {
  const variables = serve.settings.map((name) => settings[name].env);
  expect(variables.length).toBeGreaterThan(20);
  const written = cells(2).replace(/`(\w+)\((\w+)\)`/g, '`$1`, `$1$2`');
  expect(allOf(written, /`(\w+)`/g)).toEqual(variables.toSorted());
});

function allOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(([, name = '']) => name).toSorted();
}
