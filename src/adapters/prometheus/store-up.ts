import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';
import type { StoreAnswer } from '../../ports/session-observer.ts';
import { soon } from './soon.ts';

/** A store that answered within this time needs no question of its own. */
const FRESH_MS = 5000;

/** With these nobody can log in. A store that is full still answers who is logged in, and other failures are of one session. */
const away: readonly StoreFailure[] = ['timeout', 'connection', 'unready', 'denied', 'unfit'];

/** Whether the store serves, by what it last answered: an operation, or the question that is asked where there was none. */
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

  /** `undefined` until it was asked for the first time. */
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
