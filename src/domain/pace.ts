/** The pause after a batch, as a multiple of the batch's time: the work takes a third of the time. */
const REST = 2;

/** The longest pause, however slow the store is. A longer one would help nobody. */
const LONGEST_REST_MS = 1000;

/** Whether work on many sessions pauses for other callers of the store. */
export interface PaceOptions {
  /**
   * Do without pauses between batches. The work is done three times as fast, and other callers wait longer. @default
   * false
   */
  readonly fullSpeed?: boolean | undefined;
}

/** Splits work on many sessions into batches with pauses in between, so that other callers are hardly delayed. */
export class Pace {
  readonly #rest: number;
  #restUntil: number | undefined;

  /** At full speed it only yields to the event loop between two batches. */
  constructor({ fullSpeed = false }: PaceOptions = {}) {
    this.#rest = fullSpeed ? 0 : REST;
  }

  /** Runs a batch once the pause after the last one is over. Time that the caller spent otherwise counts as pause. */
  async work<T>(batch: () => Promise<T>): Promise<T> {
    if (this.#restUntil !== undefined) await wait(this.#restUntil - performance.now());
    const beganAt = performance.now();
    try {
      return await batch();
    } finally {
      const endedAt = performance.now();
      this.#restUntil = endedAt + Math.min((endedAt - beganAt) * this.#rest, LONGEST_REST_MS);
    }
  }
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, Math.max(0, ms));
  });
}

/**
 * The number of sessions requested at once: enough to keep a store busy, and few enough that other callers wait only
 * briefly.
 */
export const AT_ONCE = 30;

/** The items in batches of `AT_ONCE`. */
export function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += AT_ONCE) yield items.slice(i, i + AT_ONCE);
}
