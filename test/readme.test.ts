import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CompiledPrograms, compilePrograms, programsOf } from './support/document-programs.ts';
import { describeLive, redisUrl } from './support/live-redis.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describeLive.each([
  ['README.md', 2],
  ['docs/console.md', 1],
] as const)('the programs in %s', (document, least) =>
  theyWork(document, least, () => ({ REDIS_URL: redisUrl() })),
);

describe.each([
  ['docs/hono.md', 20],
  ['docs/adapters.md', 6],
] as const)('the programs in %s', (document, least) => theyWork(document, least));

async function theyWork(
  document: string,
  least: number,
  env: () => Readonly<Record<string, string>> = () => ({}),
): Promise<void> {
  const programs = await programsOf(join(root, document));

  let compiled: CompiledPrograms;
  beforeAll(async () => {
    compiled = await compilePrograms(root, programs);
  });
  afterAll(() => compiled?.remove());

  it('are there, each under a name of its own', () => {
    expect(programs.length).toBeGreaterThanOrEqual(least);
    expect(new Set(programs.map(({ name }) => name)).size).toBe(programs.length);
  });

  it.each(programs.map((program) => [program.name, program] as const))(
    '%s compiles strictly, runs, and asserts nothing false',
    async (_, program) => {
      expect(compiled.complaints(program)).toBe('');
      const output = await compiled.output(program, env());
      // console.assert does not fail a program; its output does fail this test.
      if (!output.startsWith('TAP version')) expect(output).toBe('');
      else expect(output).toMatch(/^# pass [1-9]\d*\n# fail 0\n# cancelled 0\n# skipped 0$/m);
    },
    120_000,
  );
}
