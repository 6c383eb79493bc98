/** A sign-in, as its cookie contains it. */
export interface SignIn {
  /** The complete value of the cookie. */
  readonly value: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly endsAt: number;
}

const MAX_KEPT = 1000;

/**
 * The sign-ins that were ended by signing out, until they would have expired, because their cookies may have been
 * copied. At most a thousand are kept. One more ends every sign-in that would expire before the last of them, because
 * forgetting one would let it in again.
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
