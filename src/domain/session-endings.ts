import type { SessionEvent, SessionObserver } from '../ports/session-observer.ts';
import type { SessionId } from './session-token.ts';

/** Where errors of listeners go. */
export interface SessionEndingsOptions {
  /** Receives what a listener threw or rejected with. @default console.error */
  readonly onError?: (error: unknown) => void;
}

/**
 * Calls a listener when a session ends, so that whatever the session gave access to can be closed: a WebSocket, a
 * stream of events.
 *
 * Pass it to the `SessionService` as observer for sessions that this process ends. Pass it also to `watchEndings` of
 * `sojourn/redis` for sessions that other processes end and for sessions that expire. Redis announces these on a
 * best-effort basis, so also check long-lived connections from time to time. The embedded store does not announce
 * sessions that expire.
 *
 * @example
 * ```ts
 * const endings = new SessionEndings();
 * const service = new SessionService({ repository, observer: endings });
 * const stop = endings.onEnded(session.id, () => socket.close());
 * socket.on('close', stop);
 * ```
 */
export class SessionEndings implements SessionObserver {
  readonly #listeners = new Map<SessionId, Set<Listener>>();
  readonly #onError: (error: unknown) => void;

  constructor({ onError = console.error }: SessionEndingsOptions = {}) {
    this.#onError = onError;
  }

  /**
   * Calls the listener once, when the session with this id has ended. Ends before this call are not reported, so check
   * that the session is alive afterwards. Returns a function that removes the listener.
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

  /** The number of sessions that have a listener. */
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
      this.#onError(error); // the other listeners and the service are not affected
    }
  }
}

/** Each call of `onEnded` has its own object, so that the same function can be registered twice. */
interface Listener {
  readonly call: () => unknown;
}
