import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { MAIN, runSojourn } from '../support/sojourn-command.ts';

const execute = promisify(execFile);

const COMMANDS = [
  ...['serve', 'ls', 'inspect', 'journal', 'end', 'stats', 'export', 'erase', 'move'],
];
const NEED_REDIS = [
  ['ls'],
  ['inspect', 'A'.repeat(22)],
  ['journal', '--user', 'nobody at all'],
  ['end', '--user', 'nobody at all'],
  ['export', '--user', 'nobody at all'],
  ['erase', '--user', 'nobody at all'],
  ['stats'],
  ['move', 'status'],
  ['move', '--to', 'redis://127.0.0.1:1'],
];

it('lists its commands with --help, and where none is given', async () => {
  const help = await runSojourn(['--help']);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  for (const command of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^  ${command} `, 'm'));
  expect(await runSojourn(['-h'])).toEqual(help);
  // A deployment that forgot to say `serve` must not look as if it had ended well.
  expect(await runSojourn([])).toEqual({ code: 2, stdout: '', stderr: help.stdout });
});

it('tells its version', async () => {
  const { version } = JSON.parse(await readFile('package.json', 'utf8'));
  expect(await runSojourn(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

it('completes commands and their flags in bash', async () => {
  const completed = async (...words: string[]) => {
    const line = `
      eval "$("$1" "$2" --completion)"; shift 2
      COMP_WORDS=(sojourn "$@"); COMP_CWORD=$#; _sojourn; echo "\${COMPREPLY[*]}"`;
    const args = ['-c', line, 'bash', process.execPath, MAIN, ...words];
    return (await execute('bash', args)).stdout.trim();
  };
  expect(await completed('')).toBe(`${COMMANDS.join(' ')} --help --version`);
  expect(await completed('e')).toBe('end export erase');
  expect(await completed('end', '--a')).toBe('--all');
  expect(await completed('journal', '--user', 'ada', '--si')).toBe('--since');
  expect(await completed('ls', '--redis-pass')).toBe('--redis-password-file');
  expect(await completed('nonsense', '--')).toBe('');
});

it('loads no package to tell its version and its help, which are there at once', async () => {
  const alone = await mkdtemp(join(tmpdir(), 'sojourn-alone-'));
  try {
    await cp(dirname(MAIN), join(alone, 'dist'), { recursive: true });
    await cp('package.json', join(alone, 'package.json'));
    const main = join(alone, 'dist/main.js');
    for (const args of [['--version'], ['--help'], ...COMMANDS.map((name) => [name, '--help'])]) {
      const { stdout } = await execute(process.execPath, [main, ...args]);
      expect(stdout).toBe((await runSojourn(args)).stdout);
    }
    await expect(execute(process.execPath, [main, 'ls'])).rejects.toThrow('ERR_MODULE_NOT_FOUND');
  } finally {
    await rm(alone, { recursive: true });
  }
});

it.each(COMMANDS)('%s --help tells what it takes and nothing else', async (command) => {
  const { code, stdout, stderr } = await runSojourn([command, '--help']);
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain(`Usage: sojourn ${command}`);
  for (const setting of ['--prefix PREFIX', 'SESSION_PREFIX', '--redis-url URL', 'REDIS_URL']) {
    expect(stdout).toContain(setting);
  }
  for (const flag of ['--port PORT', '--trust-proxy', '--allowed-hosts', '(session:demo:)']) {
    expect(stdout.includes(flag)).toBe(command === 'serve');
  }
  expect(stdout.includes('(session:)')).toBe(command !== 'serve');
  expect(stdout.includes('--timeout MS')).toBe(command !== 'serve');
  expect(stdout.includes('--json')).toBe(!['serve', 'export'].includes(command));
  expect(stdout).toMatch(/^ {3,}REDIS_PASSWORD /m);
  expect(stdout).not.toMatch(/--redis-password\b(?!-file)/);
  expect(stdout.split('\n').filter((line) => line.length > 110)).toEqual([]);
});

