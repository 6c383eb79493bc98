import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';

const read = (path: string) => readFile(new URL(`../${path}`, import.meta.url), 'utf8');

const guide = await read('CONTRIBUTING.md');
const scripts: Record<string, string> = JSON.parse(await read('package.json')).scripts;

/** What npm runs by itself, before the command that it is named after. */
const hooks = Object.keys(scripts).filter((name) => /^(pre|post)/.test(name));

it('CONTRIBUTING.md explains each script in a line, and no others', () => {
  const rows = [...guide.matchAll(/^\| `npm (?:run )?(\S+)` \| (\S.*) \|$/gm)];
  const explained = rows.map(([, name]) => name);
  const commands = Object.keys(scripts).filter((name) => !hooks.includes(name));
  expect(explained.toSorted()).toEqual(commands.toSorted());
});

it('CONTRIBUTING.md names what npm runs by itself', () => {
  for (const hook of hooks) expect(guide).toContain(`\`${hook}\``);
});

it.each([...guide.matchAll(/npm run ([\w:]+)/g)].map(([, name = '']) => name))(
  'CONTRIBUTING.md names a script that is there: %s',
  (name) => expect(scripts).toHaveProperty([name]),
);
