import type { SessionEvent, SessionObserver } from '../ports/session-observer.ts';
import type { SessionId } from './session-token.ts';

/** Who hears of it when a listener fails. */
export interface SessionEndingsOptions {
  /** Takes what a listener threw or rejected with. Default: `console.error`. */
  readonly onError?: (error: unknown) => void;
}

/**
 * Tells when a session has ended, so that what it let in can be closed: a WebSocket, a stream of events. It hears of what
 * its own process ends as an observer of the `SessionService`, and of ends elsewhere and of sessions that run out
 * as the observer of `watchEndings` of `sojourn/redis`, as far as Redis announces them: that is a best effort, so
 * look at long-lived sessions from time to time as well. The embedded store announces nothing that runs out.
 *
 * @example
 * const endings = new SessionEndings();
 * const service = new SessionService({ repository, observer: endings });
 * const stop = endings.onEnded(session.id, () => socket.close());
 * socket.on('close', stop);
 */
export class SessionEndings implements SessionObserver {
  readonly #listeners = new Map<SessionId, Set<Listener>>();
  readonly #onError: (error: unknown) => void;

  constructor({ onError = console.error }: SessionEndingsOptions = {}) {
    this.#onError = onError;
  }

  /**
   * Calls the listener once, when the session of that id has ended. What ended before is not told: ask for the session
   * after this call. Answers what takes the listener away again; nothing stays of it.
   */
  onEnded(id: SessionId, listener: () => unknown): () => void {
    const listeners = this.#listeners.get(id) ?? new Set();
    const own: Listener = { call: listener };
    this.#listeners.set(id, listeners.add(own));
    return () => {
      listeners.delete(own);
      if (listeners.size === 0 && this.#listeners.get(id) === listeners) this.#listeners.delete(id);
    };
  }

  /** How many sessions somebody listens for. */
  get listening(): number {
    return this.#listeners.size;
  }

  notify({ type, id }: SessionEvent): void {
    if (type !== 'ended' && type !== 'gone') return;
    const listeners = this.#listeners.get(id);
    if (listeners === undefined) return;
    this.#listeners.delete(id);
    for (const listener of listeners) void this.#tell(listener);
  }

  async #tell({ call }: Listener): Promise<void> {
    try {
      await call();
    } catch (error) {
      this.#onError(error); // the others are told, and the service goes on
    }
  }
}

/** An object of its own for each call of `onEnded`, so that one function may listen twice. */
interface Listener {
  readonly call: () => unknown;
}
