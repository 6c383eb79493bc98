import { StoreUnavailableError } from '../../../domain/errors.ts';
import { Pace } from '../../../domain/pace.ts';
import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { RedisSessionRepository } from '../redis-session-repository.ts';
import { SCAN_PAGE_SIZE, scan } from './scan-sessions.ts';

const ID_CHARACTERS = 22;
const MAX_PAGES = 1000;
/** About: Redis decides how many keys a page has. */
const MAX_KEYS = SCAN_PAGE_SIZE * MAX_PAGES;
const MAX_PREFIXES = 10;
/**
 * How many keys are tried that look like a session's, per prefix and in all. Some end meanwhile, and some are something
 * else.
 */
const MAX_TRIES = 3;
const MAX_ALL_TRIES = 1000;

/** Prefixes under which there are sessions. */
export interface FoundPrefixes {
  readonly prefixes: readonly string[];
  /** True if every key was scanned. Otherwise other prefixes may have sessions as well. */
  readonly complete: boolean;
  /** How many keys are scanned at most, about. */
  readonly maxKeys: number;
}

/**
 * Up to ten prefixes that have sessions, for an operator who used the wrong one. Scans about 100,000 keys at most, and skips those that the Redis user may not read. Rejects with `StoreUnavailableError`.
 */
export async function findPrefixes(client: RedisClient): Promise<FoundPrefixes> {
  const found = new Set<string>();
  const tries = new Map<string, number>();
  let [pages, allTries] = [0, 0];
  for await (const keys of scan(commandsOf(client), '', 'hash', SCAN_PAGE_SIZE, new Pace())) {
    for (const key of keys) {
      const prefix = key.slice(0, -ID_CHARACTERS);
      const id = parseSessionId(key.slice(-ID_CHARACTERS));
      const tried = tries.get(prefix) ?? 0;
      if (id === undefined || prefix === '' || found.has(prefix) || tried === MAX_TRIES) continue;
      tries.set(prefix, tried + 1);
      allTries += 1;
      if (await isSession(client, prefix, id)) found.add(prefix);
      if (found.size > MAX_PREFIXES || allTries === MAX_ALL_TRIES) return cutShort(found);
    }
    pages += 1;
    if (pages > MAX_PAGES) return cutShort(found);
  }
  return { prefixes: [...found], complete: true, maxKeys: MAX_KEYS };
}

function cutShort(found: ReadonlySet<string>): FoundPrefixes {
  return { prefixes: [...found].slice(0, MAX_PREFIXES), complete: false, maxKeys: MAX_KEYS };
}

async function isSession(client: RedisClient, prefix: string, id: SessionId): Promise<boolean> {
  try {
    const repository = new RedisSessionRepository({ client, prefix });
    return (await repository.find(id)) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError && error.outcome === 'refused') return false; // no permission to read it
    throw error;
  }
}
