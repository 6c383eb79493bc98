import type { Session } from '../../../domain/session.ts';
import type { Credential, SessionId } from '../../../domain/session-token.ts';
import type { Absent, Access } from '../../../ports/session-repository.ts';

/** How long the slide of a session may be put off at most. */
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

/**
 * Slides that were put off, done soon after. A slide that is late gives the session more time than it was due, never
 * less. One that fails is tried again until the session has run out.
 */
export class NearCacheTouches {
  readonly #waiting = new Map<SessionId, PutOff>();
  readonly #slide: (credential: Credential, access: Access) => Promise<Session | Absent>;
  readonly #max: number;
  // Not one for each use: it would hold on to the request that began it, and act in that request's name.
  readonly #timer = setInterval(() => this.#tick(), INTERVAL_MS).unref();
  #running: Promise<void> | undefined;

  constructor(
    slide: (credential: Credential, access: Access) => Promise<Session | Absent>,
    max: number,
  ) {
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

  /** It was slid at that instant or later: for all uses until then. */
  done(id: SessionId, slidAt: number): void {
    if ((this.#waiting.get(id)?.usedAt ?? Infinity) <= slidAt) this.#waiting.delete(id);
  }

  /** Does all that waits. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#running;
    await this.#run(Infinity);
    this.#waiting.clear();
  }

  #tick(): void {
    if (this.#waiting.size === 0) return;
    this.#running ??= this.#run(performance.now()).finally(() => {
      this.#running = undefined;
    });
  }

  async #run(upTo: number): Promise<void> {
    const due = [...this.#waiting.values()].filter(({ dueAt }) => dueAt <= upTo);
    await Promise.all(due.map((putOff) => this.#do(putOff)));
  }

  async #do(putOff: PutOff): Promise<void> {
    const { credential, at, usedAt } = putOff;
    const { id } = credential;
    const dueAt = putOff.dueAt;
    putOff.dueAt = performance.now() + LONGEST_PUT_OFF_MS; // for uses from now on
    try {
      await this.#slide(credential, { at, refreshAfterMs: 0 });
    } catch {
      // The store is away, which whoever asks it next is told.
      putOff.dueAt = dueAt;
      if (performance.now() < usedAt + putOff.ttl * 1000) return;
    }
    if (putOff.usedAt === usedAt && this.#waiting.get(id) === putOff) this.#waiting.delete(id);
  }
}
