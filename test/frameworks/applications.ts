import type { RuntimeName } from '../support/runtimes.ts';

/** A line of the table. */
export interface Application {
  readonly framework: string;
  /** The package that the framework is, and whose version the table shows. */
  readonly package?: string;
  readonly runtime: RuntimeName;
  /** Below `apps`, from where the program is run. */
  readonly folder?: string;
  /** Arguments of the runtime's program. */
  readonly start: readonly string[];
  /** Arguments of Node, to be run before. */
  readonly build?: readonly string[];
  /** False for express-session and @fastify/session, which have no verb to increment with. */
  readonly countsAtOnce?: boolean;
}

const deno = ['run', '--allow-all', '--no-check', '--node-modules-dir=manual'];

export const applications: readonly Application[] = [
  { framework: 'node:http', runtime: 'Node 22', start: ['fetch.ts'] },
  { framework: 'Hono', package: 'hono', runtime: 'Node 24', start: ['hono.ts'] },
  { framework: 'h3', package: 'h3', runtime: 'Node 26', start: ['h3.ts'] },
  { framework: 'Elysia', package: 'elysia', runtime: 'Node 24', start: ['elysia.ts'] },
  {
    framework: 'Express (SojournStore)',
    package: 'express',
    runtime: 'Node 24',
    start: ['express.ts'],
    countsAtOnce: false,
  },
  {
    framework: 'Fastify (SojournStore)',
    package: 'fastify',
    runtime: 'Node 24',
    start: ['fastify.ts'],
    countsAtOnce: false,
  },
  { framework: 'Bun.serve', runtime: 'Bun', start: ['bun.ts'] },
  { framework: 'Hono', package: 'hono', runtime: 'Bun', start: ['hono.ts'] },
  { framework: 'Deno.serve', runtime: 'Deno', start: [...deno, 'deno.ts'] },
  { framework: 'h3', package: 'h3', runtime: 'Deno', start: [...deno, 'h3.ts'] },
];
