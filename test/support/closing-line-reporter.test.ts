import { describe, expect, it } from 'vitest';
import { type CountedModule, closingLine, count, skipLines } from './closing-line-reporter.ts';

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

describe('skipLines', () => {
  const skipped = new Map([
    ['test/b.test.ts', 2],
    ['test/a.test.ts', 1],
  ]);

  it('say what was skipped and why', () => {
    const missing = ['LIVE SUITES ARE SKIPPED: no redis-server on PATH'];
    const filters = ['--tags-filter !slow'];
    expect(skipLines(skipped, { missing, filters })).toEqual([
      'Skipped:',
      '  1 in test/a.test.ts',
      '  2 in test/b.test.ts',
      'Because:',
      '  LIVE SUITES ARE SKIPPED: no redis-server on PATH',
      '  left out by --tags-filter !slow',
      '',
    ]);
  });

  it('say where to look if nothing is known of why', () => {
    expect(skipLines(skipped, { missing: [], filters: [] })).toContain(
      '  the tests themselves say so',
    );
  });

  it('say nothing where nothing was skipped', () => {
    expect(skipLines(new Map(), { missing: ['no promtool'], filters: [] })).toEqual([]);
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
