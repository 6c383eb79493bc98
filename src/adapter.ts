/**
 * For custom storage adapters: the rules of the storage port as pure functions, which compute from what the store holds
 * what a call returns and what the store holds next; the codec of a session's record; and the counting of limits.
 * docs/adapters.md is the guide, and `sojourn/testing` has the contract.
 *
 * @module
 */
export { exceededLimit } from './domain/session-fields.ts';
export { decodeSession, isReserved, newRecord } from './domain/session-record.ts';
export {
  accessStep,
  createStep,
  deleteStep,
  endStep,
  findStep,
  incrementStep,
  readStep,
  replaceStep,
  rotateStep,
  type Step,
  setTtlStep,
  takeStep,
  updateStep,
} from './domain/session-steps.ts';
export type { StoredSession } from './domain/stored-session.ts';
