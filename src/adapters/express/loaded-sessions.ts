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
 * nobody, so the memory travels with the data: as a property that JSON leaves out.
 */
export class LoadedSessions {
  readonly #loaded = new WeakMap<object, LoadedFields>();

  remember(session: object, loaded: LoadedFields): void {
    this.#loaded.set(session, loaded);
  }

  /** Puts the memory into the data, for whoever copies it. */
  mark(session: ForeignSession, loaded: LoadedFields): void {
    const mark = Object.create({ toJSON: () => undefined });
    this.#loaded.set(mark, loaded);
    this.#loaded.set(session, loaded);
    (session as MarkedSession)[MARK] = mark;
  }

  /** For whoever tells which object the data was copied into. */
  move(from: object, to: object): void {
    const loaded = this.#loaded.get(from);
    if (loaded !== undefined) this.#loaded.set(to, loaded);
  }

  /** `undefined` for a session that never was in the store, as far as this object knows. */
  of(session: ForeignSession, sid: string): LoadedFields | undefined {
    const mark = (session as MarkedSession)[MARK];
    const loaded = this.#loaded.get(session) ?? (mark && this.#loaded.get(mark));
    return loaded?.sid === sid ? loaded : undefined; // a mark copied into another session says nothing of it
  }
}

/** The data without the property, which `move` makes superfluous. */
export function withoutMark<Session extends object>(session: Session): Session {
  delete (session as MarkedSession)[MARK];
  return session;
}

interface MarkedSession {
  [MARK]?: object;
}
