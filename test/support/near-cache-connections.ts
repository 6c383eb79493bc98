import { askRedis } from './ask-redis.ts';
import type { RedisServer } from './redis-server.ts';

/** The ids of the connections that near caches read by: Redis tracks them. */
export async function readersOn(server: RedisServer): Promise<readonly string[]> {
  const clients = String(await askRedis(server, 'client list')).split('\n');
  return clients.flatMap((line) => /^id=(\d+) .* flags=\w*t/.exec(line)?.[1] ?? []);
}

/** Ends the connections that near caches read by. */
export async function killReaders(server: RedisServer): Promise<void> {
  for (const id of await readersOn(server)) await askRedis(server, `client kill id ${id}`);
}
