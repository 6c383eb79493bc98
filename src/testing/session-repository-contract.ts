import type { ContractCase } from './session-repository/contract-case.ts';
import { creating } from './session-repository/creating.ts';
import { durability } from './session-repository/durability.ts';
import { ending } from './session-repository/ending.ts';
import { incrementing } from './session-repository/incrementing.ts';
import { readingAndExpiry } from './session-repository/reading-and-expiry.ts';
import { replacingAndTaking } from './session-repository/replacing-and-taking.ts';
import { rotating } from './session-repository/rotating.ts';
import { updating } from './session-repository/updating.ts';
import { userIndex } from './session-repository/user-index.ts';

/**
 * What every storage adapter promises, as tests that need no test runner: register each case with yours. The cases
 * share nothing but the repository and its clock (`Subject.elapse` says what that means). docs/adapters.md shows how.
 */
export const sessionRepositoryContract: readonly ContractCase[] = [
  ...creating,
  ...readingAndExpiry,
  ...updating,
  ...incrementing,
  ...replacingAndTaking,
  ...ending,
  ...userIndex,
  ...rotating,
  ...durability,
];
