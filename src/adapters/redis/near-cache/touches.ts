import type { Credential, SessionId } from '../../../domain/session-token.ts';
import type { Access } from '../../../ports/session-repository.ts';

/** How long the slide of a session may be put off, and how often it is slid by all processes together. */
export const LONGEST_PUT_OFF_MS = 1000;
const INTERVAL_MS = 250;

/** The last use of a session whose slide is put off. Instants are on the clock of `performance.now()`. */
export interface PutOff {
  credential: Credential;
  /** The session's idle timeout in seconds at the time of the use. Changing it slides the session. */
  ttl: number;
  at: string;
  usedAt: number;
  dueAt: number;
}

/**
 * Slides the session in Redis, and calls `done` when it was slid. Resolves to an object only if there is such a
 * session.
 */
export type Slide = (credential: Credential, access: Access) => Promise<unknown>;

/**
 * Slides that are put off and done soon after. A late slide gives the session more time than it was due, never less. A
 * slide that fails is retried until the session has expired. If another process has slid the session meanwhile, uses
 * before that need no slide any more, and later uses wait for their own time.
 */
export class NearCacheTouches {
  readonly #waiting = new Map<SessionId, PutOff>();
  readonly #slide: Slide;
  readonly #max: number;
  // One timer for all: a timer per use would retain the context of its request and act in that context.
  readonly #timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
  /** Each slide runs on its own, so that a server that does not answer does not delay slides on others. */
  readonly #underWay = new Map<PutOff, Promise<void>>();

  constructor(slide: Slide, max: number) {
    this.#slide = slide;
    this.#max = max;
  }

  /** Puts off the slide of a use that happens now. Returns `undefined` if too many are waiting. */
  add(credential: Credential, ttl: number, at: string, usedAt: number): PutOff | undefined {
    const waiting = this.#waiting.get(credential.id);
    if (waiting !== undefined) {
      waiting.credential = credential; // a different one if the secret has been rotated
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

  /**
   * The put-off slide of the session that this credential opens and that has this idle timeout, waiting or being done.
   */
  get({ id, secretHash }: Credential, ttl: number): PutOff | undefined {
    const putOff = this.#waiting.get(id);
    return putOff?.credential.secretHash === secretHash && putOff.ttl === ttl ? putOff : undefined;
  }

  /**
   * The session has this idle timeout and was slid at this instant or later. That covers all uses until then; later
   * uses become due some time afterwards.
   */
  done(id: SessionId, ttl: number, slidAt: number): void {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    if (waiting.usedAt <= slidAt) this.#waiting.delete(id);
    else waiting.dueAt = Math.max(waiting.dueAt, slidAt + Math.min(LONGEST_PUT_OFF_MS, ttl * 500));
  }

  /** Does all slides that are waiting. */
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

  /**
   * A session that another process has slid within `refreshAfterMs` is not slid again, so that all processes together
   * slide it as rarely as one.
   */
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
      // The store is down; its next caller will notice.
      if (performance.now() < usedAt + ttl * 1000) return;
    }
    if (putOff.usedAt === usedAt && this.#waiting.get(credential.id) === putOff)
      this.#waiting.delete(credential.id);
  }
}
