import { StoreUnavailableError } from '../../domain/errors.ts';
import { parseSessionId, type SessionId } from '../../domain/session-token.ts';
import { isTexts, notUnderstood } from './answers.ts';
import { commandsOf, type RedisClient } from './clients/tell-apart.ts';
import { RedisSessionRepository } from './redis-session-repository.ts';

const ID_CHARACTERS = 22;
const PAGE_SIZE = 500;
const MAX_PAGES = 200;
const MAX_PREFIXES = 10;
/** Of keys with one prefix that look like a session's: enough to pass over those that end meanwhile. */
const MAX_TRIES = 3;

/**
 * Prefixes, ten at most, under which there are sessions: for whoever looked under the wrong one. It looks at 100,000 keys
 * of each server at most, and passes over what the user of this client may not read. Rejects with `StoreUnavailableError`.
 */
export async function findPrefixes(client: RedisClient): Promise<string[]> {
  const found = new Set<string>();
  const tries = new Map<string, number>();
  for (const server of await commandsOf(client).primaries()) {
    let cursor = '0';
    for (let page = 0; page < MAX_PAGES; page += 1) {
      const answer = await server.command('SCAN', [cursor, 'COUNT', PAGE_SIZE, 'TYPE', 'hash']);
      const [next, keys] = Array.isArray(answer) ? answer : [];
      if (typeof next !== 'string' || !isTexts(keys)) throw notUnderstood(answer);
      for (const key of keys) {
        const prefix = key.slice(0, -ID_CHARACTERS);
        const id = parseSessionId(key.slice(-ID_CHARACTERS));
        const tried = tries.get(prefix) ?? 0;
        if (id === undefined || prefix === '' || found.has(prefix) || tried === MAX_TRIES) continue;
        tries.set(prefix, tried + 1);
        if (await isSession(client, prefix, id)) found.add(prefix);
        if (found.size === MAX_PREFIXES) return [...found];
      }
      cursor = next;
      if (cursor === '0') break;
    }
  }
  return [...found];
}

async function isSession(client: RedisClient, prefix: string, id: SessionId): Promise<boolean> {
  try {
    const repository = new RedisSessionRepository({ client, prefix });
    return (await repository.find(id)) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError && error.outcome === 'refused') return false; // not ours to read
    throw error;
  }
}
