import type { FoundPrefixes } from '../adapters/redis/inspect/find-prefixes.ts';
import type { RedisInspection } from '../adapters/redis/inspect/inspection.ts';
import { StoreUnavailableError } from '../domain/errors.ts';
import { CommandError, EXIT_NOT_FOUND, EXIT_UNAVAILABLE } from './failure.ts';
import { number } from './format.ts';
import type { Terminal } from './terminal.ts';

type Prefixes = Pick<RedisInspection, 'prefixes'>;

const NOTHING: FoundPrefixes = { prefixes: [], complete: true, maxKeys: 0 };

const inPart = ({ maxKeys }: FoundPrefixes) =>
  `only about ${number(maxKeys)} of all keys were looked at`;
const noneFound = (found: FoundPrefixes) =>
  `no sessions were found under other prefixes; ${inPart(found)}`;

/**
 * A hint for a command that found nothing: other prefixes that have sessions. `undefined` if there are none, or if this
 * prefix has sessions.
 */
function elsewhere(found: FoundPrefixes, prefix: string): string | undefined {
  const { prefixes, complete } = found;
  if (prefixes.length === 0 || prefixes.includes(prefix)) return undefined;
  const places = prefixes.toSorted().join(', ');
  return complete
    ? `no session has the prefix ${prefix}; there are sessions with --prefix ${places}`
    : `no session was found with the prefix ${prefix}; there are sessions with --prefix ${places}, and perhaps others: ${inPart(found)}`;
}

/**
 * Ends the command with exit code 1 if this prefix has no session but others have some: it is probably a typo, which a
 * script must notice. If there are too many keys to scan all of them, and no session among those that were, it says so
 * on stderr.
 */
export async function refuseWrongPrefix(
  inspection: Prefixes,
  prefix: string,
  terminal: Pick<Terminal, 'note'>,
): Promise<void> {
  const found = await look(inspection);
  const hint = elsewhere(found, prefix);
  if (hint !== undefined) throw new CommandError(EXIT_UNAVAILABLE, hint);
  if (foundNothing(found)) terminal.note(noneFound(found));
}

/** The error to throw if there is no such session. */
export async function notFound(
  inspection: Prefixes,
  prefix: string,
  id: string,
): Promise<CommandError> {
  const found = await look(inspection);
  const hint = elsewhere(found, prefix) ?? (foundNothing(found) ? noneFound(found) : undefined);
  const line = `no session ${prefix}${id}`;
  return new CommandError(EXIT_NOT_FOUND, hint === undefined ? line : `${line}: ${hint}`);
}

/** Finds the prefixes. If Redis fails, only the hint is lost, because the command itself has succeeded. */
async function look(inspection: Prefixes): Promise<FoundPrefixes> {
  return inspection.prefixes().catch((error: unknown) => {
    if (error instanceof StoreUnavailableError) return NOTHING;
    throw error;
  });
}

function foundNothing({ prefixes, complete }: FoundPrefixes): boolean {
  return prefixes.length === 0 && !complete;
}
