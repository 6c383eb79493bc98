import { soon } from './soon.ts';

export interface SessionCountOptions {
  /**
   * Counts again, however long that takes. Or returns a count that others made and its age, if there is one; then the
   * shared count limits what counting costs.
   */
  readonly count: () => Promise<number | KnownCount | undefined>;
  /** Minimum time between the end of one count and the start of the next, in milliseconds. */
  readonly everyMs: number;
  /** Receives the errors of counts that failed. */
  readonly onError: (error: unknown) => void;
}

/** A number of sessions, and how long ago they were counted. */
export interface KnownCount {
  readonly sessions: number;
  /** Age of the count, in milliseconds. */
  readonly ageMs: number;
}

/** Minimum time between two reads of a shared count. */
const LEAST_REST_MS = 1000;

/**
 * Counting takes at most a twentieth of the time: if a count takes a second, there is one every 20 seconds at most.
 */
const REST = 19;

/**
 * A number that is expensive to determine. Asking for it starts a count if the last one is too old, and soon returns
 * the newest known number: neither a slow count nor a failing one delays the caller.
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
