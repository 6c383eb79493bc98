import type { StoreFailure } from '../../domain/errors.ts';

/** The figures of an outage up to now. */
export interface OutageFigures {
  /** Seconds since it began. */
  readonly seconds: number;
  /** Number of failed operations, by kind of failure. */
  readonly failures: Readonly<Record<string, number>>;
  /** Number of connections, or attempts to connect, that failed. */
  readonly connections: number;
}

/** Receives the progress of an outage. */
export interface OutageListener {
  onGoingOn(figures: OutageFigures): void;
  onOver(figures: OutageFigures): void;
}

const LOOK_MS = 1000;
const TELL_MS = 30_000;

/** An outage is over if the store has answered and nothing has failed for this long. */
const QUIET_MS = 2000;
const MOST_QUIET_MS = 64_000;

/**
 * An outage that begins this soon after the last one is the same problem; it must be quiet for twice as long before it
 * counts as over.
 */
const SOON_MS = 60_000;

/** The failures of a store that is down. Any other failure is another problem. */
const away: readonly string[] = ['timeout', 'connection', 'unready'] satisfies StoreFailure[];

/** True for a failure of a store that is down. */
export function isAway(failure: string): boolean {
  return away.includes(failure);
}

/**
 * Combines many failures into one outage. A log can then say when the store began to fail, from time to time that it
 * still does, and when it answers again, whether there are many requests or none.
 */
export class StoreOutage {
  readonly #listener: OutageListener;
  #ask: (() => Promise<void>) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beganAt = 0;
  #failedAt = 0;
  #answeredAt = 0;
  #toldAt = 0;
  #endedAt = Number.NEGATIVE_INFINITY;
  #quietMs = QUIET_MS;
  #asking = false;
  #refusesWrites = false;
  readonly #troubles = new Set<string>();
  #failures: Record<string, number> = {};
  #connections = 0;

  constructor(listener: OutageListener) {
    this.#listener = listener;
  }

  /**
   * Sets how to find out whether the store answers again if no requests arrive. Without it, the next request shows
   * that. After `unready` only this function shows it: a store that refuses writes still answers reads.
   */
  askWith(ask: () => Promise<void>): void {
    this.#ask = ask;
  }

  /** An operation failed. Returns true if that is new: an outage begins, or there is another problem. */
  operationFailed(failure: string): boolean {
    const news = this.#failed(failure);
    this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
    if (failure === 'unready') this.#refusesWrites = this.#ask !== undefined;
    return news;
  }

  /** A connection or an attempt to connect failed. Returns the same as `operationFailed`. */
  connectionFailed(): boolean {
    const news = this.#failed('connection');
    this.#connections += 1;
    return news;
  }

  /** The store has answered. */
  answered(): void {
    if (this.#timer !== undefined && !this.#refusesWrites) this.#answeredAt = performance.now();
  }

  #failed(failure: string): boolean {
    if (this.#timer === undefined) this.#begin();
    this.#failedAt = performance.now();
    const trouble = isAway(failure) ? 'away' : failure;
    const news = !this.#troubles.has(trouble);
    this.#troubles.add(trouble);
    return news;
  }

  #begin(): void {
    const now = performance.now();
    this.#quietMs =
      now - this.#endedAt < SOON_MS ? Math.min(2 * this.#quietMs, MOST_QUIET_MS) : QUIET_MS;
    this.#beganAt = now;
    this.#toldAt = now;
    this.#answeredAt = 0;
    this.#troubles.clear();
    this.#failures = {};
    this.#connections = 0;
    this.#timer = setInterval(() => this.#look(), LOOK_MS);
    this.#timer.unref(); // must not keep the process alive
  }

  #look(): void {
    const now = performance.now();
    if (this.#answeredAt > this.#failedAt && now - this.#failedAt >= this.#quietMs) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      this.#endedAt = now;
      this.#listener.onOver(this.#figures(now));
      return;
    }
    if (this.#answeredAt <= this.#failedAt) this.#askOnce();
    if (now - this.#toldAt < TELL_MS) return;
    this.#toldAt = now;
    this.#listener.onGoingOn(this.#figures(now));
  }

  #askOnce(): void {
    if (this.#asking || this.#ask === undefined) return;
    this.#asking = true;
    this.#ask()
      .then(
        () => {
          this.#refusesWrites = false;
          this.answered();
        },
        () => {}, // the failure is known already
      )
      .finally(() => {
        this.#asking = false;
      });
  }

  #figures(now: number): OutageFigures {
    const seconds = Math.round((now - this.#beganAt) / 100) / 10;
    return { seconds, failures: this.#failures, connections: this.#connections };
  }
}
