/**
 * Contract tests for storage adapters and journals, for any test runner.
 *
 * Guide: [Architecture](../docs/architecture.md).
 *
 * @module
 */

export {
  JOURNAL_CONTRACT_MAX_ENTRIES,
  type JournalContractCase,
  type JournalSubject,
  sessionJournalContract,
} from './testing/session-journal-contract.ts';
export {
  type MovesCase,
  type MovesSubject,
  sessionMovesContract,
} from './testing/session-moves-contract.ts';
export type { ContractCase, Subject } from './testing/session-repository/contract-case.ts';
export { sessionRepositoryContract } from './testing/session-repository-contract.ts';
