/** How much longer a rest is than the work before it: work takes a third of the time. */
const REST = 2;

/** No single batch should be followed by silence, however slow the store was. */
const LONGEST_REST_MS = 1000;

/** Work on many sessions goes in batches, and rests between them so that others are served as if nobody else were there. */
export class Pace {
  readonly #rest: number;
  #workedSince = performance.now();

  /** At full speed it only lets go of the event loop between two batches. */
  constructor({ fullSpeed = false }: { readonly fullSpeed?: boolean | undefined } = {}) {
    this.#rest = fullSpeed ? 0 : REST;
  }

  /** To be awaited after each batch but the last. */
  async rest(): Promise<void> {
    const workedMs = performance.now() - this.#workedSince;
    const restMs = Math.min(workedMs * this.#rest, LONGEST_REST_MS);
    await new Promise((resolve) => setTimeout(resolve, restMs));
    this.#workedSince = performance.now();
  }
}

/** So many sessions are asked for at once: enough to keep a store busy, few enough for whoever comes next to wait for little. */
export const AT_ONCE = 100;

/** The items, so many at a time. */
export function* batchesOf<T>(items: readonly T[], size = AT_ONCE): Generator<readonly T[]> {
  for (let i = 0; i < items.length; i += size) yield items.slice(i, i + size);
}
