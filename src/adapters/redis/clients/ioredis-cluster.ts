import type { Cluster, Redis } from 'ioredis';

export function isCluster(client: Redis | Cluster): client is Cluster {
  return typeof (client as Partial<Cluster>).nodes === 'function';
}

/**
 * Makes a replica answer MOVED to every command, as it does by default. ioredis tells replicas to accept reads,
 * whatever `scaleReads` says, and uses any of them if it has lost the primary. Such reads could return data that is
 * gone or not there yet.
 */
export function refuseOnReplicas(node: Redis): void {
  node.readonly = async () => 'OK' as const;
}
