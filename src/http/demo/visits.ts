import type { Step } from './steps.ts';

/** What one request asked of the store. */
export interface Cost {
  readonly commands: readonly string[];
  readonly roundTrips: number;
  readonly waitedMs: number;
}

/** A request that crossed from the browser to the store, for the log. */
export interface Crossing {
  /** `POST /increment`. */
  readonly request: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `undefined` where the store takes no commands. */
  readonly cost: Cost | undefined;
}

/** Why a session is over. `replaced`: it lives, but another secret opens it. `unknown`: nobody here can say. */
export type Cause =
  | 'expired'
  | 'logout'
  | 'everywhere'
  | 'elsewhere'
  | 'evicted'
  | 'operator'
  | 'reused'
  | 'replaced'
  | 'unknown';

/** What this process remembers of a session, to show it to the browser whose session it was. */
export interface Visit {
  readonly id: string;
  readonly name: string;
  ttl: number;
  /** When it runs out if nobody uses it, in milliseconds since 1970. */
  endsAt: number;
  rotated: boolean;
  /** Once it is certain that the session is over. */
  cause: Cause | undefined;
  /** Newest first. */
  readonly log: Crossing[];
  readonly steps: Set<Step>;
}

const MOST_VISITS = 1000;
const MOST_CROSSINGS = 12;

/**
 * The visits of those that did something last, in this process' memory: something to look at, and nothing to rely on. The key is what only
 * that browser can present.
 */
export class Visits {
  readonly #byKey = new Map<string, Visit>();

  get(key: string | undefined): Visit | undefined {
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  /** Forgets those that did nothing for the longest time. */
  set(key: string, visit: Visit): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, visit);
    for (const oldest of this.#byKey.keys()) {
      if (this.#byKey.size <= MOST_VISITS) break;
      this.#byKey.delete(oldest);
    }
  }
}

/** Adds a line to the log; the oldest makes room. */
export function cross(visit: Visit, crossing: Crossing): void {
  visit.log.unshift(crossing);
  visit.log.splice(MOST_CROSSINGS);
}
