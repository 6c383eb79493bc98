import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const tokens = readFileSync('src/http/browser/tokens.css', 'utf8');
const defined = new Set([...tokens.matchAll(/^ {2}(--[\w-]+):/gm)].map(([, name]) => name));

describe.each(['demo', 'admin'])('the style sheet of %s', (folder) => {
  const name = folder === 'demo' ? 'demo.css' : 'console.css';
  const sheet = readFileSync(`src/http/${folder}/browser/${name}`, 'utf8');
  const own = new Set([...sheet.matchAll(/^ *(--[\w-]+):/gm)].map(([, name]) => name));

  it('takes its sizes of text from the one scale', () => {
    const sizes = [...sheet.matchAll(/font-size: ([^;]+);/g)].map(([, size]) => size);
    const others = sizes.filter((size) => !/^(var\(--text-(s|m|l|xl)\)|inherit)$/.test(size ?? ''));
    expect(others).toEqual(folder === 'demo' ? [] : ['11px']); // in units of the charts' drawings
  });

  it('takes its colours by name', () => {
    const rules = sheet.replace(/^ *--s\d: .*$/gm, ''); // the series of the charts are the console's alone
    expect(rules.match(/#[\da-f]{3,8}\b|\brgba?\(|\bhsla?\(/gi)).toBeNull();
  });

  it('uses no name that nobody defined', () => {
    const used = [...sheet.matchAll(/var\((--[\w-]+)\)/g)].map(([, name]) => name);
    expect(used.filter((name) => !defined.has(name) && !own.has(name))).toEqual([]);
  });
});
