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
  /** True where no connection outlives a request, so that an outage concerns requests without a session too. */
  readonly connectsPerRequest?: boolean;
}

/** A program of a package, as a built application is run from its folder. */
function bin(path: string): readonly string[] {
  return [`../../node_modules/${path}`];
}

const deno = ['run', '--allow-all', '--no-check', '--node-modules-dir=manual'];

/** The same program on every runtime that has Node's modules. */
function everywhere(application: Omit<Application, 'runtime'>): readonly Application[] {
  const runtimes = ['Node 22', 'Node 24', 'Node 26', 'Bun', 'Deno'] as const;
  return runtimes.map((runtime) => ({
    ...application,
    runtime,
    start: runtime === 'Deno' ? [...deno, ...application.start] : application.start,
  }));
}

export const applications: readonly Application[] = [
  ...everywhere({ framework: 'Hono', package: 'hono', start: ['hono.ts'] }),
  ...everywhere({ framework: 'h3', package: 'h3', start: ['h3.ts'] }),
  ...everywhere({ framework: 'node:http', start: ['fetch.ts'] }),
  { framework: 'Elysia', package: 'elysia', runtime: 'Node 24', start: ['elysia.ts'] },
  ...everywhere({
    framework: 'Express (SojournStore)',
    package: 'express',
    start: ['express.ts'],
    countsAtOnce: false,
  }),
  ...everywhere({
    framework: 'Fastify (SojournStore)',
    package: 'fastify',
    start: ['fastify.ts'],
    countsAtOnce: false,
  }),
  {
    framework: 'NestJS (SojournStore)',
    package: '@nestjs/core',
    runtime: 'Node 24',
    folder: 'nest',
    build: ['../../../../node_modules/typescript/bin/tsc', '-p', '.'],
    start: ['build/nest/main.js'],
    countsAtOnce: false,
  },
  {
    framework: 'React Router',
    package: 'react-router',
    runtime: 'Node 24',
    folder: 'react-router',
    build: [...bin('@react-router/dev/bin.cjs'), 'build'],
    start: [...bin('@react-router/serve/bin.cjs'), 'build/server/index.js'],
  },
  {
    framework: 'SvelteKit',
    package: '@sveltejs/kit',
    runtime: 'Node 24',
    folder: 'sveltekit',
    build: [...bin('vite/bin/vite.js'), 'build'],
    start: ['build'],
  },
  {
    framework: 'Astro',
    package: 'astro',
    runtime: 'Node 24',
    folder: 'astro',
    build: [...bin('astro/bin/astro.mjs'), 'build'],
    start: ['dist/server/entry.mjs'],
  },
  {
    framework: 'Next (route handlers)',
    package: 'next',
    runtime: 'Node 24',
    folder: 'next',
    build: [...bin('next/dist/bin/next'), 'build'],
    start: [...bin('next/dist/bin/next'), 'start', '--hostname', '127.0.0.1'],
  },
  {
    framework: 'Nuxt',
    package: 'nuxt',
    runtime: 'Node 24',
    folder: 'nuxt',
    build: [...bin('nuxt/bin/nuxt.mjs'), 'build'],
    start: ['.output/server/index.mjs'],
  },
  { framework: 'Bun.serve', runtime: 'Bun', start: ['bun.ts'] },
  { framework: 'Deno.serve', runtime: 'Deno', start: [...deno, 'deno.ts'] },
  {
    framework: 'Workers',
    runtime: 'workerd',
    folder: 'workerd',
    build: ['build.ts'],
    start: ['serve', 'worker.capnp', '--socket-addr', 'http=127.0.0.1:$PORT'],
    connectsPerRequest: true,
  },
];
