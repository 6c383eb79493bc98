import { Cluster, type Redis, type RedisOptions } from 'ioredis';
import type { Durability } from '../../ports/session-repository.ts';
import { refuseOnReplicas } from './connect-redis.ts';
import { storeUnavailable } from './redis-errors.ts';

/**
 * KEYS[1]: any key that was asked about. Rewrites it as it is, so that a replica that has this write has what came
 * before it, also what this connection only found and another one wrote: for a connection that wrote nothing, Redis 8
 * waits for nothing. Answers 1, or 0 if it could not.
 */
const confirm = `
local key = KEYS[1]
local left = redis.call('PTTL', key)
if left == -2 then
  if type(redis.pcall('HSET', key, 'session_ended', '1')) == 'table' then return 0 end
  return redis.call('DEL', key)
end
if left <= 0 then return 0 end
return redis.call('PEXPIRE', key, string.format('%.0f', left))
`;

/** A connection that nobody else writes on: what WAIT waits for is what this connection wrote, and who waits blocks it. */
export interface OwnConnection {
  readonly client: Redis | Cluster;
  /** True if what was asked of these keys on this connection has reached so many replicas in time. Never rejects. */
  reached(keys: Iterable<string>, durability: Durability): Promise<boolean>;
  close(): void;
}

/** How long a command may take beyond the time that replicas are waited for. */
const COMMAND_TIMEOUT_MS = 500;

/** Connects once more to where the client is connected. Rejects with `StoreUnavailableError`. */
export async function openOwnConnection(
  shared: Redis | Cluster,
  { timeoutMs }: Durability,
): Promise<OwnConnection> {
  const timeout = timeoutMs + COMMAND_TIMEOUT_MS;
  const once = {
    lazyConnect: true,
    // A new connection, perhaps to a new primary, knows nothing of what the old one wrote, and would wait for nothing.
    retryStrategy: () => null,
    reconnectOnError: null,
    maxRetriesPerRequest: 0,
    commandTimeout: timeout,
    socketTimeout: timeout,
  } satisfies RedisOptions;
  const { client, nodes } =
    shared instanceof Cluster ? ownCluster(shared, once) : ownServer(shared, once);
  client.on('error', () => {}); // whoever waits for the answer hears of it
  client.defineCommand('sojournConfirm', { numberOfKeys: 1, lua: confirm });
  try {
    await Promise.race([client.connect(), failingAfter(timeout)]);
  } catch (error) {
    client.disconnect();
    throw storeUnavailable(error, 'refused');
  }
  return {
    client,
    async reached(keys, { replicas }) {
      try {
        const { sojournConfirm } = client as unknown as Confirming;
        const confirmed = await Promise.all(
          [...keys].map((key) => sojournConfirm.call(client, key)),
        );
        if (confirmed.includes(0)) return false;
        const used = [...nodes].filter((node) => node.status !== 'wait');
        const counts = await Promise.all(used.map((node) => node.wait(replicas, timeoutMs)));
        return counts.every((count) => count >= replicas);
      } catch {
        return false; // the connection is gone, and with it the only one who knew
      }
    },
    close: () => client.disconnect(),
  };
}

interface Confirming {
  sojournConfirm(key: string): Promise<number>;
}

interface Opening {
  readonly client: Redis | Cluster;
  /** Where commands may have gone. Those to which none went are not connected. */
  readonly nodes: ReadonlySet<Redis>;
}

function ownServer(shared: Redis, once: RedisOptions): Opening {
  const client = shared.duplicate({
    ...once,
    failoverDetector: false,
    sentinelRetryStrategy: () => null,
  });
  return { client, nodes: new Set([client]) };
}

function ownCluster(shared: Cluster, once: RedisOptions): Opening {
  const known = shared.nodes('master').map(({ options: { host, port } }) => ({ host, port }));
  const client = shared.duplicate(known, {
    lazyConnect: true,
    enableReadyCheck: false,
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0,
    // Each node is connected to when a first command goes there; the commands for it wait until then.
    enableOfflineQueue: true,
    redisOptions: { ...shared.options.redisOptions, ...once, enableOfflineQueue: true },
  });
  const nodes = new Set<Redis>();
  client.on('+node', (node: Redis) => nodes.add(node));
  client.on('+node', refuseOnReplicas);
  return { client, nodes };
}

function failingAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not connected within ${ms} ms`)), ms).unref();
  });
}
