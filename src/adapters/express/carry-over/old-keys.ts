import type { PaceOptions } from '../../../domain/pace.ts';

/**
 * The keys of another store, each of which holds a session of express-session as one text. Plain servers of that store get,
 * set and delete them and know nothing of this. A key can be frozen, which is something else to them than a text: they
 * neither read it nor take it for missing.
 *
 * Each call is one atomic step on one key.
 */
export interface OldKeys {
  /** The text, also of a session that is frozen; `undefined` where there is none, or where it was released. */
  read(sid: string): Promise<OldText | undefined>;

  /** Writes a text where there is nothing. Milliseconds until it ends; `undefined` for never. */
  create(sid: string, text: string, endsInMs: number | undefined): Promise<boolean>;

  /** Writes another text in the place of that one; `changed` where the key holds another, `undefined` where it holds none that is in use. */
  replace(
    sid: string,
    expected: string,
    text: string,
    endsInMs: number | undefined,
  ): Promise<true | 'changed' | undefined>;

  /** Has a text that is in use end in so many milliseconds. */
  expire(sid: string, endsInMs: number): Promise<boolean>;

  /** Removes a text, whether in use or frozen; `undefined` where there is none. Removes what a release has left, too. */
  remove(sid: string): Promise<'open' | 'frozen' | undefined>;

  /**
   * Freezes a text, and answers it; one that is frozen already is answered once more. With `resume` one that is in use stays
   * so: `open`. As `SessionMoves.freeze`.
   */
  freeze(
    sid: string,
    options: { readonly resume: boolean },
  ): Promise<FrozenText | { readonly claim: string } | 'open' | undefined>;

  /** Has a frozen text last so many milliseconds at least. False where that is not its freeze any more. */
  keep(sid: string, freeze: string, ms: number): Promise<boolean>;

  /** As `SessionMoves.release`. */
  release(sid: string, claim: string): Promise<boolean>;

  /** As `SessionMoves.unfreeze`. */
  unfreeze(sid: string, claim: string): Promise<boolean>;

  /** Removes what the release to that claim has left. */
  discard(sid: string, claim: string): Promise<void>;

  /** The store's clock, in milliseconds since 1970. */
  now(): Promise<number>;

  /** The session ids of all keys, in pages, with rests for others; also of keys that hold something else. An id may come twice. */
  scan(pace?: PaceOptions): AsyncIterable<readonly string[]>;
}

/** What a key holds. */
export interface OldText {
  readonly text: string;
  /** Milliseconds until it ends; `undefined` for never. */
  readonly remainingMs: number | undefined;
  readonly frozen: boolean;
}

/** What a key held when it was frozen. */
export interface FrozenText extends Omit<OldText, 'frozen'> {
  /** How claims of this freeze begin. */
  readonly freeze: string;
  /** The store's clock, in milliseconds since 1970. */
  readonly now: number;
}
