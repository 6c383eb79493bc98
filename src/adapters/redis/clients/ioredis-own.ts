import type { Cluster, Redis, RedisOptions } from 'ioredis';
import { storeUnavailable } from '../redis-errors.ts';
import { isCluster, refuseOnReplicas } from './ioredis-cluster.ts';
import { tolerateEventLoopDelay } from './ioredis-event-loop-delay.ts';
import type { OwnCommands, RedisCommands } from './redis-commands.ts';
import { setTolerantTimeout } from './tolerant-timeout.ts';

/** How long a command may take if the client itself has no limit. */
const COMMAND_TIMEOUT_MS = 500;

/** Opens a connection of its own with ioredis, to where the client is connected. */
export async function openOwnIoredis(
  shared: Redis | Cluster,
  waitMs: number,
  toCommands: (client: Redis | Cluster) => RedisCommands,
): Promise<OwnCommands> {
  const options = isCluster(shared) ? shared.options.redisOptions : shared.options;
  const timeoutMs = waitMs + (options?.commandTimeout ?? COMMAND_TIMEOUT_MS);
  const once = {
    lazyConnect: true,
    // A new connection, perhaps to a new primary, would know nothing about earlier writes and WAIT for nothing.
    retryStrategy: () => null,
    reconnectOnError: null,
    maxRetriesPerRequest: 0,
    commandTimeout: timeoutMs,
    socketTimeout: timeoutMs,
  } satisfies RedisOptions;
  const { client, nodes } = isCluster(shared) ? ownCluster(shared, once) : ownServer(shared, once);
  client.on('error', () => {}); // the caller gets the error as its answer
  try {
    await Promise.race([client.connect(), failingAfter(timeoutMs)]);
  } catch (error) {
    client.disconnect();
    throw storeUnavailable(error, 'refused');
  }
  return {
    commands: toCommands(client),
    async waitForReplicas(replicas, timeoutMs) {
      const used = [...nodes].filter((node) => node.status !== 'wait');
      const counts = await Promise.all(used.map((node) => node.wait(replicas, timeoutMs)));
      return counts.every((count) => count >= replicas);
    },
    close: () => client.disconnect(),
  };
}

interface Opening {
  readonly client: Redis | Cluster;
  /** The nodes that may have received commands. The others are not connected. */
  readonly nodes: ReadonlySet<Redis>;
}

function ownServer(shared: Redis, once: RedisOptions): Opening {
  const client = shared.duplicate({
    ...once,
    failoverDetector: false,
    sentinelRetryStrategy: () => null,
  });
  tolerateEventLoopDelay(client);
  return { client, nodes: new Set([client]) };
}

function ownCluster(shared: Cluster, once: RedisOptions): Opening {
  const known = shared.nodes('master').map(({ options: { host, port } }) => ({ host, port }));
  const client = shared.duplicate(known, {
    lazyConnect: true,
    enableReadyCheck: false,
    clusterRetryStrategy: () => null,
    retryDelayOnFailover: 0,
    // Each node is connected when the first command for it arrives; its commands wait until then.
    enableOfflineQueue: true,
    redisOptions: { ...shared.options.redisOptions, ...once, enableOfflineQueue: true },
  });
  const nodes = new Set<Redis>();
  client.on('+node', (node: Redis) => nodes.add(node));
  client.on('+node', refuseOnReplicas);
  client.on('+node', tolerateEventLoopDelay);
  return { client, nodes };
}

function failingAfter(ms: number): Promise<never> {
  return new Promise((_, reject) => {
    const giveUp = () => reject(new Error(`not connected within ${ms} ms`));
    setTolerantTimeout(giveUp, ms, (timer) => timer.unref());
  });
}
