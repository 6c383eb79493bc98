import { type ScanOptions, scanSessions } from './scan-sessions.ts';

/**
 * How many sessions are alive, by walking through all keys: one command for each page, with rests in between. Good
 * to a few: sessions that come and go meanwhile, one seen twice while Redis enlarges its table, and for a minute the
 * marks of sessions that were ended before they were written.
 */
export async function countSessions(options: ScanOptions): Promise<number> {
  let sessions = 0;
  for await (const page of scanSessions(options)) sessions += page.length;
  return sessions;
}
