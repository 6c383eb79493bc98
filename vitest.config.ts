import { defineConfig } from 'vitest/config';
import { ClosingLineReporter } from './test/support/closing-line-reporter.ts';
import { liveSuites, testServers } from './test/support/test-servers.ts';

const everything = ['test/**/*.test.{ts,tsx}'];
const servers = testServers();

export default defineConfig({
  test: {
    globalSetup: 'test/support/global-setup.ts',
    pool: 'forks',
    maxWorkers: 2, // most suites wait for servers, browsers and clocks; one alone would leave the machine idle
    retry: 0, // a test that passes at the second attempt has found something
    testTimeout: 60_000,
    hookTimeout: 120_000,
    reporters: ['default', new ClosingLineReporter()],
    ...(servers.length === 0
      ? { include: everything }
      : {
          // The first server gets every test, the others what may run differently on them.
          projects: servers.map(({ binary, name }, i) => ({
            extends: true as const,
            test: {
              name,
              provide: { redisBinary: binary },
              include: i === 0 ? everything : liveSuites('test'),
            },
          })),
        }),
  },
});
