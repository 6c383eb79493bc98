import type { RedisInspection } from '../adapters/redis/inspect/inspection.ts';
import { StoreUnavailableError } from '../domain/errors.ts';
import { CommandError, EXIT_NOT_FOUND, EXIT_UNAVAILABLE } from './failure.ts';

/**
 * A hint for a command that found nothing: other prefixes that have sessions. `undefined` if there are none, or if this
 * prefix has sessions.
 */
async function elsewhere(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
): Promise<string | undefined> {
  const prefixes = await inspection.prefixes().catch((error: unknown): string[] => {
    if (error instanceof StoreUnavailableError) return []; // only the hint is lost; the command itself has succeeded
    throw error;
  });
  if (prefixes.length === 0 || prefixes.includes(prefix)) return undefined;
  return `no session has the prefix ${prefix}; there are sessions with --prefix ${prefixes.toSorted().join(', ')}`;
}

/**
 * Ends the command with exit code 1 if this prefix has no session but others have some: it is probably a typo, which a
 * script must notice.
 */
export async function refuseWrongPrefix(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
): Promise<void> {
  const hint = await elsewhere(inspection, prefix);
  if (hint !== undefined) throw new CommandError(EXIT_UNAVAILABLE, hint);
}

/** The error to throw if there is no such session. */
export async function notFound(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
  id: string,
): Promise<CommandError> {
  const hint = await elsewhere(inspection, prefix);
  const line = `no session ${prefix}${id}`;
  return new CommandError(EXIT_NOT_FOUND, hint === undefined ? line : `${line}: ${hint}`);
}
