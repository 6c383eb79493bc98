import { soon } from './soon.ts';

export interface SessionCountOptions {
  /**
   * Counts anew, however long that takes; or tells what others have counted and how long ago, if anything. Then whoever
   * shares a count bounds what it costs.
   */
  readonly count: () => Promise<number | KnownCount | undefined>;
  /** Milliseconds between the end of one count and the begin of the next, at least. */
  readonly everyMs: number;
  /** Hears of counts that failed. */
  readonly onError: (error: unknown) => void;
}

/** A count, and how long ago it was made. */
export interface KnownCount {
  readonly sessions: number;
  readonly ageMs: number;
}

/** What others count is asked for no more often. */
const LEAST_REST_MS = 1000;

/** The share of time that counting may take: of a store where a count takes a second, one every 20 seconds at most. */
const REST = 19;

/**
 * A number that is expensive to find out. Asking for it begins a count where the last one is old, one at a time, and is
 * answered soon with the newest that there is: neither a slow count nor a failing one keeps anybody waiting.
 */
export class SessionCount {
  readonly #options: SessionCountOptions;
  #known: { readonly sessions: number; readonly at: number } | undefined;
  #underWay: Promise<void> | undefined;
  #restUntil = Number.NEGATIVE_INFINITY;

  constructor(options: SessionCountOptions) {
    this.#options = options;
  }

  async latest(): Promise<KnownCount | undefined> {
    if (this.#underWay === undefined && performance.now() >= this.#restUntil) {
      this.#underWay = this.#count();
    }
    if (this.#underWay !== undefined) await soon(this.#underWay);
    const known = this.#known;
    return known && { sessions: known.sessions, ageMs: performance.now() - known.at };
  }

  async #count(): Promise<void> {
    const { count, everyMs, onError } = this.#options;
    const beganAt = performance.now();
    let shared: { readonly dueMs: number } | undefined;
    try {
      const counted = await count();
      if (typeof counted === 'number') {
        this.#known = { sessions: counted, at: performance.now() };
      } else {
        shared = { dueMs: counted === undefined ? 0 : everyMs - counted.ageMs };
        if (counted !== undefined) {
          this.#known = { sessions: counted.sessions, at: performance.now() - counted.ageMs };
        }
      }
    } catch (error) {
      onError(error);
    }
    const endedAt = performance.now();
    const restMs =
      shared === undefined
        ? Math.max(everyMs, (endedAt - beganAt) * REST)
        : Math.max(LEAST_REST_MS, shared.dueMs);
    this.#restUntil = endedAt + restMs;
    this.#underWay = undefined;
  }
}
