import type { Session } from '../../domain/session.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { Absent, Access } from '../../ports/session-repository.ts';

/** How long the slide of a session may be put off at most. */
export const LONGEST_PUT_OFF_MS = 1000;
const INTERVAL_MS = 250;

/** The last use of a session whose slide waits; instants on the clock of `performance.now()`. */
export interface PutOff {
  readonly credential: Credential;
  readonly dueAt: number;
  at: string;
  usedAt: number;
  /** When the session has run out. */
  deadAt: number;
}

/**
 * Slides that were put off, done soon after. A slide that is late gives the session more time than it was due, never
 * less. One that fails is tried again until the session has run out.
 */
export class NearCacheTouches {
  readonly #waiting = new Map<SessionId, PutOff>();
  readonly #slide: (credential: Credential, access: Access) => Promise<Session | Absent>;
  readonly #max: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(
    slide: (credential: Credential, access: Access) => Promise<Session | Absent>,
    max: number,
  ) {
    this.#slide = slide;
    this.#max = max;
  }

  /** Puts off the slide of a use that is now. `undefined` if too many wait already. */
  add(credential: Credential, at: string, usedAt: number, deadAt: number): PutOff | undefined {
    const waiting = this.#waiting.get(credential.id);
    if (waiting !== undefined) {
      waiting.at = at;
      waiting.usedAt = usedAt;
      waiting.deadAt = deadAt;
      return waiting;
    }
    if (this.#waiting.size >= this.#max) return undefined;
    const putOff = { credential, dueAt: usedAt + LONGEST_PUT_OFF_MS, at, usedAt, deadAt };
    this.#waiting.set(credential.id, putOff);
    this.#timer ??= setTimeout(() => void this.#run(performance.now()), INTERVAL_MS);
    return putOff;
  }

  /** What waits for the session that this opens. */
  get({ id, secretHash }: Credential): PutOff | undefined {
    const putOff = this.#waiting.get(id);
    return putOff?.credential.secretHash === secretHash ? putOff : undefined;
  }

  /** It was slid for all uses up to that instant. */
  done(id: SessionId, askedAt: number): void {
    if ((this.#waiting.get(id)?.usedAt ?? Infinity) <= askedAt) this.#waiting.delete(id);
  }

  /** Does all that waits. */
  async close(): Promise<void> {
    await this.#run(Infinity);
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  async #run(upTo: number): Promise<void> {
    const due = [...this.#waiting.values()].filter(({ dueAt }) => dueAt <= upTo);
    await Promise.all(due.map((touch) => this.#do(touch)));
    clearTimeout(this.#timer);
    this.#timer =
      this.#waiting.size === 0
        ? undefined
        : setTimeout(() => void this.#run(performance.now()), INTERVAL_MS);
  }

  async #do(touch: PutOff): Promise<void> {
    const { credential, at, deadAt } = touch;
    const { id } = credential;
    this.#waiting.delete(id);
    try {
      await this.#slide(credential, { at, refreshAfterMs: 0 });
    } catch {
      // The store is away, which whoever asks it next is told.
      if (performance.now() < deadAt && !this.#waiting.has(id)) this.#waiting.set(id, touch);
    }
  }
}
