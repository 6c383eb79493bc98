import type { ForeignSession } from './foreign-session.ts';

/** What a session held when a request loaded or saved it: whatever differs afterwards is that request's own change. */
export interface LoadedFields {
  readonly sid: string;
  readonly fields: Readonly<Record<string, string>>;
  /** Seconds. */
  readonly ttl: number;
  /** This very object began the session, and nobody has said yet whose it is. */
  readonly ownerless: boolean;
}

const MARK = '__sojourn';

/**
 * Remembers what each session object was loaded with. @fastify/session copies the data into an object of its own and tells
 * nobody, so the memory travels with the data. It copies with `for...in`, which alone sees a property of the prototype:
 * to `Object.keys`, to JSON and to whoever spreads or compares the data there is none.
 */
export class LoadedSessions {
  readonly #loaded = new WeakMap<object, LoadedFields>();

  remember(session: object, loaded: LoadedFields): void {
    this.#loaded.set(session, loaded);
  }

  /** As if the session had never been in the store. */
  forget(session: object): void {
    this.#loaded.delete(session);
    const mark = (session as MarkedSession)[MARK];
    if (isObject(mark)) this.#loaded.delete(mark);
  }

  /** The data with the memory behind it, for whoever copies it. */
  marked<Session extends object>(data: Session, loaded: LoadedFields): Session {
    const mark = Object.create({ toJSON: () => undefined });
    const session = Object.assign(Object.create({ [MARK]: mark }), data);
    this.#loaded.set(mark, loaded);
    this.#loaded.set(session, loaded);
    return session;
  }

  /** For whoever tells which object the data was copied into. */
  move(from: object, to: object): void {
    const loaded = this.#loaded.get(from);
    if (loaded !== undefined) this.#loaded.set(to, loaded);
  }

  /** `undefined` for a session that never was in the store, as far as this object knows. */
  of(session: ForeignSession, sid: string): LoadedFields | undefined {
    const mark = (session as MarkedSession)[MARK];
    const loaded =
      this.#loaded.get(session) ?? (isObject(mark) ? this.#loaded.get(mark) : undefined);
    return loaded?.sid === sid ? loaded : undefined; // a mark copied into another session says nothing of it
  }
}

/** The data for somebody who copies it with `for...in` and needs no memory, because of `move`: a hidden property covers the prototype's. */
export function withoutMark<Session extends object>(session: Session): Session {
  return Object.defineProperty(session, MARK, { value: undefined, configurable: true });
}

interface MarkedSession {
  [MARK]?: unknown;
}

// A tool may have set anything under that name.
function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