describe('a line that makes no sense is exit 2 and one line that names it', () => {
  it.each([
    [['frobnicate'], 'frobnicate'],
    [['--port', '0'], '--port'],
    [['ls', '--frobnicate'], '--frobnicate'],
    [['ls', '--ttl', '5'], '--ttl'],
    [['ls', 'extra'], '"extra"'],
    [['ls', '--limit', '0'], '--limit'],
    [['ls', '--limit', '1e3'], '--limit'],
    [['ls', '--limit'], '--limit'],
    [['ls', '--user', ''], 'user'],
    [['stats', '--sample', '-'], '--sample'],
    [['stats', '--redis-cluster', 'a,b'], '--redis-cluster'],
    [['stats', '--timeout', '5s'], '--timeout'],
    [['serve', '--timeout', '500'], '--timeout'],
    [['ls', '--redis-password-file', '/nowhere'], '--redis-password-file'],
    [['inspect'], 'ID'],
    [['inspect', 'abc'], 'ID'],
    [['inspect', 'A'.repeat(22), 'extra'], '"extra"'],
    [['ls', '--older-than', 'yesterday'], '--older-than'],
    [['ls', '--idle', '-5'], '--idle'],
    [['ls', '--idle', '5y'], '--idle'],
    [['ls', '--address', '192.0.2.0/33'], '--address'],
    [['ls', '--address', 'a/b'], '--address'],
    [['ls', '--address', '2001:db8::/32/1'], '--address'],
    [['journal'], '--user'],
    [['journal', '--user', 'ada', '--since', 'noon'], '--since'],
    [['journal', '--user', 'ada', '--since', '2026-13-40'], '--since'],
    [['journal', '--user', 'ada', '--limit', '0'], '--limit'],
    [['journal', 'ada'], '"ada"'],
    [['export'], '--user'],
    [['erase'], '--user'],
    [['erase', '--user', ''], 'user'],
    [['end', '--all'], '--yes'],
    [['end', '--all', '--user', 'ada', '--yes'], '--all'],
    [['end', '--all', 'A'.repeat(22), '--yes'], '--all'],
    [['serve', '--journal', 'perhaps'], '--journal'],
    [['serve', '--journal-days', '0'], '--journal-days'],
    [['ls', '--journal', 'off'], '--journal'],
    [['end'], '--user'],
    [['end', 'A'.repeat(22), '--user', 'ada'], '--user'],
    [['end', '--user', 'x'.repeat(1000)], 'user'],
  ])('%j', async (args, named) => {
    const { code, stdout, stderr } = await runSojourn(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sojourn: [^\n]+\n$/);
    expect(stderr).toContain(named);
  });

  it('and repeats no token, which opens a session', async () => {
    const secret = 'B'.repeat(43);
    const token = `${'A'.repeat(22)}.${secret}`;
    for (const args of [
      ['inspect', token],
      ['end', token],
      ['ls', token],
    ]) {
      const { code, stderr } = await runSojourn(args);
      expect(code).toBe(2);
      expect(stderr).not.toContain(secret);
    }
  });

  it.each([
    ['--redis-password', 'se-cret'],
    ['--redis-password=se-cret'],
    ['--redis-sentinel-password', 'se-cret'],
  ])('and says why a password is no flag: %s', async (...args) => {
    for (const command of ['serve', 'ls']) {
      const { code, stderr } = await runSojourn([command, ...args]);
      expect(code).toBe(2);
      expect(stderr).toMatch(
        /^sojourn: --redis-\S*password is not accepted, because the process list would show .*-file FILE or REDIS_\w+\n$/,
      );
    }
  });

  it.each([
    [['ls', '--redis-cluster', ':se-cret@h:1'], {}],
    [['stats', 'redis://:se-cret@h'], {}],
    [['ls', 'redis://ada:se-cr et@h:1/0'], {}],
    [['serve', '--redis-host', ':se-cret@h'], {}],
    [['serve', '--allowed-hosts', 'redis://:se-cret@h'], {}],
    [['stats'], { REDIS_URL: 'redis://:se-cret@h/x' }],
    [['ls'], { REDIS_SENTINEL: ':se-cret@h:1', REDIS_MASTER: 'm' }],
    [['serve'], { REDIS_PORT: 'redis://:se-cret@h:1' }],
  ])('and repeats no password: %j %j', async (args, env) => {
    const { code, stderr } = await runSojourn(args, env as Record<string, string>);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^sojourn: [^\n]+\n$/);
    expect(stderr).not.toMatch(/se-cr|cret/);
  });

  it('and gives the terminal no orders', async () => {
    const { code, stderr } = await runSojourn(['ls', '\u001b[2J\u009b2J']);
    expect(code).toBe(2);
    expect(stderr).toContain('\\u001b[2J');
    expect(stderr.trimEnd()).not.toMatch(/\p{Cc}/u);
  });
});

it('says which variables it passes over, and goes on', async () => {
  const env = { REDIS_PORT: 'tcp://10.3.240.10:6379', REDIS_HOST: 'nowhere.invalid' };
  const { code, stderr } = await runSojourn(['ls'], env);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^sojourn: REDIS_PORT is ignored: [^\n]*\nsojourn: cannot use Redis at nowhere\.invalid:6379: [^\n]*\n$/,
  );
});

describe.each(NEED_REDIS)('%s without a Redis', (...args) => {
  it('ends with one line, and never looks elsewhere', async () => {
    for (const where of [
      ['--redis-port', '1'],
      ['--store', 'auto', '--redis-port', '1'],
    ]) {
      const { code, stdout, stderr } = await runSojourn([...args, ...where]);
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(/^sojourn: cannot use Redis at localhost:1: .*ECONNREFUSED.*\n$/);
    }
  });

  it('does not do what the server does where none is configured: fall back', async () => {
    const { code, stdout, stderr } = await runSojourn(args);
    // Somebody may have a Redis at the usual place. This id and this user are not in it.
    if (code !== 1) expect([0, 3]).toContain(code);
    else {
      expect(stdout).toBe('');
      expect(stderr).toMatch(/^sojourn: cannot use Redis at localhost:6379: .*embedded store.*\n$/);
    }
  });

  it('says that an embedded store is inside its server', async () => {
    const { code, stdout, stderr } = await runSojourn(args, { SESSION_STORE: 'memory' });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^sojourn: SESSION_STORE must be redis here: an embedded store .*\n$/);
  });
});
