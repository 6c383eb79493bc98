import { execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { testFiles, unitSuites } from './unit-suites.ts';

// This file is named in vitest.config.ts: by its imports it would not be a unit test, and it tests what holds them back.

const unit = unitSuites('test');

it('a unit test starts no process, listens nowhere and connects to nothing', async () => {
  const refusal = /^A unit test must not/;
  expect(() => spawn('true')).toThrow(refusal);
  expect(() => execFileSync('true')).toThrow(refusal);
  expect(() => createServer().listen(0)).toThrow(refusal);
  expect(() => connect(1)).toThrow(refusal);
  await expect(fetch('http://127.0.0.1:9999/')).rejects.toMatchObject({
    cause: { message: expect.stringMatching(refusal) },
  });
});

it.each([
  'test/domain/session-service.test.ts',
  'test/adapters/contracts-in-memory.test.ts',
  'test/http/sessions.test.ts',
  'test/config.test.ts',
])('%s is a unit test', (file) => {
  expect(unit).toContain(file);
});

it.each([
  ['a Redis', 'test/adapters/session-limits.test.ts'],
  ['a Redis of its own', 'test/adapters/session-repository-contract.test.ts'],
  ['a browser', 'test/browser/session.test.ts'],
  ['a process, by a helper of a helper', 'test/cli/without-lua.test.ts'],
  ['a process', 'test/package.test.ts'],
  ['a socket', 'test/http/http2.test.ts'],
])('what needs %s is none: %s', (_what, file) => {
  expect(testFiles('test')).toContain(file);
  expect(unit).not.toContain(file);
});
