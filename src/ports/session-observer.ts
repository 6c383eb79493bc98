import type { SessionId } from '../domain/session-token.ts';
import type { IncrementRefusal, LimitRefusal, SessionRepository } from './session-repository.ts';
import type { UserIndex } from './user-index.ts';

/** An event in the life of a session. It contains ids and user names, never a token, a secret or session data. */
export type SessionEvent =
  | { readonly type: 'created'; readonly id: SessionId; readonly user: string | undefined }
  | { readonly type: 'rotated'; readonly id: SessionId; readonly user?: string | undefined }
  | {
      readonly type: 'ended';
      readonly id: SessionId;
      readonly why: EndReason;
      /** Owner of the session, if known. Unknown if the session expired. */
      readonly user?: string | undefined;
      /** `JournalEntry.by`: who ended the session, if known. */
      readonly by?: string | undefined;
    }
  /**
   * The store announced that the session no longer exists; it was ended by this process or by another. Every process
   * that watches gets this event, and the one that ended the session also gets `ended`. Do not count or log it: use it
   * to close what depends on the session, as `SessionEndings` does.
   */
  | { readonly type: 'gone'; readonly id: SessionId }
  /**
   * Somebody presented a token that one of the last nine rotations had replaced, after its grace: an old copy or a
   * stolen one.
   */
  | { readonly type: 'reused'; readonly id: SessionId }
  /** A well-formed token opened nothing: the session has ended or never existed, or the secret is wrong. */
  | { readonly type: 'refused'; readonly id: SessionId };

/**
 * Why a session ended.
 *
 * - `logout`: a request with the session's own token ended it
 * - `revoked`: it was ended by its id, or with all sessions of its user
 * - `evicted`: it was the user's oldest session and made room for a new one
 * - `reused`: a replaced token was used again
 * - `expired`: its time ran out; known only if the store announces it, on a best-effort basis
 */
export type EndReason = 'logout' | 'revoked' | 'evicted' | 'reused' | 'expired';

/** A call to the store: a method of its port. It contains ids, never a credential or session data. */
export interface StoreOperation {
  /** The method of the port, such as `access` or `users.add`. */
  readonly name: Exclude<keyof SessionRepository, 'users'> | `users.${keyof UserIndex}`;
  /** The session concerned; `undefined` if the call is about none or about several. */
  readonly id: SessionId | undefined;
}

/**
 * How the store answered.
 *
 * - `ok`: it did or found what was asked for
 * - `absent`: there is no such session, or the credential does not open it
 * - `reused`: the credential was replaced by a rotation
 * - `conflict`: another caller was faster: a compare-and-set found another value, or a rotation came second
 * - `refused`: a limit would be exceeded or the id is taken; nothing was changed. `code` gives the reason if there is a
 *   code for it.
 * - `undurable`: the work was done, but too few replicas confirmed it in time
 * - `failed`: the store failed, or the function passed to `durably` did; `error` is what was thrown
 */
export type StoreAnswer =
  | { readonly outcome: 'ok' | 'absent' | 'reused' | 'conflict' | 'undurable' }
  | { readonly outcome: 'refused'; readonly code: LimitRefusal | IncrementRefusal | undefined }
  | { readonly outcome: 'failed'; readonly error: unknown };

/** Receives session events, and optionally every call to the store. For metrics, spans, an audit log or live pages. */
export interface SessionObserver {
  /** Called after the store has acted. It must not throw, and nobody awaits it. */
  notify(event: SessionEvent): void;

  /**
   * Called just before a call to the store, in the caller's context. The function that it returns is called once, when
   * the store has answered or failed. Neither may throw, and neither is awaited. Without this method calls to the store
   * are not observed, at no cost.
   */
  storeAsked?(operation: StoreOperation): (answer: StoreAnswer) => void;
}
