const MOST_NOTES = 100;

/**
 * What was ended, for the page that follows. Its URL has a random name for it, so that a link cannot make the console
 * claim what did not happen.
 */
export class EndedNotes {
  readonly #counts = new Map<string, number>();

  /** Returns the name of the note. */
  add(ended: number): string {
    const [oldest] = this.#counts.keys();
    if (oldest !== undefined && this.#counts.size >= MOST_NOTES) this.#counts.delete(oldest);
    const name = crypto.randomUUID();
    this.#counts.set(name, ended);
    return name;
  }

  /** How many sessions ended; `undefined` if this process has no such note. */
  find(name: string): number | undefined {
    return this.#counts.get(name);
  }
}
