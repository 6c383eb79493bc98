import type { Credential, SessionId } from '../../../domain/session-token.ts';
import type { Access } from '../../../ports/session-repository.ts';

/** How long the slide of a session may be put off at most, and how often it is slid, by all processes together. */
export const LONGEST_PUT_OFF_MS = 1000;
const INTERVAL_MS = 250;

/** The last use of a session whose slide waits; instants on the clock of `performance.now()`. */
export interface PutOff {
  credential: Credential;
  /** The idle timeout that the session had, in seconds: whoever changed it has slid the session. */
  ttl: number;
  at: string;
  usedAt: number;
  dueAt: number;
}

/** Asks Redis to slide the session, and has `done` told when it was slid. Resolves to what is not an object if there is none. */
export type Slide = (credential: Credential, access: Access) => Promise<unknown>;

/**
 * Slides that were put off, done soon after. A slide that is late gives the session more time than it was due, never
 * less. One that fails is tried again until the session has run out. Where somebody else has slid the session meanwhile,
 * what was used before that waits no longer, and what was used after it waits for its own time.
 */
export class NearCacheTouches {
  readonly #waiting = new Map<SessionId, PutOff>();
  readonly #slide: Slide;
  readonly #max: number;
  // Not one for each use: it would hold on to the request that began it, and act in that request's name.
  readonly #timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
  /** Each by itself: one server that does not answer holds up no slide on another. */
  readonly #underWay = new Map<PutOff, Promise<void>>();

  constructor(slide: Slide, max: number) {
    this.#slide = slide;
    this.#max = max;
  }

  /** Puts off the slide of a use that is now. `undefined` if too many wait already. */
  add(credential: Credential, ttl: number, at: string, usedAt: number): PutOff | undefined {
    const waiting = this.#waiting.get(credential.id);
    if (waiting !== undefined) {
      waiting.credential = credential; // another one than before if the secret was rotated meanwhile
      waiting.ttl = ttl;
      waiting.at = at;
      waiting.usedAt = usedAt;
      return waiting;
    }
    if (this.#waiting.size >= this.#max) return undefined;
    const putOff = { credential, ttl, at, usedAt, dueAt: usedAt + LONGEST_PUT_OFF_MS };
    this.#waiting.set(credential.id, putOff);
    return putOff;
  }

  /** What waits, or is being done, for the session that this opens and that has this idle timeout. */
  get({ id, secretHash }: Credential, ttl: number): PutOff | undefined {
    const putOff = this.#waiting.get(id);
    return putOff?.credential.secretHash === secretHash && putOff.ttl === ttl ? putOff : undefined;
  }

  /**
   * The session has that idle timeout, and was slid at that instant or later: for all uses until then. Those after it are
   * due a while after it.
   */
  done(id: SessionId, ttl: number, slidAt: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if (waiting.usedAt <= slidAt) this.#waiting.delete(id);
    else waiting.dueAt = Math.max(waiting.dueAt, slidAt + Math.min(LONGEST_PUT_OFF_MS, ttl * 500));
  }

  /** Does all that waits. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#underWay.values());
    this.#begin(Infinity, 0);
    await Promise.all(this.#underWay.values());
    this.#waiting.clear();
  }

  #tick(): void {
    if (this.#waiting.size > 0) this.#begin(performance.now(), LONGEST_PUT_OFF_MS);
  }

  /** What another process has slid within `refreshAfterMs` is not slid again: together they do it as rarely as one alone. */
  #begin(upTo: number, refreshAfterMs: number): void {
    for (const putOff of this.#waiting.values()) {
      if (putOff.dueAt > upTo || this.#underWay.has(putOff)) continue;
      const done = this.#do(putOff, refreshAfterMs).finally(() => this.#underWay.delete(putOff));
      this.#underWay.set(putOff, done);
    }
  }

  async #do(putOff: PutOff, refreshAfterMs: number): Promise<void> {
    const { credential, ttl, at, usedAt } = putOff;
    try {
      const session = await this.#slide(credential, { at, refreshAfterMs });
      if (typeof session === 'object') return;
    } catch {
      // The store is away, which whoever asks it next is told.
      if (performance.now() < usedAt + ttl * 1000) return;
    }
    if (putOff.usedAt === usedAt && this.#waiting.get(credential.id) === putOff)
      this.#waiting.delete(credential.id);
  }
}
