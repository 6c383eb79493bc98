/**
 * What every storage adapter has to prove, for any test runner.
 *
 * @module
 */

export {
  type MovesCase,
  type MovesSubject,
  sessionMovesContract,
} from './testing/session-moves-contract.ts';
export {
  type ContractCase,
  type Subject,
  sessionRepositoryContract,
} from './testing/session-repository-contract.ts';
