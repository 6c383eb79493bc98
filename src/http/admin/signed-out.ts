/** A sign-in, as its cookie tells of it. */
export interface SignIn {
  /** The whole of it. */
  readonly value: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

const MAX_KEPT = 1000;

/**
 * The sign-ins that somebody signed out of, each until its end: their cookies may have been copied. It keeps a thousand at
 * most. One more ends every sign-in that would end before the last of them, since to forget one would let it in again.
 */
export class SignedOut {
  readonly #endsAt = new Map<string, number>();
  #allUpTo = 0;

  has({ value, endsAt }: SignIn): boolean {
    return endsAt <= this.#allUpTo || this.#endsAt.has(value);
  }

  add({ value, endsAt }: SignIn, now: number): void {
    for (const [kept, end] of this.#endsAt) if (end <= now) this.#endsAt.delete(kept);
    this.#endsAt.set(value, endsAt);
    if (this.#endsAt.size <= MAX_KEPT) return;
    this.#allUpTo = Math.max(...this.#endsAt.values());
    this.#endsAt.clear();
  }
}
