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
 * operations. After `unready` only the check can say that it is available again: a store that refuses writes still
 * answers reads.
 */
export class StoreUp {
  readonly #check: (() => Promise<void>) | undefined;
  #up: boolean | undefined;
  #heardAt = Number.NEGATIVE_INFINITY;
  #refusesWrites = false;
  #asking: Promise<void> | undefined;

  constructor(check: (() => Promise<void>) | undefined) {
    this.#check = check;
  }

  heard(answer: StoreAnswer, now: number): void {
    const { error } = answer.outcome === 'failed' ? answer : {};
    const failure = error instanceof StoreUnavailableError ? error.failure : undefined;
    const isAway = failure !== undefined && away.includes(failure);
    if (failure === 'unready') this.#refusesWrites = this.#check !== undefined;
    if (this.#refusesWrites && !isAway) return;
    this.#up = !isAway;
    this.#heardAt = now;
  }

  /** `undefined` before the first answer. */
  async latest(): Promise<boolean | undefined> {
    const isFresh = !this.#refusesWrites && performance.now() - this.#heardAt < FRESH_MS;
    if (this.#check !== undefined && !isFresh) {
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
    if (answer.outcome !== 'failed') this.#refusesWrites = false;
    this.heard(answer, performance.now());
    this.#asking = undefined;
  }
}
