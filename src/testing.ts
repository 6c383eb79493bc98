/** What every storage adapter has to prove, for any test runner. */
export {
  type ContractCase,
  type Subject,
  sessionRepositoryContract,
} from './testing/session-repository-contract.ts';
