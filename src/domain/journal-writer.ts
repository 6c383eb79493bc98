import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';

/** An entry that could not be written to the journal. */
export interface JournalFailure {
  /** Why the entry could not be written, such as a `StoreUnavailableError`. */
  readonly error: unknown;
  /** True for the first failure after a success, and at most once a minute. Log these failures and count all. */
  readonly isFirst: boolean;
}

/** Maximum number of entries that wait in memory while the store is slow. */
const MOST_UNDER_WAY = 1000;

/**
 * Minimum time between two failures that are marked as first. If only some users' journals fail, nearly every failure
 * follows a success.
 */
const TELL_EVERY_MS = 60_000;

/** Writes entries that no caller awaits. An entry that cannot be written is lost and reported. */
export class JournalWriter {
  readonly #journal: SessionJournal;
  readonly #onFailure: (failure: JournalFailure) => void;
  readonly #underWay = new Set<Promise<void>>();
  #failing = false;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(
    journal: SessionJournal,
    onFailure: (failure: JournalFailure) => void = ({ error, isFirst }) => {
      if (isFirst) console.error(error);
    },
  ) {
    this.#journal = journal;
    this.#onFailure = onFailure;
  }

  /** Writes nothing if `user` is or resolves to `undefined`. */
  write(user: string | Promise<string | undefined>, entry: JournalEntry): void {
    if (this.#underWay.size >= MOST_UNDER_WAY) {
      this.#lost(
        new Error(
          `The journal is too slow: ${MOST_UNDER_WAY} entries are waiting, so this one was dropped.`,
        ),
      );
      return;
    }
    const writing: Promise<void> = this.#append(user, entry).then(() => {
      this.#underWay.delete(writing);
    });
    this.#underWay.add(writing);
  }

  /** Resolves when every entry passed up to now has been written or lost. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  async #append(user: string | Promise<string | undefined>, entry: JournalEntry): Promise<void> {
    try {
      const whose = typeof user === 'string' ? user : await user;
      if (whose === undefined) return;
      await this.#journal.append(whose, entry);
      this.#failing = false;
    } catch (error) {
      this.#lost(error);
    }
  }

  #lost(error: unknown): void {
    const now = performance.now();
    const isFirst = !this.#failing && now - this.#toldAt >= TELL_EVERY_MS;
    if (isFirst) this.#toldAt = now;
    this.#failing = true;
    try {
      this.#onFailure({ error, isFirst });
    } catch {
      // An error of the callback must not affect sessions.
    }
  }
}
