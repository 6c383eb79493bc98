import type { SessionId } from '../../domain/session-token.ts';

/** For how long a destroyed id is remembered, in milliseconds: longer than a request takes. */
const KEEP_MS = 60_000;

/** Anybody can have sessions destroyed that never were, so what is remembered must not grow without end. */
const MOST = 10_000;

/**
 * Ids that were destroyed in this process and had no session in the store. A request that still holds such a session would
 * store it for the first time, and thereby bring it to life after its end. Only this process can: a session that another
 * one knows was stored before. So it is remembered here and nothing is written to the store.
 */
export class DestroyedIds {
  readonly #until = new Map<SessionId, number>();

  add(id: SessionId, now: number): void {
    this.#until.delete(id); // to stand last: the oldest are forgotten first
    this.#until.set(id, now + KEEP_MS);
    for (const [oldest, until] of this.#until) {
      if (until > now && this.#until.size <= MOST) return;
      this.#until.delete(oldest);
    }
  }

  has(id: SessionId, now: number): boolean {
    return (this.#until.get(id) ?? 0) > now;
  }

  delete(id: SessionId): void {
    this.#until.delete(id);
  }
}
