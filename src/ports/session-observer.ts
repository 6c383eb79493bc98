import type { SessionId } from '../domain/session-token.ts';
import type { IncrementRefusal, LimitRefusal, SessionRepository } from './session-repository.ts';
import type { UserIndex } from './user-index.ts';

/** Something that happened to a session: ids and names, never a token, a secret or data. */
export type SessionEvent =
  | { readonly type: 'created'; readonly id: SessionId; readonly user: string | undefined }
  | { readonly type: 'rotated'; readonly id: SessionId; readonly user?: string | undefined }
  | {
      readonly type: 'ended';
      readonly id: SessionId;
      readonly why: EndReason;
      /** Whose session it was, where that is known: not of one that ran out. */
      readonly user?: string | undefined;
      /** `JournalEntry.by`: who ended it, where that is known. */
      readonly by?: string | undefined;
    }
  /**
   * The store announced that the session is not there any more: it was ended here or elsewhere. Every process that
   * watches is told, beside the one that has ended it and was told `ended`. So it is nothing to count or to keep, but the
   * moment to close what depends on the session: `SessionEndings`.
   */
  | { readonly type: 'gone'; readonly id: SessionId }
  /** A token was presented that one of the last nine rotations had replaced, after its grace: an old copy, or a stolen one. */
  | { readonly type: 'reused'; readonly id: SessionId }
  /** A well-formed token opened nothing: its session has ended, or never was, or the secret is wrong. */
  | { readonly type: 'refused'; readonly id: SessionId };

/**
 * - `logout`: by its own token
 * - `revoked`: by its id, or with all of its user's sessions
 * - `evicted`: the oldest, for a new one beyond the limit
 * - `reused`: because a replaced token came back
 * - `expired`: it ran out; only where the store announces that, and as a best effort
 */
export type EndReason = 'logout' | 'revoked' | 'evicted' | 'reused' | 'expired';

/** What the store is asked for: a call of its port. Ids, never a credential or data. */
export interface StoreOperation {
  readonly name: Exclude<keyof SessionRepository, 'users'> | `users.${keyof UserIndex}`;
  /** Whose session it is about; `undefined` where it is about none or about several. */
  readonly id: SessionId | undefined;
}

/**
 * How the store answered.
 *
 * - `ok`: it did or found what it was asked for
 * - `absent`: there was no such session, or the credential did not open it
 * - `reused`: the credential is one that a rotation replaced
 * - `conflict`: somebody else was faster: a compare-and-set that met another value, a rotation that came second
 * - `refused`: a limit or a taken id; nothing was changed, and `code` says why where there is a code
 * - `undurable`: it was done, and too few replicas confirmed it in time
 * - `failed`: the store failed, or what was done durably did; `error` is what was thrown
 */
export type StoreAnswer =
  | { readonly outcome: 'ok' | 'absent' | 'reused' | 'conflict' | 'undurable' }
  | { readonly outcome: 'refused'; readonly code: LimitRefusal | IncrementRefusal | undefined }
  | { readonly outcome: 'failed'; readonly error: unknown };

/** Hears of what happens to sessions, and of the store's work if it wants to: metrics, spans, an audit log, pages. */
export interface SessionObserver {
  /** Called after the store has acted. It must not throw and is not waited for. */
  notify(event: SessionEvent): void;

  /**
   * Called as the store is about to be asked, in the context of whoever causes it; what this answers is called once, when
   * the store has answered or failed. Neither may throw, and neither is waited for. Without this method the store's work
   * is not observed, which costs nothing.
   */
  storeAsked?(operation: StoreOperation): (answer: StoreAnswer) => void;
}
