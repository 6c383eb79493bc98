import { expect, it } from 'vitest';
import { type Machine, thisMachine } from './provision.ts';
import { provisionChromium } from './provision-chromium.ts';
import { provisionRedis } from './provision-redis.ts';

it('takes the redis-server on PATH', async () => {
  const machine = new FakeMachine({ programs: ['valkey-server', 'redis-server', 'apt-get'] });
  expect(await provisionRedis(machine)).toBe('/bin/redis-server');
  expect(machine.installed).toBe(false);
});

it('takes a valkey-server if there is no redis-server', async () => {
  expect(await provisionRedis(new FakeMachine({ programs: ['valkey-server'] }))).toBe(
    '/bin/valkey-server',
  );
});

it('installs one as root on Debian', async () => {
  const machine = new FakeMachine({ root: true, ci: true, programs: ['apt-get'] });
  expect(await provisionRedis(machine)).toBe('/bin/redis-server');
  expect(machine.installed).toBe(true);
});

it.each([
  ['who is not root', { root: false, programs: ['apt-get'] }],
  ['without apt-get', { root: true, programs: [] }],
])('installs nothing for one %s', async (_who, given) => {
  const machine = new FakeMachine(given);
  expect(await provisionRedis(machine)).toBeUndefined();
  expect(machine.installed).toBe(false);
});

it('without any, says in one loud line that the live suites are skipped', async () => {
  const machine = new FakeMachine({});
  expect(await provisionRedis(machine)).toBeUndefined();
  expect(machine.warnings).toEqual([
    expect.stringMatching(/^!!! LIVE SUITES THAT NEED TO START REDIS ARE SKIPPED: .+$/),
  ]);
});

it('without any, fails in CI', async () => {
  const machine = new FakeMachine({ ci: true });
  await expect(provisionRedis(machine)).rejects.toThrow(
    'The live suites need Redis: no redis-server',
  );
});

it.each([false, true])('says why the installation failed (in CI: %s)', async (ci) => {
  const machine = new FakeMachine({
    ci,
    root: true,
    programs: ['apt-get'],
    install: () => Promise.reject(new Error('no network')),
  });
  const outcome = await provisionRedis(machine).catch((error: Error) => error.message);
  expect(ci ? outcome : machine.warnings[0]).toContain('no network');
});

it.each([
  ['chromium', '/bin/chromium'],
  ['google-chrome', '/bin/google-chrome'],
])('takes the %s on PATH to drive it', async (program, path) => {
  expect(await provisionChromium(new FakeMachine({ programs: [program] }))).toBe(path);
});

it('installs a Chromium as it installs a Redis, and fails in CI without one', async () => {
  const machine = new FakeMachine({ root: true, programs: ['apt-get'] });
  expect(await provisionChromium(machine)).toBe('/bin/chromium');
  await expect(provisionChromium(new FakeMachine({ ci: true }))).rejects.toThrow(
    'The browser suites need Chromium: no chromium',
  );
});

it.each([
  ['true', true],
  ['1', true],
  ['false', false],
  ['', false],
  [undefined, false],
])('CI=%s means CI: %s', (value, ci) => {
  expect(thisMachine({ CI: value }).ci).toBe(ci);
});

it('finds only programs that can be run', () => {
  const { find } = thisMachine({ PATH: '/nonexistent::/bin' });
  expect(find('sh')).toBe('/bin/sh');
  expect(find('no-such-program')).toBeUndefined();
  expect(thisMachine({ PATH: '/etc:/' }).find('passwd')).toBeUndefined(); // a file that is no program
  expect(thisMachine({ PATH: '/' }).find('bin')).toBeUndefined(); // a directory
});

class FakeMachine implements Machine {
  readonly ci: boolean;
  readonly root: boolean;
  readonly warnings: string[] = [];
  installed = false;
  readonly #programs: Set<string>;
  readonly #install: (name: string) => Promise<void>;

  constructor(given: {
    ci?: boolean;
    root?: boolean;
    programs?: readonly string[];
    install?: (name: string) => Promise<void>;
  }) {
    this.ci = given.ci ?? false;
    this.root = given.root ?? false;
    this.#programs = new Set(given.programs);
    this.#install = given.install ?? (async (name) => void this.#programs.add(name));
  }

  find(program: string): string | undefined {
    return this.#programs.has(program) ? `/bin/${program}` : undefined;
  }

  async install(name: string): Promise<void> {
    await this.#install(name);
    this.installed = true;
  }

  warn(line: string): void {
    this.warnings.push(line);
  }
}
