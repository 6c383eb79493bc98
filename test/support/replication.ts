import { askRedis } from './ask-redis.ts';
import type { RedisServer } from './redis-server.ts';

/** Arguments for servers that replicate: a replica is in sync, and is known to be, within about a second. */
export const replicationDefaults: readonly string[] = [
  ...['--repl-diskless-sync-delay', '0'],
  ...['--repl-ping-replica-period', '1'],
];

export async function isPrimary(server: RedisServer): Promise<boolean> {
  return /^role:master/m.test(await replication(server));
}

/**
 * Whether the replica takes part in what its primary does, which is one of `servers`. Its own word that the link is up
 * comes too early: the primary sends nothing until it has heard from the replica once more.
 */
export async function inSync(
  replica: RedisServer,
  servers: readonly RedisServer[],
): Promise<boolean> {
  const own = await replication(replica);
  const port = /^master_port:(\d+)/m.exec(own)?.[1];
  const primary = servers.find((server) => server.port === Number(port));
  if (primary === undefined || !/^master_link_status:up/m.test(own)) return false;
  const heard = new RegExp(`^slave\\d+:.*port=${replica.port},state=online,offset=[1-9]`, 'm');
  return heard.test(await replication(primary));
}

async function replication(server: RedisServer): Promise<string> {
  return String(await askRedis(server, 'info replication', { timeoutMs: 2000 })); // it may be frozen
}
