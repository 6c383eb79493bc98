import type { Cluster, Redis } from 'ioredis';

export function isCluster(client: Redis | Cluster): client is Cluster {
  return typeof (client as Partial<Cluster>).nodes === 'function';
}

/**
 * Lets a replica say MOVED to whatever it is asked, as it does of itself. ioredis tells replicas to answer reads, whatever
 * `scaleReads` says, and asks any of them where it has lost the primary: what it then reads may be long gone, or
 * not be there yet.
 */
export function refuseOnReplicas(node: Redis): void {
  node.readonly = async () => 'OK' as const;
}
