import { describe, expect, it } from 'vitest';
import { helpFor, parseCommandLine } from '../../src/cli/command-line.ts';
import { end } from '../../src/cli/end.ts';
import { journal } from '../../src/cli/journal.ts';
import { ls } from '../../src/cli/ls.ts';
import { readSince } from '../../src/cli/moments.ts';
import { serve } from '../../src/cli/serve.ts';
import { settings } from '../../src/config.ts';

function parsed(command: typeof end, ...args: string[]) {
  const line = parseCommandLine(command, args, {});
  if (line === 'help') throw new Error('It asked for help');
  return line.flags;
}

describe('a flag that is given twice', () => {
  it.each([
    [['--user', 'ada', '--user', 'eve'], '--user', end],
    [['--user=ada', '--user=ada'], '--user', end],
    [['--all', '--prefix', 'a:', '--yes', '--prefix', 'b:'], '--prefix', end],
    [['--user', 'ada', '--limit', '5', '--limit=6'], '--limit', journal],
    [['--idle', '2h', '--older-than', '2h', '--idle', '3h'], '--idle', ls],
    [['--port', '1', '--port', '2'], '--port', serve],
    [['--allowed-hosts', 'a.example', '--allowed-hosts', 'b.example'], '--allowed-hosts', serve],
  ] as const)('is refused, because only one value would count: %j', (args, flag, command) => {
    expect(() => parsed(command, ...args)).toThrow(`${flag} is given more than once`);
  });

  it('is accepted if it has no value', () => {
    expect(parsed(end, '--all', '--yes', '--all', '--yes')).toMatchObject({ all: true });
  });
});

it('a value that begins with a dash is refused with the way to write it', () => {
  for (const value of ['-x', '--yes', '-1']) {
    expect(() => parsed(end, '--user', value)).toThrow(
      '--user needs a value; write one that begins with a dash as --user=-...',
    );
  }
  expect(parsed(end, '--user=-x')).toMatchObject({ user: '-x' });
  expect(parsed(end, '--user', '-')).toMatchObject({ user: '-' });
});

describe('--since', () => {
  const NOW = Date.UTC(2026, 3, 2, 12);
  const since = (text: string) => readSince('since', { since: text })?.(NOW);

  it.each([
    '2026-02-30',
    '2026-02-29',
    '2026-04-31T10:00',
    '2026-06-31 10:00+02:00',
    '2026-00-10',
    '2026-01-00',
    '2026-01-01T25:00',
  ])('is refused for a moment that does not exist: %s', (text) => {
    expect(() => since(text)).toThrow('--since must be a duration');
  });

  it.each(['2026', '1999', '2000'])('is refused for what looks like a year: %s', (year) => {
    expect(() => since(year)).toThrow(
      `--since ${year} may mean a year or seconds: write ${year}-01-01 or ${year}s`,
    );
  });

  it('accepts what is left of these', () => {
    expect(since('2026s')).toBe(NOW - 2_026_000);
    expect(since('2500')).toBe(NOW - 2_500_000);
    expect(since('90')).toBe(NOW - 90_000);
    expect(since('2024-02-29')).toBe(Date.UTC(2024, 1, 29));
    expect(since('2026-01-01T00:30+02:00')).toBe(Date.UTC(2025, 11, 31, 22, 30));
  });
});

it.each([
  ['serve', serve],
  ['ls', ls],
  ['end', end],
])('%s --help has its variables and its explanations in one column each', (_name, command) => {
  const lines = helpFor(command).split('\n');
  for (const name of command.settings) {
    const { env, help } = settings[name];
    const isAt = (column: number, text: string) =>
      lines.some((line) => line.startsWith(text, column) && line[column - 1] === ' ');
    expect(isAt(35, env), env).toBe(true);
    if (name !== 'prefix') expect(isAt(56, help), help).toBe(true);
  }
});
