/** What one request asked of the store. */
export interface Cost {
  readonly commands: readonly string[];
  readonly roundTrips: number;
  readonly waitedMs: number;
}

export interface LastAction {
  /** `POST /increment`. */
  readonly request: string;
  readonly cost: Cost;
}

const AT_MOST = 1000;

/** The last action of each session, in this process' memory: something to look at, and nothing to rely on. */
export class LastActions {
  readonly #bySession = new Map<string, LastAction>();

  get(id: string): LastAction | undefined {
    return this.#bySession.get(id);
  }

  /** Forgets the sessions that did nothing for the longest time. */
  set(id: string, action: LastAction): void {
    this.#bySession.delete(id);
    this.#bySession.set(id, action);
    for (const oldest of this.#bySession.keys()) {
      if (this.#bySession.size <= AT_MOST) break;
      this.#bySession.delete(oldest);
    }
  }
}
