/**
 * Orders the methods of one request. Those that change the token wait for all calls before them, and all later calls
 * wait for those. Otherwise a rotation or a login would leave another call of the same request with a token that opens
 * nothing.
 */
export class VerbOrder {
  /** Running calls that may change the token and the cookie. */
  readonly #changing = new Set<Promise<unknown>>();
  /** Other running calls, which need the token that they started with. */
  readonly #using = new Set<Promise<unknown>>();

  /** True while a call that may change the cookie is running. */
  get unsettled(): boolean {
    return this.#changing.size > 0;
  }

  /** Resolves when no such call is running any more, whether they succeeded or not. */
  async settled(): Promise<void> {
    while (this.#changing.size > 0) await Promise.allSettled(this.#changing);
  }

  changing<T>(act: () => Promise<T>): Promise<T> {
    const before = [...this.#changing, ...this.#using];
    return underWay(Promise.allSettled(before).then(act), this.#changing);
  }

  async using<T>(act: () => Promise<T>): Promise<T> {
    // Not `await settled()`: a call that nobody waits for could get in between.
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
