import type { Credential, SessionId } from './session-token.ts';

/** For how long a token is remembered after its last use, at least; at most twice as long. */
const GENERATION_MS = 60_000;

interface Known {
  readonly token: string;
  readonly credential: Credential;
}

/**
 * What tokens that opened a session lately prove, so that they need not be taken apart and hashed each time. Two
 * generations: what is used moves to the young one, and the old one is dropped as a whole.
 */
export class RecentTokens {
  readonly #most: number;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  #agesAt = 0;

  /** `most` in a generation. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `now` in milliseconds. */
  get(token: string, now: number): Credential | undefined {
    // Sooner than it could have been set is a clock that stepped back.
    if (now >= this.#agesAt || now < this.#agesAt - GENERATION_MS) this.#age(now);
    const young = this.#young.get(token);
    if (young !== undefined) return young.credential;
    const old = this.#old.get(token);
    if (old !== undefined) this.#put(old);
    return old?.credential;
  }

  /** The token has opened a session. */
  add(presented: string, { id, secretHash }: Credential): void {
    // Part of a text keeps the whole alive, which may be a long header.
    const token = new TextDecoder().decode(new TextEncoder().encode(presented));
    this.#put({ token, credential: { id: token.slice(0, id.length) as SessionId, secretHash } });
  }

  /** The token opens nothing any more. */
  delete(token: string): void {
    this.#young.delete(token);
    this.#old.delete(token);
  }

  #put(known: Known): void {
    if (this.#young.size >= this.#most) this.#shift();
    this.#young.set(known.token, known);
  }

  #age(now: number): void {
    if (now >= this.#agesAt + GENERATION_MS) this.#young.clear(); // nobody asked for longer than a generation
    this.#shift();
    this.#agesAt = now + GENERATION_MS;
  }

  #shift(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
