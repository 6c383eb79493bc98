import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const docs = (await readdir(join(root, 'docs'))).filter((name) => name.endsWith('.md'));
const documents = [
  ...['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'SECURITY.md', join('test', 'README.md')],
  ...docs.map((name) => join('docs', name)),
];

/** As GitHub makes them of headings. */
async function anchorsOf(file: string): Promise<Set<string>> {
  const text = (await readFile(file, 'utf8')).replace(/^```.*?^```/gms, '');
  const titles = [...text.matchAll(/^#+ (.*)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replace(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

it.each(documents)(
  'every link of %s leads to a file and a heading that are there',
  async (document) => {
    const text = (await readFile(join(root, document), 'utf8')).replace(/^```.*?^```/gms, '');
    const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
    for (const target of targets.filter((target) => !/^\w+:/.test(target))) {
      const [path = '', anchor] = target.split('#');
      const file = path === '' ? join(root, document) : join(root, dirname(document), path);
      await expect(stat(file), target).resolves.toBeTruthy();
      if (anchor !== undefined) expect(await anchorsOf(file), target).toContain(anchor);
    }
  },
);
