/**
 * The order of one request's verbs. Those that change the token wait for all that began before them, and all others wait
 * for those: otherwise a rotation or a login would leave another verb of the same request with a token that opens nothing.
 */
export class VerbOrder {
  /** Verbs under way that may change the token and the cookie. */
  readonly #changing = new Set<Promise<unknown>>();
  /** Other verbs under way, which need the token that they began with. */
  readonly #using = new Set<Promise<unknown>>();

  /** Whether a verb is under way that may change the cookie. */
  get unsettled(): boolean {
    return this.#changing.size > 0;
  }

  /** Resolves when no such verb is under way any more, however it went. */
  async settled(): Promise<void> {
    while (this.#changing.size > 0) await Promise.allSettled(this.#changing);
  }

  changing<T>(act: () => Promise<T>): Promise<T> {
    const before = [...this.#changing, ...this.#using];
    return underWay(Promise.allSettled(before).then(act), this.#changing);
  }

  async using<T>(act: () => Promise<T>): Promise<T> {
    // Not `await settled()`, which would let a verb in between that nobody waits for.
    while (this.#changing.size > 0) await Promise.allSettled(this.#changing);
    return underWay(Promise.resolve().then(act), this.#using);
  }
}

function underWay<T>(acting: Promise<T>, among: Set<Promise<unknown>>): Promise<T> {
  among.add(acting);
  const settle = () => among.delete(acting);
  acting.then(settle, settle);
  return acting;
}
