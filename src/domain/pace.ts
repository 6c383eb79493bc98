/** How much longer a rest is than the batch before it: work takes a third of the time. */
const REST = 2;

/** However slow the store was, nobody is served better by a longer silence. */
const LONGEST_REST_MS = 1000;

/** Whether to leave the store to others now and then. */
export interface PaceOptions {
  /** Not to rest between two batches. It is done three times as soon, and others wait for longer. @default false */
  readonly fullSpeed?: boolean | undefined;
}

/** Work on many sessions goes in batches, and rests between them so that others are served as if nobody else were there. */
export class Pace {
  readonly #rest: number;
  #restUntil: number | undefined;

  /** At full speed it only lets go of the event loop between two batches. */
  constructor({ fullSpeed = false }: PaceOptions = {}) {
    this.#rest = fullSpeed ? 0 : REST;
  }

  /** Works on a batch, once the rest after the one before is over; what else was done meanwhile counts as rest. */
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

/** So many sessions are asked for at once: enough to keep a store busy, few enough for whoever comes next to wait for little. */
export const AT_ONCE = 30;

/** The items, so many at a time. */
export function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += AT_ONCE) yield items.slice(i, i + AT_ONCE);
}
