import type { Reporter, TestModule, TestSuite, Vitest } from 'vitest/node';

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

/** What tells why tests were skipped. */
export interface SkipReasons {
  /** What the set-up of a project could not provide. */
  readonly missing: readonly string[];
  /** What was asked for on the command line: only tests of that name, or with those tags. */
  readonly filters: readonly string[];
}

/** Tests that were skipped, by file, and what is known of why. Nothing where none were. */
export function skipLines(
  skipped: ReadonlyMap<string, number>,
  { missing, filters }: SkipReasons,
): readonly string[] {
  if (skipped.size === 0) return [];
  const files = [...skipped].sort().map(([file, tests]) => `  ${tests} in ${file}`);
  const reasons = [...missing, ...filters.map((filter) => `left out by ${filter}`)];
  const why = reasons.length === 0 ? ['the tests themselves say so'] : reasons;
  return ['Skipped:', ...files, 'Because:', ...why.map((reason) => `  ${reason}`), ''];
}

/**
 * Prints what was skipped and why, and as the very last of a run the closing line, for people and for whoever reads only
 * that. A run that ends badly without a failed test (a broken setup, no tests at all) never says `0 failed`.
 */
export class ClosingLineReporter implements Reporter {
  #vitest: Vitest | undefined;
  #counts: Counts = { passed: 0, failed: 0, skipped: 0 };
  #skipLines: readonly string[] = [];

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    process.once('exit', (code) => {
      const failed = code === 0 ? this.#counts.failed : Math.max(this.#counts.failed, 1);
      for (const line of this.#skipLines) console.log(line);
      console.log(closingLine({ ...this.#counts, failed }));
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    this.#counts = count(modules, unhandledErrors);
    const skipped = new Map<string, number>();
    for (const module of modules) {
      const tests = [...module.children.allTests('skipped')].length;
      const file = module.relativeModuleId;
      if (tests > 0) skipped.set(file, (skipped.get(file) ?? 0) + tests);
    }
    const projects = new Set(modules.map(({ project }) => project));
    const missing = [...projects].flatMap((one) => one.getProvidedContext().skipReasons ?? []);
    this.#skipLines = skipLines(skipped, {
      missing: [...new Set(missing)],
      filters: this.#filters(),
    });
  }

  #filters(): readonly string[] {
    const { testNamePattern, tagsFilter = [] } = this.#vitest?.config ?? {};
    return [
      ...(testNamePattern === undefined ? [] : [`--testNamePattern ${testNamePattern.source}`]),
      ...tagsFilter.map((filter) => `--tags-filter ${filter}`),
    ];
  }
}
