import type { RedisInspection } from '../adapters/redis/inspect/inspection.ts';
import { StoreUnavailableError } from '../domain/errors.ts';
import { CommandError, EXIT_NOT_FOUND, EXIT_UNAVAILABLE } from './failure.ts';

/**
 * Where sessions are, for whoever found nothing: other prefixes under which there are some. `undefined` where there are
 * none, or some under this one.
 */
async function elsewhere(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
): Promise<string | undefined> {
  const prefixes = await inspection.prefixes().catch((error: unknown): string[] => {
    if (error instanceof StoreUnavailableError) return []; // a hint less; what was asked for has been answered
    throw error;
  });
  if (prefixes.length === 0 || prefixes.includes(prefix)) return undefined;
  return `no session has the prefix ${prefix}; with --prefix, sessions are at ${prefixes.toSorted().join(', ')}`;
}

/**
 * Ends the command with 1 where nothing was found because no session has this prefix, and others are there: a typo, which a
 * script must notice.
 */
export async function refuseWrongPrefix(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
): Promise<void> {
  const hint = await elsewhere(inspection, prefix);
  if (hint !== undefined) throw new CommandError(EXIT_UNAVAILABLE, hint);
}

/** To be thrown where there is no such session. */
export async function notFound(
  inspection: Pick<RedisInspection, 'prefixes'>,
  prefix: string,
  id: string,
): Promise<CommandError> {
  const hint = await elsewhere(inspection, prefix);
  const line = `no session ${prefix}${id}`;
  return new CommandError(EXIT_NOT_FOUND, hint === undefined ? line : `${line}: ${hint}`);
}
