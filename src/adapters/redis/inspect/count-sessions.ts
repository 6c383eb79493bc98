import { type ScanOptions, scanSessions } from './scan-sessions.ts';

/**
 * Counts the live sessions by scanning all keys, with a command per page and pauses in between. The result may be off
 * by a few: sessions that start or end meanwhile, one that is seen twice while Redis resizes its table, and for a
 * minute the marks of sessions that were ended before they were written.
 *
 * @throws `StoreUnavailableError`
 *
 * @example
 * ```ts
 * const sessions = await countSessions({ client });
 * ```
 */
export async function countSessions(options: ScanOptions): Promise<number> {
  let sessions = 0;
  for await (const page of scanSessions(options)) sessions += page.length;
  return sessions;
}
