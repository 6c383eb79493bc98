import type { SessionId } from '../domain/session-token.ts';

/** Something that happened to a session: ids and names, never a token, a secret or data. */
export type SessionEvent =
  | { readonly type: 'created'; readonly id: SessionId; readonly user: string | undefined }
  | { readonly type: 'rotated'; readonly id: SessionId }
  | { readonly type: 'ended'; readonly id: SessionId; readonly why: EndReason }
  /** A token was presented that a rotation had replaced, after its grace: an old copy, or a stolen one. */
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

/** Hears of what happens to sessions: metrics, an audit log, pages. */
export interface SessionObserver {
  /** Called after the store has acted. It must not throw and is not waited for. */
  notify(event: SessionEvent): void;
}
