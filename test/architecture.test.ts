import { readdirSync, readFileSync } from 'node:fs';
import { posix, sep } from 'node:path';
import { expect, it } from 'vitest';
import { architectureViolations } from './support/architecture.ts';

it('every module keeps to its layer', () => {
  const modules = readdirSync('src', { recursive: true, encoding: 'utf8' })
    .map((name) => `src/${name.split(sep).join('/')}`)
    .filter((path) => /\.tsx?$/.test(path));
  expect(modules).toContain('src/domain/session-service.ts');
  expect(
    modules.flatMap((path) => architectureViolations(path, readFileSync(path, 'utf8'))),
  ).toEqual([]);
});

it.each([
  ['domain', 'src/domain/session.ts', "import { Redis } from 'ioredis';"],
  ['domain', 'src/domain/session.ts', "import type { Redis } from 'ioredis';"],
  ['domain', 'src/domain/session.ts', "import { randomBytes } from 'node:crypto';"],
  ['domain', 'src/domain/session.ts', "import { randomBytes } from 'crypto';"],
  ['domain', 'src/domain/session.ts', "import { keys } from '../adapters/redis/scripts.ts';"],
  ['domain', 'src/domain/session.ts', "import type { Form } from '../http/form.ts';"],
  ['domain', 'src/domain/session.ts', "import '../container.ts';"],
  ['domain', 'src/domain/session.ts', "import { tick } from '../ports/clock.ts';"],
  ['domain', 'src/domain/session.ts', "import { type Clock } from '../ports/clock.ts';"],
  ['domain', 'src/domain/session.ts', "import { stub } from '../../test/support/stub.ts';"],
  ['domain', 'src/domain/session.ts', "export { Redis } from 'ioredis';"],
  ['domain', 'src/domain/session.ts', "const redis = await import('ioredis');"],
  ['domain', 'src/domain/session.ts', 'const redis = await import(name);'],
  ['domain', 'src/domain/session.ts', "let redis: import('ioredis').Redis;"],
  ['ports', 'src/ports/clock.ts', "import { SessionError } from '../domain/errors.ts';"],
  ['ports', 'src/ports/clock.ts', "import type { Redis } from 'ioredis';"],
  ['ports', 'src/ports/clock.ts', "import type { Form } from '../http/form.ts';"],
  ['testing', 'src/testing/a.ts', "import { form } from '../http/form.ts';"],
  ['adapters', 'src/adapters/redis/a.ts', "import { run } from '../../testing/a.ts';"],
  ['adapters', 'src/adapters/redis/a.ts', "import { form } from '../../http/form.ts';"],
  ['adapters', 'src/adapters/redis/a.ts', "import type { Config } from '../../config.ts';"],
  ['http', 'src/http/form.ts', "import { scripts } from '../adapters/redis/scripts.ts';"],
  ['http', 'src/http/form.ts', "import { tokens } from '../container.ts';"],
  ['http', 'src/http/form.ts', "import { serve } from '@hono/node-server';"],
  ['http', 'src/http/form.ts', "import { serveStatic } from '@hono/node-server/serve-static';"],
  ['browser', 'src/http/demo/browser/live.ts', "import { form } from '../../form.ts';"],
  ['browser', 'src/http/demo/browser/live.ts', "import { Hono } from 'hono';"],
  ['config', 'src/config.ts', "import { connectRedis } from './adapters/redis/connect-redis.ts';"],
  ['config', 'src/config/files.ts', "import { scripts } from '../adapters/redis/scripts.ts';"],
  ['main', 'src/cli/ls.ts', "import { connectRedis } from '../adapters/redis/connect-redis.ts';"],
  ['main', 'src/main.ts', "import { container } from 'tsyringe';"],
  ['entry', 'src/index.ts', "export { createContainer } from './container.ts';"],
  ['adapters', 'src/adapters/redis/a.ts', "import 'reflect-metadata';"],
  ['adapters', 'src/adapters/redis/a.ts', "import { env } from 'node:process';"],
  ['adapters', 'src/adapters/redis/a.ts', 'connect(process.env.REDIS_URL);'],
  ['container', 'src/container.ts', 'const { env } = process;'],
  ['container', 'src/container.ts', 'connect({ process });'],
  ['container', 'src/observe.ts', 'connect({ process });'],
  ['http', 'src/http/form.ts', "const url = globalThis.process.env['REDIS_URL'];"],
  ['adapters', 'src/adapters/memory/a.ts', 'const at = Date.now();'],
  ['http', 'src/http/form.ts', 'const at = new Date();'],
  ['http', 'src/http/form.ts', 'const at = new Date;'],
  ['http', 'src/http/form.ts', 'const at = Date();'],
  ['domain', 'src/domain/session.ts', 'const { now } = Date;'],
  ['domain', 'src/domain/session.ts', 'const at = globalThis.Date.now();'],
])('%s: a planted offence in %s is noticed: %s', (_layer, path, source) => {
  expect(architectureViolations(path, source)).toEqual([
    expect.stringMatching(/^src\/\S+:1 (imports|uses|asks) /),
  ]);
});

it.each([
  ['src/domain/session.ts', "import type { Clock } from '../ports/clock.ts';"],
  ['src/domain/session.ts', "import { SessionError } from './errors.ts';"],
  ['src/domain/session.ts', 'const text = new Date(at).toISOString();'],
  ['src/domain/session.ts', "const at: Date | number = Date.parse('2026-04-02');"],
  [
    'src/domain/session.ts',
    "// import 'ioredis'; process.env; Date.now()\nconst a = 'Date.now()';",
  ],
  ['src/domain/session.ts', 'job.process(); const jobs = { process: 1 };'],
  ['src/ports/clock.ts', "import type { Session } from '../domain/session.ts';"],
  ['src/adapters/node/system-clock.ts', 'export const now = () => Date.now();'],
  ['src/http/demo/page.tsx', 'export const Page = () => <time>{new Date(0).toISOString()}</time>;'],
  ['src/http/demo/browser/live.ts', "import type { Page } from '../page.tsx';\nDate.now();"],
  ['src/container.ts', "import { container } from 'tsyringe';"],
  ['src/config/a.ts', "import { parseRedisUrl } from '../adapters/redis/redis-address.ts';"],
  ['src/cli/ls.ts', "import { remainingSeconds } from '../domain/session.ts';"],
  ['src/cli/ls.ts', "const { createContainer } = await import('../container.ts');"],
  ['src/main.ts', "import { serve } from '@hono/node-server';\nserve(process.env.PORT);"],
])('%s may: %s', (path, source) => {
  expect(architectureViolations(path, source)).toEqual([]);
});

it('sojourn/fetch needs no package: what it imports, and so on, is this project alone', () => {
  const met = new Set<string>();
  const packages: string[] = [];
  const visit = (path: string) => {
    if (met.has(path)) return;
    met.add(path);
    for (const [, from = ''] of readFileSync(path, 'utf8').matchAll(/ from '([^']+)';/g)) {
      if (from.startsWith('.')) visit(posix.join(posix.dirname(path), from));
      else packages.push(`${path}: ${from}`);
    }
  };
  visit('src/fetch.ts');
  expect(met).toContain('src/http/session-handler.ts');
  expect(met).toContain('src/domain/session-service.ts');
  expect(packages).toEqual([]);
});

it('a module outside of every layer is an error, not a loophole', () => {
  expect(() => architectureViolations('src/utils/a.ts', '')).toThrow('belongs to no layer');
});
