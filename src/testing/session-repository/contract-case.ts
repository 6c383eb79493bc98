import type { SessionRepository } from '../../ports/session-repository.ts';

/** A repository under test, and a way to let its own clock go on. */
export interface Subject {
  readonly repository: SessionRepository;
  /**
   * Resolves when at least so many milliseconds have passed for the repository: by waiting, or by setting its clock. All
   * cases share a clock that is set, so run them one after the other then; with one that runs by itself, also at once.
   */
  elapse(ms: number): Promise<void>;
}

/** One sentence of the port, and what proves it. It rejects with an assertion error. */
export interface ContractCase {
  readonly name: string;
  /** Resolves if the repository keeps the sentence. */
  run(subject: Subject): Promise<void>;
}
