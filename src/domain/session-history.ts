import type { Clock } from '../ports/clock.ts';
import type { JournalEntry, SessionJournal } from '../ports/session-journal.ts';
import type { EndReason, SessionObserver } from '../ports/session-observer.ts';
import type { Device } from './device.ts';
import { type JournalFailure, JournalWriter } from './journal-writer.ts';
import type { Session } from './session.ts';
import type { SessionId } from './session-token.ts';
import { cutText } from './text-bytes.ts';

/** Who is informed about what happens to sessions. */
export interface SessionHistoryOptions {
  /** Receives session events. By default nothing does. */
  readonly observer?: SessionObserver | undefined;
  /**
   * Records what happens to each user's sessions: `RedisJournal` of `sojourn/redis`, or `MemoryJournal` of
   * `sojourn/memory`. It is personal data, so nothing is recorded by default. Session calls neither wait for the
   * journal nor fail with it.
   */
  readonly journal?: SessionJournal | undefined;
  /** Called for each entry that the journal lost. By default the first one of an outage goes to `console.error`. */
  readonly onJournalFailure?: ((failure: JournalFailure) => void) | undefined;
  /**
   * Returns an id of the current request, for the journal: typically the value of an `AsyncLocalStorage`. At most 64
   * bytes of it are kept. By default entries have no request id.
   *
   * @example
   * ```ts
   * const requests = new AsyncLocalStorage<string>();
   * const options = { journal, requestId: () => requests.getStore() };
   * ```
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

/** An old token that is presented again and again is recorded in the journal once in this time. */
const REUSE_EVERY_MS = 60_000;
const MOST_REUSED = 1000;

/**
 * Reports what happened to sessions to the observer and the journal. Sessions without a user are not in any journal.
 */
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

  /** @param endsAt set if the lifetime began again */
  rotated(id: SessionId, user: string | undefined, endsAt: number | undefined): void {
    this.#observer?.notify({ type: 'rotated', id, user });
    this.#write(user, id, { event: 'rotated', endsAt });
  }

  reused(id: SessionId): void {
    this.#observer?.notify({ type: 'reused', id });
  }

  /**
   * Records the reuse in the journal. Call it after `reused`, with a function that finds the session's owner. That
   * function is called at most once a minute, because anyone who has the token can present it as often as they like.
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

  /** Resolves when the journal has every event reported up to now, or has lost it. */
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
      return undefined; // the session has been started or ended already, so the call must succeed
    }
  }

  #isNewReuse(id: SessionId): boolean {
    const now = this.#clock.now();
    const before = this.#reusedAt.get(id);
    if (before !== undefined && now - before < REUSE_EVERY_MS) return false;
    this.#reusedAt.delete(id); // so that it becomes the newest entry
    this.#reusedAt.set(id, now);
    const [oldest] = this.#reusedAt.size > MOST_REUSED ? this.#reusedAt.keys() : [];
    if (oldest !== undefined) this.#reusedAt.delete(oldest);
    return true;
  }
}

function sayingSomething(device: Device): Device | undefined {
  return Object.keys(device).length === 0 ? undefined : device;
}
