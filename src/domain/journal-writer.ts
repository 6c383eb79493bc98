import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';

/** An entry that the journal lost. */
export interface JournalFailure {
  readonly error: unknown;
  /** True for the first one since an entry was kept, and at most once a minute: log these, and count all. */
  readonly isFirst: boolean;
}

/** While the store is slow, entries wait in memory: this many at most. */
const MOST_UNDER_WAY = 1000;

/** Where some users' journals fail and others do not, each failure follows an entry that was kept. */
const TELL_EVERY_MS = 60_000;

/** Writes entries that nobody waits for. What cannot be written is lost, and told. */
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

  /** Where nobody is the user nothing is written. */
  write(user: string | Promise<string | undefined>, entry: JournalEntry): void {
    if (this.#underWay.size >= MOST_UNDER_WAY) {
      this.#lost(new Error(`${MOST_UNDER_WAY} journal entries are waiting to be written.`));
      return;
    }
    const writing: Promise<void> = this.#append(user, entry).then(() => {
      this.#underWay.delete(writing);
    });
    this.#underWay.add(writing);
  }

  /** Resolves when what was to be written by now has been, or is lost. */
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
      // Sessions go on, whatever whoever counts does.
    }
  }
}
