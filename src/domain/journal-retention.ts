import { SessionError } from './errors.ts';
import { isWhole } from './whole-number.ts';

/**
 * How much a journal keeps of each user, and for how long. It is personal data: keep no more than is needed (GDPR,
 * article 5).
 */
export interface JournalRetention {
  /** Days after which an entry is deleted: 1 to 3660. @default 30 */
  readonly keepDays?: number | undefined;
  /** Maximum number of entries per user, 1 to 10000. The newest are kept. @default 500 */
  readonly maxEntries?: number | undefined;
}

export const DEFAULT_KEEP_DAYS = 30;
export const MOST_KEEP_DAYS = 3660;
const DEFAULT_MAX_ENTRIES = 500;
const MOST_MAX_ENTRIES = 10_000;

/** Throws a `SessionError` (`invalid_option`). */
export function checkRetention({
  keepDays = DEFAULT_KEEP_DAYS,
  maxEntries = DEFAULT_MAX_ENTRIES,
}: JournalRetention): { readonly keepMs: number; readonly maxEntries: number } {
  check('keepDays', keepDays, MOST_KEEP_DAYS);
  check('maxEntries', maxEntries, MOST_MAX_ENTRIES);
  return { keepMs: keepDays * 24 * 3600 * 1000, maxEntries };
}

function check(name: string, value: number, most: number): void {
  if (isWhole(value, 1, most)) return;
  throw new SessionError(
    'invalid_option',
    `${name} must be a whole number from 1 to ${most}, not ${String(value)}.`,
  );
}
