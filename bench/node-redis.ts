import { createClient } from 'redis';

/** The same client, with the same options, for all contenders on node-redis: as docs/redis-clients.md recommends. */
export async function openNodeRedis(url: string) {
  const client = createClient({ url, disableOfflineQueue: true });
  await client.connect();
  return client;
}
