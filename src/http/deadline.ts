import { SessionError, StoreUnavailableError } from '../domain/errors.ts';

/** How often each deadline is checked. */
const LOOKS = 20;

/** No request should wait longer, and timers are accurate up to here. */
const MAX_DEADLINE_MS = 10 * 60 * 1000;

interface Waiting {
  readonly overdueAtLook: number;
  readonly reject: (error: Error) => void;
}

/**
 * Gives up on answers that do not arrive in time. A single timer serves all pending answers, because a timer for each
 * would cost more than an answer from a near cache. It runs only while it is needed.
 */
export class Deadline {
  readonly #intervalMs: number;
  readonly #waiting = new Set<Waiting>();
  #looks = 0;
  #timer: NodeJS.Timeout | undefined;

  /** In milliseconds. Throws a `SessionError` (`invalid_option`) for anything but a number from 1 to 600,000. */
  constructor(deadlineMs: number) {
    if (typeof deadlineMs !== 'number' || !(deadlineMs >= 1 && deadlineMs <= MAX_DEADLINE_MS)) {
      throw new SessionError(
        'invalid_option',
        `deadlineMs must be a number of milliseconds from 1 to ${MAX_DEADLINE_MS}, not ${deadlineMs}.`,
      );
    }
    this.#intervalMs = deadlineMs / LOOKS;
  }

  /**
   * Resolves with the answer, or rejects with a `StoreUnavailableError` (outcome `unknown`) at the deadline or up to a
   * twentieth of it later.
   */
  within<T>(answer: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { overdueAtLook: this.#looks + LOOKS + 1, reject };
      this.#waiting.add(waiting);
      this.#timer ??= setInterval(() => this.#look(), this.#intervalMs);
      answer.then(
        (value) => {
          this.#waiting.delete(waiting);
          resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(waiting);
          reject(error);
        },
      );
    });
  }

  #look(): void {
    this.#looks += 1;
    if (this.#waiting.size === 0) {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
    for (const waiting of this.#waiting) {
      if (waiting.overdueAtLook > this.#looks) return; // later ones are due later
      this.#waiting.delete(waiting);
      waiting.reject(new StoreUnavailableError('unknown', { failure: 'timeout' }));
    }
  }
}
