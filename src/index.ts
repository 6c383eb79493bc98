/**
 * The session service, its options, observers and errors, and the ports that stores implement. Needs no Redis, no web
 * framework and no container. Stores are in `sojourn/memory` and `sojourn/redis`, the middleware for Hono is in
 * `sojourn/hono`, and sessions for other frameworks are in `sojourn/fetch` and `sojourn/express`.
 *
 * @example
 * ```ts
 * import { SessionService } from 'sojourn';
 * import { MemorySessionRepository } from 'sojourn/memory';
 *
 * const service = new SessionService({ repository: new MemorySessionRepository() });
 * const { token } = await service.create({ cart: '' }, { user: 'ada' });
 * const session = await service.get(token);
 * ```
 *
 * @module
 */
import { nodeSecrets } from './adapters/node/node-secrets.ts';
import { systemClock } from './adapters/node/system-clock.ts';
import { observedRepository } from './domain/observed-repository.ts';
import { SessionService as PureSessionService } from './domain/session-service.ts';
import type { SessionServiceOptions } from './domain/session-service-options.ts';

/** The session service, with the system's clock and Node's cryptography as defaults. */
export class SessionService extends PureSessionService {
  constructor(
    options: Omit<SessionServiceOptions, 'clock' | 'secrets'> & Partial<SessionServiceOptions>,
  ) {
    const repository = observedRepository(options.repository, options.observer);
    super({ clock: systemClock, secrets: nodeSecrets, ...options, repository });
  }
}

export { type CarryOverOptions, carryOver } from './adapters/carry-over/carry-over.ts';
export {
  type MoveProgress,
  type MoveSessionsOptions,
  moveSessions,
} from './adapters/carry-over/move-sessions.ts';
export { AuditLog, type AuditLogOptions } from './adapters/node/audit-log.ts';
export type { Device } from './domain/device.ts';
export { deviceLabel } from './domain/device-label.ts';
export {
  SessionError,
  type SessionErrorCode,
  type StoreFailure,
  StoreUnavailableError,
} from './domain/errors.ts';
export {
  boolean,
  type FieldCodec,
  type FieldCodecs,
  type IntegerCodec,
  type IntegerNames,
  integer,
  json,
  type StandardSchema,
  type TextFields,
  text,
  type ValueOf,
} from './domain/field-codecs.ts';
export type { JournalRetention } from './domain/journal-retention.ts';
export type { JournalFailure } from './domain/journal-writer.ts';
export { observers } from './domain/observers.ts';
export { remainingSeconds, type Session } from './domain/session.ts';
export { SessionEndings, type SessionEndingsOptions } from './domain/session-endings.ts';
export type { FieldValues } from './domain/session-fields.ts';
export type { SessionHistoryOptions } from './domain/session-history.ts';
export type { SessionLimits } from './domain/session-limits.ts';
export {
  defaultPolicy,
  type RememberPolicy,
  type SessionPolicy,
  type SessionPolicyOptions,
} from './domain/session-policy.ts';
export type {
  CreatedSession,
  CreateOptions,
  DeleteAllOptions,
  EndSessionOptions,
  PageOptions,
  RotateOptions,
  SessionServiceOptions,
} from './domain/session-service-options.ts';
export {
  type Credential,
  parseSessionId,
  type SecretHash,
  type SessionId,
  type SessionToken,
} from './domain/session-token.ts';
export type { SessionPage } from './domain/user-sessions.ts';
export type { Clock } from './ports/clock.ts';
export type { Secrets } from './ports/secrets.ts';
export type { JournalEntry, JournalQuery, SessionJournal } from './ports/session-journal.ts';
export type * from './ports/session-moves.ts';
export type {
  EndReason,
  SessionEvent,
  SessionObserver,
  StoreAnswer,
  StoreOperation,
} from './ports/session-observer.ts';
export type * from './ports/session-repository.ts';
export type * from './ports/user-index.ts';
