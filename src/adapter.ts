/**
 * Building blocks for your own storage adapter: the rules of the storage port as pure functions from what is stored to
 * the answer and what is to be stored next, the codec of a session's record, and the counting of limits. The contract
 * tests are in `sojourn/testing`.
 *
 * Guide: [Storage adapters](../docs/adapters.md).
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
