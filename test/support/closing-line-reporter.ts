import type { Reporter, TestModule, TestSuite } from 'vitest/node';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** What counting needs of vitest's `TestModule`. */
export interface CountedModule extends Pick<TestModule, 'errors'> {
  readonly children: {
    allTests(): Iterable<{ result(): { readonly state: string } }>;
    allSuites(): Iterable<Pick<TestSuite, 'errors'>>;
  };
}

/**
 * Every test counts once, and so does every error outside of a test: a file that does not load, a hook that throws, a
 * rejection that nobody handles. A test that did not come to its end failed.
 */
export function count(
  modules: readonly CountedModule[],
  unhandledErrors: readonly unknown[],
): Counts {
  const tests = modules.flatMap((module) => [...module.children.allTests()]);
  const having = (state: string) => tests.filter((test) => test.result().state === state).length;
  const suites = modules.flatMap((module) => [module, ...module.children.allSuites()]);
  const errors = suites.flatMap((suite) => suite.errors()).length + unhandledErrors.length;
  const [passed, skipped] = [having('passed'), having('skipped')];
  return { passed, failed: tests.length - passed - skipped + errors, skipped };
}

export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
}

/**
 * Prints the closing line as the very last of a run, for people and for whoever reads only that. A run that ends badly
 * without a failed test (a broken setup, no tests at all) never says `0 failed`.
 */
export class ClosingLineReporter implements Reporter {
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };

  onInit(): void {
    process.once('exit', (code) => {
      const failed = code === 0 ? this.#counts.failed : Math.max(this.#counts.failed, 1);
      console.log(closingLine({ ...this.#counts, failed }));
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts = count(modules, unhandledErrors);
  }
}
