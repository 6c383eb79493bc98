import type { SessionId } from '../../domain/session-token.ts';
import type { Clock } from '../../ports/clock.ts';
import type { IndexEntry, NewIndexEntry, UserIndex } from '../../ports/user-index.ts';

interface Entries {
  /** When each was entered; a Map keeps the order. */
  readonly enteredAt: Map<SessionId, number>;
  expiresAt: number;
}

/** Users' sessions in this process. */
export class MemoryUserIndex implements UserIndex {
  readonly #users = new Map<string, Entries>();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async add({
    user,
    id,
    keepMs,
    limit,
  }: NewIndexEntry): Promise<{ readonly over: readonly SessionId[] } | undefined> {
    const now = this.#clock.now();
    const entries = this.#alive(user) ?? { enteredAt: new Map(), expiresAt: 0 };
    const tooMany = limit === undefined ? 0 : entries.enteredAt.size + 1 - limit.max;
    if (limit?.refuse && tooMany > 0) return undefined;
    this.#users.set(user, entries);
    entries.enteredAt.set(id, now);
    entries.expiresAt = Math.max(entries.expiresAt, now + keepMs);
    return { over: [...entries.enteredAt.keys()].slice(0, Math.max(0, tooMany)) };
  }

  async list(
    user: string,
    { newest = Infinity }: { readonly newest?: number } = {},
  ): Promise<readonly IndexEntry[]> {
    const now = this.#clock.now();
    const entries = [...(this.#alive(user)?.enteredAt ?? [])].slice(-newest);
    return entries.map(([id, enteredAt]) => ({ id, ageMs: now - enteredAt }));
  }

  async remove(user: string, ids: readonly SessionId[]): Promise<void> {
    const entries = this.#alive(user);
    for (const id of ids) entries?.enteredAt.delete(id);
    if (entries?.enteredAt.size === 0) this.#users.delete(user);
  }

  #alive(user: string): Entries | undefined {
    const entries = this.#users.get(user);
    if (entries === undefined || entries.expiresAt > this.#clock.now()) return entries;
    this.#users.delete(user);
    return undefined;
  }
}
