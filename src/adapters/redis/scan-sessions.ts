import { Cluster, type Redis } from 'ioredis';
import { parseSessionId, type SessionId } from '../../domain/session-token.ts';
import { storeUnavailable } from './redis-errors.ts';

/** Which sessions to walk through, and how fast. */
export interface ScanOptions {
  readonly client: Redis | Cluster;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  /** About how many keys Redis looks at for each page. Default 1000. */
  readonly pageSize?: number;
}

/**
 * The ids of all sessions, page by page, on every master of a cluster. For tools only: it walks through the whole key
 * space, though never for long at a time. A session that comes or goes meanwhile may be missed, and an id may come
 * twice. A page may be empty.
 */
export async function* scanSessions({
  client,
  prefix = 'session:',
  pageSize = 1000,
}: ScanOptions): AsyncGenerator<SessionId[]> {
  const match = `${prefix.replace(/[\\?*[\]]/g, '\\$&')}*`;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      const [next, keys] = await scan(node, cursor, match, pageSize);
      cursor = next;
      yield keys.flatMap((key) => parseSessionId(key.slice(prefix.length)) ?? []);
    } while (cursor !== '0');
  }
}

async function scan(
  node: Redis,
  cursor: string,
  match: string,
  count: number,
): Promise<[cursor: string, keys: string[]]> {
  try {
    // Only hashes: a user's index is none.
    return await node.scan(cursor, 'MATCH', match, 'COUNT', count, 'TYPE', 'hash');
  } catch (error) {
    throw storeUnavailable(error);
  }
}
