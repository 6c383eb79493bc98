import { describe, expect, it } from 'vitest';
import { type CountedModule, closingLine, count } from './closing-line-reporter.ts';

describe('count', () => {
  it('counts every test once, by how it ended', () => {
    expect(
      count(
        [module({ states: ['passed', 'failed', 'skipped'] }), module({ states: ['passed'] })],
        [],
      ),
    ).toEqual({ passed: 2, failed: 1, skipped: 1 });
  });

  it('a test that did not come to its end failed', () => {
    expect(count([module({ states: ['passed', 'pending'] })], [])).toEqual({
      passed: 1,
      failed: 1,
      skipped: 0,
    });
  });

  it('a file that does not load is a failure', () => {
    expect(count([module({ errors: ['SyntaxError'] })], []).failed).toBe(1);
  });

  it('a hook that throws is a failure, though its tests are only skipped', () => {
    expect(count([module({ states: ['skipped'], suiteErrors: ['beforeAll'] })], [])).toEqual({
      passed: 0,
      failed: 1,
      skipped: 1,
    });
  });

  it('an unhandled error is a failure, though every test passed', () => {
    expect(count([module({ states: ['passed'] })], ['rejection']).failed).toBe(1);
  });
});

describe('closingLine', () => {
  it('says how many passed and failed', () => {
    expect(closingLine({ passed: 12, failed: 0, skipped: 0 })).toBe('12 passed, 0 failed');
  });

  it('says how many were skipped, if any', () => {
    expect(closingLine({ passed: 1, failed: 2, skipped: 3 })).toBe('1 passed, 2 failed, 3 skipped');
  });
});

function module(given: {
  states?: readonly string[];
  errors?: readonly string[];
  suiteErrors?: readonly string[];
}): CountedModule {
  const errorsOf = (messages: readonly string[] = []) => messages.map((message) => ({ message }));
  return {
    errors: () => errorsOf(given.errors),
    children: {
      allTests: () => (given.states ?? []).map((state) => ({ result: () => ({ state }) })),
      allSuites: () => [{ errors: () => errorsOf(given.suiteErrors) }],
    },
  };
}
