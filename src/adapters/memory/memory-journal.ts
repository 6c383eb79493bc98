import { checkRetention, type JournalRetention } from '../../domain/journal-retention.ts';
import type { Clock } from '../../ports/clock.ts';
import type { JournalEntry, JournalQuery, SessionJournal } from '../../ports/session-journal.ts';
import { systemClock } from '../node/system-clock.ts';

/** How much the journal keeps of each user, and the clock for expiry. */
export interface MemoryJournalOptions extends JournalRetention {
  /** By default the system's clock. */
  readonly clock?: Clock;
}

interface Kept {
  readonly entry: JournalEntry;
  readonly until: number;
}

const DEFAULT_LIMIT = 100;

/** Users' journals in the memory of this process, for tests and for a server without Redis. */
export class MemoryJournal implements SessionJournal {
  readonly #users = new Map<string, Kept[]>();
  readonly #clock: Clock;
  readonly #keepMs: number;
  readonly #maxEntries: number;
  #sweepAtSize = 1024;

  /** @throws `SessionError` (`invalid_option`) for a retention that is out of range. */
  constructor({ clock = systemClock, ...retention }: MemoryJournalOptions = {}) {
    const { keepMs, maxEntries } = checkRetention(retention);
    this.#clock = clock;
    this.#keepMs = keepMs;
    this.#maxEntries = maxEntries;
  }

  async append(user: string, entry: JournalEntry): Promise<void> {
    const kept = this.#kept(user);
    kept.push({ entry, until: this.#clock.now() + this.#keepMs });
    this.#sweep();
    this.#users.set(user, kept.slice(-this.#maxEntries));
  }

  async read(
    user: string,
    { since = -Infinity, limit = DEFAULT_LIMIT }: JournalQuery = {},
  ): Promise<readonly JournalEntry[]> {
    const entries = this.#kept(user).map(({ entry }) => entry);
    return entries
      .filter(({ at }) => at >= since)
      .reverse()
      .slice(0, limit);
  }

  async erase(user: string): Promise<number> {
    const { length } = this.#kept(user);
    this.#users.delete(user);
    return length;
  }

  #kept(user: string): Kept[] {
    const now = this.#clock.now();
    return (this.#users.get(user) ?? []).filter(({ until }) => until > now);
  }

  // Users who never return would stay for ever. Checking all of them each time their number has doubled adds a small
  // constant cost to each entry.
  #sweep(): void {
    if (this.#users.size < this.#sweepAtSize) return;
    for (const user of [...this.#users.keys()]) {
      if (this.#kept(user).length === 0) this.#users.delete(user);
    }
    this.#sweepAtSize = Math.max(1024, this.#users.size * 2);
  }
}
