import type { Clock } from '../ports/clock.ts';
import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';
import type { EndReason, SessionObserver } from '../ports/session-observer.ts';
import type { Device } from './device.ts';
import { type JournalFailure, JournalWriter } from './journal-writer.ts';
import type { Session } from './session.ts';
import type { SessionId } from './session-token.ts';
import { cutText } from './text-bytes.ts';

/** Who is told of what happens to sessions. */
export interface SessionHistoryOptions {
  /** Hears of what happens to sessions. Default: nobody. */
  readonly observer?: SessionObserver | undefined;
  /**
   * Keeps what happens to each user's sessions: `RedisJournal` of `sojourn/redis`, `MemoryJournal` of `sojourn/memory`. It is
   * personal data, so nothing is kept unless there is one. It is written beside the work on sessions, which neither
   * waits for it nor fails with it. Default: none.
   */
  readonly journal?: SessionJournal | undefined;
  /** Hears of each entry that the journal lost. Default: `console.error`, for the first one of an outage. */
  readonly onJournalFailure?: ((failure: JournalFailure) => void) | undefined;
  /**
   * Names the request that is under way, for the journal: what an `AsyncLocalStorage` holds. At most 64 bytes of it are
   * kept. Default: no name.
   */
  readonly requestId?: (() => string | undefined) | undefined;
}

/** Why a session ended, and by whom. */
export interface End {
  readonly why: EndReason;
  /** `JournalEntry.by`. */
  readonly by: string | undefined;
  readonly everywhere?: true | undefined;
}

const MAX_BYTES = 64;

/** An old token that comes back again and again is told to the journal once in so long. */
const REUSE_EVERY_MS = 60_000;
const MOST_REUSED = 1000;

/** Tells the observer and the journal what happened to sessions. Sessions of nobody are in no journal. */
export class SessionHistory {
  readonly journal: SessionJournal | undefined;
  readonly #clock: Clock;
  readonly #observer: SessionObserver | undefined;
  readonly #writer: JournalWriter | undefined;
  readonly #requestId: () => string | undefined;
  readonly #reusedAt = new Map<SessionId, number>();

  constructor(
    clock: Clock,
    { observer, journal, onJournalFailure, requestId = () => undefined }: SessionHistoryOptions,
  ) {
    this.journal = journal;
    this.#clock = clock;
    this.#observer = observer;
    this.#writer = journal && new JournalWriter(journal, onJournalFailure);
    this.#requestId = requestId;
  }

  started({ id, user, device, endsAt }: Pick<Session, 'id' | 'user' | 'device' | 'endsAt'>): void {
    this.#observer?.notify({ type: 'created', id, user });
    this.#write(user, id, { event: 'started', device: sayingSomething(device), endsAt });
  }

  /** `endsAt` where the lifetime began anew. */
  rotated(id: SessionId, user: string | undefined, endsAt: number | undefined): void {
    this.#observer?.notify({ type: 'rotated', id, user });
    this.#write(user, id, { event: 'rotated', endsAt });
  }

  reused(id: SessionId): void {
    this.#observer?.notify({ type: 'reused', id });
  }

  /**
   * For the journal, to be called after `reused` with who knows whose session it is. It is asked once a minute, since
   * somebody may present the same token as often as they like.
   */
  reusedOf(id: SessionId, findUser: () => Promise<string | undefined> | string | undefined): void {
    if (this.#writer === undefined || !this.#isNewReuse(id)) return;
    const user = findUser();
    if (user !== undefined) this.#writer.write(user, this.#entry(id, { event: 'reused' }));
  }

  refused(id: SessionId): void {
    this.#observer?.notify({ type: 'refused', id });
  }

  ended(id: SessionId, user: string | undefined, { why, by, everywhere }: End): void {
    this.#observer?.notify({ type: 'ended', id, why, user, by });
    this.#write(user, id, { event: 'ended', why, by: by && cutText(by, MAX_BYTES), everywhere });
  }

  /** Resolves when the journal has what was told by now, or has lost it. */
  async written(): Promise<void> {
    await this.#writer?.settled();
  }

  #write(
    user: string | undefined,
    id: SessionId,
    what: Omit<JournalEntry, 'at' | 'sessionId'>,
  ): void {
    if (user === undefined || this.#writer === undefined) return;
    this.#writer.write(user, this.#entry(id, what));
  }

  #entry(sessionId: SessionId, what: Omit<JournalEntry, 'at' | 'sessionId'>): JournalEntry {
    return { at: this.#clock.now(), sessionId, requestId: this.#request(), ...what };
  }

  #request(): string | undefined {
    try {
      const id = this.#requestId();
      return id && cutText(id, MAX_BYTES);
    } catch {
      return undefined; // the session has been started or ended by now, and that must be answered
    }
  }

  #isNewReuse(id: SessionId): boolean {
    const now = this.#clock.now();
    const before = this.#reusedAt.get(id);
    if (before !== undefined && now - before < REUSE_EVERY_MS) return false;
    this.#reusedAt.delete(id); // so that it is the newest
    this.#reusedAt.set(id, now);
    const [oldest] = this.#reusedAt.size > MOST_REUSED ? this.#reusedAt.keys() : [];
    if (oldest !== undefined) this.#reusedAt.delete(oldest);
    return true;
  }
}

function sayingSomething(device: Device): Device | undefined {
  return Object.keys(device).length === 0 ? undefined : device;
}
