import type { StoreFailure } from '../../domain/errors.ts';

/** What an outage was, until now. */
export interface OutageFigures {
  /** Since it began. */
  readonly seconds: number;
  /** Operations that failed, by kind of failure. */
  readonly failures: Readonly<Record<string, number>>;
  /** Connections, or attempts to connect, that failed. */
  readonly connections: number;
}

/** Hears what becomes of an outage. */
export interface OutageListener {
  onGoingOn(figures: OutageFigures): void;
  onOver(figures: OutageFigures): void;
}

const LOOK_MS = 1000;
const TELL_MS = 30_000;

/** Without a failure for so long, an outage is over once the store has answered. */
const QUIET_MS = 2000;
const MOST_QUIET_MS = 64_000;

/** An outage that begins so soon after the last one is the same trouble, and takes twice as long a quiet to be over. */
const SOON_MS = 60_000;

/** What a store that is away fails with, by turns. Another failure tells of another trouble. */
const away: readonly string[] = ['timeout', 'connection', 'unready'] satisfies StoreFailure[];

/** Whether that is a failure of a store that is away. */
export function isAway(failure: string): boolean {
  return away.includes(failure);
}

/**
 * Makes one outage of many failures, so that a log tells when the store began to fail, from time to time that it still
 * does, and when it answers again, however many requests come meanwhile, and on a night without any.
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
  readonly #troubles = new Set<string>();
  #failures: Record<string, number> = {};
  #connections = 0;

  constructor(listener: OutageListener) {
    this.#listener = listener;
  }

  /** How to find out whether the store answers again, where nobody else asks it. Without it, whoever asks next tells. */
  askWith(ask: () => Promise<void>): void {
    this.#ask = ask;
  }

  /** An operation failed. Answers whether that is news: an outage begins with it, or it becomes another one. */
  operationFailed(failure: string): boolean {
    const news = this.#failed(failure);
    this.#failures[failure] = (this.#failures[failure] ?? 0) + 1;
    return news;
  }

  /** A connection failed, or an attempt to connect. Answers as `operationFailed` does. */
  connectionFailed(): boolean {
    const news = this.#failed('connection');
    this.#connections += 1;
    return news;
  }

  /** The store has answered. */
  answered(): void {
    if (this.#timer !== undefined) this.#answeredAt = performance.now();
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
    this.#timer.unref(); // it keeps no process alive
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
        () => this.answered(),
        () => {}, // it is known that the store fails
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
