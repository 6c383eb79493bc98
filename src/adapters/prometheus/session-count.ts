export interface SessionCountOptions {
  /** Counts anew, however long that takes. */
  readonly count: () => Promise<number>;
  /** Milliseconds between the end of one count and the begin of the next, at least. */
  readonly everyMs: number;
  /** Hears of counts that failed. */
  readonly onError: (error: unknown) => void;
}

export interface KnownCount {
  readonly sessions: number;
  readonly ageMs: number;
}

/** A count that is quickly there is waited for; any other is for the next who asks. */
const WAIT_MS = 100;

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
    try {
      const sessions = await count();
      this.#known = { sessions, at: performance.now() };
    } catch (error) {
      onError(error);
    }
    const endedAt = performance.now();
    this.#restUntil = endedAt + Math.max(everyMs, (endedAt - beganAt) * REST);
    this.#underWay = undefined;
  }
}

function soon(work: Promise<void>): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, WAIT_MS);
    void work.then(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}
