import type { SessionRepository } from '../../ports/session-repository.ts';

/** The repository under test, and a way to let time pass on its clock. */
export interface Subject {
  /** The repository under test. The cases use new ids, so it need not be empty. */
  readonly repository: SessionRepository;
  /**
   * Resolves when at least this many milliseconds have passed on the repository's clock: by waiting, or by setting that
   * clock. All cases share a clock that is set, so then run them one after the other; otherwise they may run concurrently.
   */
  elapse(ms: number): Promise<void>;
}

/** One promise of the `SessionRepository` port, and its test. */
export interface ContractCase {
  /** The promise in words, for the test runner's report. */
  readonly name: string;
  /** Resolves if the repository keeps the promise, and rejects with an assertion error if it does not. */
  run(subject: Subject): Promise<void>;
}
