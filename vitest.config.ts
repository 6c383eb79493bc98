import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';
import { liveSuites, testServers } from './test/support/test-servers.ts';
import { unitSuites } from './test/support/unit-suites.ts';

// test/README.md explains the projects. Which one a file belongs to follows from what it imports.
const unit = [...unitSuites('test'), 'test/support/unit-suites.test.ts'];
const servers = testServers();
const withServers = {
  globalSetup: 'test/support/global-setup.ts',
  exclude: ['**/node_modules/**', ...unit],
};

export default defineConfig({
  test: {
    pool: 'forks',
    maxWorkers: 3, // most suites wait for servers, browsers and clocks; one for each of two cores would leave the machine idle
    retry: 0, // a test that passes at the second attempt has found something
    testTimeout: 60_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 30_000 } }, // a busy machine is no failure
    reporters: ['default', new ClosingLineReporter()],
    tags: [{ name: 'slow', description: 'Takes a second or more; left out by npm run test:unit.' }],
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: unit,
          setupFiles: 'test/support/no-servers.ts',
          isolate: false, // they share nothing that one could break for another, and need not load everything anew
        },
      },
      ...(servers.length === 0
        ? [
            {
              extends: true as const,
              test: { name: 'servers', include: ['test/**/*.test.{ts,tsx}'], ...withServers },
            },
          ]
        : // The first server gets every test that needs one, the others what may run differently on them.
          servers.map(({ binary, name }, i) => ({
            extends: true as const,
            test: {
              name,
              provide: { redisBinary: binary },
              include: i === 0 ? ['test/**/*.test.{ts,tsx}'] : liveSuites('test'),
              ...withServers,
            },
          }))),
    ],
  },
});
