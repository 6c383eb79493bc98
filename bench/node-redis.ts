import { createClient } from 'redis';

/** The same client, with the same options, for everybody that works on node-redis. */
export async function openNodeRedis(url: string) {
  const client = createClient({ url });
  await client.connect();
  return client;
}
