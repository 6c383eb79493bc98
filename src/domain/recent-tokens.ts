import type { Credential, SessionId } from './session-token.ts';

/** How long a token is remembered after its last use: at least this long, and at most twice as long. */
const GENERATION_MS = 60_000;

interface Known {
  readonly token: string;
  readonly credential: Credential;
}

/**
 * The credentials of tokens that recently opened a session, so that these need not be parsed and hashed again. There
 * are two generations: a token that is used moves to the young one, and the old one is dropped as a whole.
 */
export class RecentTokens {
  readonly #most: number;
  #young = new Map<string, Known>();
  #old = new Map<string, Known>();
  #agesAt = 0;

  /** @param most maximum number of tokens per generation */
  constructor(most: number) {
    this.#most = most;
  }

  /** `now` in milliseconds. */
  get(token: string, now: number): Credential | undefined {
    // An earlier time than that of the last shift means that the clock was set back.
    if (now >= this.#agesAt || now < this.#agesAt - GENERATION_MS) this.#age(now);
    const young = this.#young.get(token);
    if (young !== undefined) return young.credential;
    const old = this.#old.get(token);
    if (old !== undefined) this.#put(old);
    return old?.credential;
  }

  /** Call it when the token has opened a session. */
  add(presented: string, { id, secretHash }: Credential): void {
    // A substring keeps the whole string alive, which may be a long header.
    const token = new TextDecoder().decode(new TextEncoder().encode(presented));
    this.#put({ token, credential: { id: token.slice(0, id.length) as SessionId, secretHash } });
  }

  /** Call it when the token opens nothing any more. */
  delete(token: string): void {
    this.#young.delete(token);
    this.#old.delete(token);
  }

  #put(known: Known): void {
    if (this.#young.size >= this.#most) this.#shift();
    this.#young.set(known.token, known);
  }

  #age(now: number): void {
    if (now >= this.#agesAt + GENERATION_MS) this.#young.clear(); // not used for longer than a generation
    this.#shift();
    this.#agesAt = now + GENERATION_MS;
  }

  #shift(): void {
    this.#old = this.#young;
    this.#young = new Map();
  }
}
