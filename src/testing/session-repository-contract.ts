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
 * Everything that a session repository must do, as test cases for any test runner. The cases share only the repository
 * and its clock: see `Subject.elapse`. docs/adapters.md shows how to write a repository.
 *
 * @example
 * ```ts
 * import { setTimeout as sleep } from 'node:timers/promises';
 *
 * describe('my store', () => {
 *   const subject = { repository: new MyRepository(), elapse: (ms: number) => sleep(ms) };
 *   for (const { name, run } of sessionRepositoryContract) it(name, () => run(subject));
 * });
 * ```
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
