import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';
import type { StoreAnswer } from '../../ports/session-observer.ts';
import { soon } from './soon.ts';

/** If the store answered within this time, it need not be checked. */
const FRESH_MS = 5000;

/**
 * With these failures nobody can log in. A store that is out of memory can still tell who is logged in, and other
 * failures affect one session.
 */
const away: readonly StoreFailure[] = ['timeout', 'connection', 'unready', 'denied', 'unfit'];

/**
 * Whether the store is available, according to its last answer to an operation, or to a check if there were no
 * operations.
 */
export class StoreUp {
  readonly #check: (() => Promise<void>) | undefined;
  #up: boolean | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #asking: Promise<void> | undefined;

  constructor(check: (() => Promise<void>) | undefined) {
    this.#check = check;
  }

  heard(answer: StoreAnswer, now: number): void {
    const { error } = answer.outcome === 'failed' ? answer : {};
    this.#up = !(error instanceof StoreUnavailableError && away.includes(error.failure));
    this.#heardAt = now;
  }

  /** `undefined` before the first answer. */
  async latest(): Promise<boolean | undefined> {
    if (this.#check !== undefined && performance.now() - this.#heardAt >= FRESH_MS) {
      this.#asking ??= this.#ask(this.#check);
      await soon(this.#asking);
    }
    return this.#up;
  }

  async #ask(check: () => Promise<void>): Promise<void> {
    const answer = await check().then(
      (): StoreAnswer => ({ outcome: 'ok' }),
      (error: unknown): StoreAnswer => ({ outcome: 'failed', error }),
    );
    this.heard(answer, performance.now());
    this.#asking = undefined;
  }
}
