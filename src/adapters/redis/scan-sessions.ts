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
  // Only hashes: a user's index is none.
  for await (const rests of scan(client, prefix, 'hash', pageSize)) {
    yield rests.flatMap((rest) => parseSessionId(rest) ?? []);
  }
}

/**
 * The users that have an index, in the same way. Where sessions ran out by themselves it outlives them, by their lifetime
 * at most.
 */
export function scanUsers({
  client,
  prefix = 'session:',
  pageSize = 1000,
}: ScanOptions): AsyncGenerator<string[]> {
  return scan(client, `${prefix}user:`, 'zset', pageSize);
}

/** What stands behind the prefix in the names of all keys of that type. */
async function* scan(
  client: Redis | Cluster,
  prefix: string,
  type: 'hash' | 'zset',
  pageSize: number,
): AsyncGenerator<string[]> {
  const match = `${prefix.replace(/[\\?*[\]]/g, '\\$&')}*`;
  for (const node of client instanceof Cluster ? client.nodes('master') : [client]) {
    let cursor = '0';
    do {
      const page = node.scan(cursor, 'MATCH', match, 'COUNT', pageSize, 'TYPE', type);
      const [next, keys] = await page.catch((error) => {
        throw storeUnavailable(error);
      });
      cursor = next;
      yield keys.map((key) => key.slice(prefix.length));
    } while (cursor !== '0');
  }
}
