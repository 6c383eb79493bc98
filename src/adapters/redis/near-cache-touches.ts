import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { SessionRepository } from '../../ports/session-repository.ts';

/** How long the slide of a session may be put off at most. */
const LONGEST_MS = 1000;
const INTERVAL_MS = 250;

interface Touch {
  readonly credential: Credential;
  readonly at: string;
  readonly dueAt: number;
  readonly deadAt: number;
}

/** From this idle timeout on, in seconds, a second more or less is no matter. */
const LONG_TTL = 10;

/** How long the slide of a session of that idle timeout, in seconds, may be put off. */
export function postponementMs(ttl: number): number {
  return ttl < LONG_TTL ? 0 : LONGEST_MS;
}

/**
 * Slides that were put off, done soon after. A slide that is late gives the session more time than it was due, never
 * less. One that fails is tried again until the session has run out.
 */
export class NearCacheTouches {
  readonly #waiting = new Map<SessionId, Touch>();
  readonly #repository: Pick<SessionRepository, 'access'>;
  readonly #max: number;
  #timer: NodeJS.Timeout | undefined;

  constructor(repository: Pick<SessionRepository, 'access'>, max: number) {
    this.#repository = repository;
    this.#max = max;
  }

  /** False if too many wait already. */
  add(credential: Credential, at: string, dueAt: number, deadAt: number): boolean {
    const waiting = this.#waiting.get(credential.id);
    if (waiting !== undefined && waiting.at === at) return true;
    if (waiting === undefined && this.#waiting.size >= this.#max) return false;
    this.#waiting.set(credential.id, { credential, at, dueAt, deadAt });
    this.#timer ??= setTimeout(() => void this.#run(performance.now()), INTERVAL_MS);
    return true;
  }

  /** It was slid, or is no more. */
  drop(id: SessionId): void {
    this.#waiting.delete(id);
  }

  /** Does all that waits. */
  async close(): Promise<void> {
    await this.#run(Infinity);
    clearTimeout(this.#timer);
    this.#waiting.clear();
  }

  async #run(upTo: number): Promise<void> {
    const due = [...this.#waiting.values()].filter(({ dueAt }) => dueAt <= upTo);
    await Promise.all(due.map((touch) => this.#slide(touch)));
    clearTimeout(this.#timer);
    this.#timer =
      this.#waiting.size === 0
        ? undefined
        : setTimeout(() => void this.#run(performance.now()), INTERVAL_MS);
  }

  async #slide(touch: Touch): Promise<void> {
    const { credential, at, deadAt } = touch;
    const { id } = credential;
    this.#waiting.delete(id);
    try {
      await this.#repository.access(credential, { at, refreshAfterMs: 0 });
    } catch {
      // The store is away, which whoever asks it next is told.
      if (performance.now() < deadAt && !this.#waiting.has(id)) this.#waiting.set(id, touch);
    }
  }
}
