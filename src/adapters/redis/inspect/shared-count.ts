import { StoreUnavailableError } from '../../../domain/errors.ts';
import { toInteger } from '../answers.ts';
import type { RedisCommands } from '../clients/redis-commands.ts';
import { commandsOf } from '../clients/tell-apart.ts';
import { countSessions } from './count-sessions.ts';
import { type ScanOptions, scanSessions } from './scan-sessions.ts';

/** Which sessions to count, and how often. */
export interface ShareCountOptions extends ScanOptions {
  /** How long a count is considered recent, in milliseconds. @default 60000 */
  readonly everyMs?: number;
}

/** A number of sessions, and how long ago they were counted. */
export interface SharedCount {
  readonly sessions: number;
  /** Age of the count, in milliseconds. */
  readonly ageMs: number;
}

/** A process that counts and does not renew its lease for this long is considered dead, and another one counts. */
const LEASE_MS = 10_000;

/**
 * The minimum time from one count to the next, as a multiple of its duration. With the pauses within a count, counting
 * takes a twentieth of Redis' time.
 */
const REST = 6;

/** The expiry of a stored count; what is left of it gives the age. */
const KEEP_MS = 24 * 3600 * 1000;

/**
 * Returns a function that gives the number of live sessions, counted by one process for all that share the Redis and
 * the prefix. The count is stored at `<prefix>count`, and the process that counts holds `<prefix>count:lease`. The
 * function returns the stored count at once, unless it is this process' turn to count; `undefined` if nobody has
 * counted yet. If Redis does not permit these keys or is out of memory, the process counts for itself and returns a
 * plain number.
 *
 * @example
 * ```ts
 * const metrics = new SessionMetrics({ countSessions: shareCount({ client }) });
 * ```
 */
export function shareCount({
  everyMs = 60_000,
  ...scan
}: ShareCountOptions): () => Promise<SharedCount | number | undefined> {
  const commands = commandsOf(scan.client);
  const key = `${scan.prefix ?? 'session:'}count`;
  return async () => {
    try {
      const isNew = (count: SharedCount | undefined) =>
        count !== undefined && count.ageMs < everyMs;
      const known = await readCount(commands, key);
      if (isNew(known)) return known;
      const lease = await takeLease(commands, `${key}:lease`);
      if (lease === undefined) return known;
      const latest = await readCount(commands, key); // another process may have counted meanwhile
      if (isNew(latest)) return latest;
      return (await countFor(scan, commands, key, lease)) ?? latest;
    } catch (error) {
      if (!isForbidden(error)) throw error;
      return countSessions(scan);
    }
  };
}

interface Lease {
  /** False if another process has the lease by now. */
  renew(ms: number): Promise<boolean>;
}

async function takeLease(commands: RedisCommands, key: string): Promise<Lease | undefined> {
  const holder = crypto.randomUUID();
  const taken = await commands.command('SET', key, [holder, 'NX', 'PX', LEASE_MS]);
  if (taken !== 'OK') return undefined;
  return {
    async renew(ms) {
      if ((await commands.command('GET', key, [])) !== holder) return false;
      return (await commands.command('PEXPIRE', key, [Math.ceil(ms)])) === 1;
    },
  };
}

/** Counts for all processes; `undefined` if another one has begun to count meanwhile. */
async function countFor(
  scan: ScanOptions,
  commands: RedisCommands,
  key: string,
  lease: Lease,
): Promise<SharedCount | undefined> {
  const beganAt = performance.now();
  let renewedAt = beganAt;
  let sessions = 0;
  for await (const page of scanSessions(scan)) {
    sessions += page.length;
    if (performance.now() - renewedAt < LEASE_MS / 3) continue;
    renewedAt = performance.now();
    if (!(await lease.renew(LEASE_MS))) return undefined;
  }
  await commands.command('SET', key, [sessions, 'PX', KEEP_MS]);
  await lease.renew(1 + (performance.now() - beganAt) * REST);
  return { sessions, ageMs: 0 };
}

async function readCount(commands: RedisCommands, key: string): Promise<SharedCount | undefined> {
  const [left, text] = await Promise.all([
    commands.command('PTTL', key, []),
    commands.command('GET', key, []),
  ]);
  const [leftMs, sessions] = [toInteger(left), toInteger(text)];
  if (sessions === undefined || leftMs === undefined || leftMs < 0) return undefined;
  return { sessions, ageMs: Math.max(0, KEEP_MS - leftMs) };
}

function isForbidden(error: unknown): boolean {
  return error instanceof StoreUnavailableError && ['denied', 'full'].includes(error.failure);
}
