import { figures } from './figures.ts';
import { type SessionShape, sessionBytes } from './memory.ts';

/** What has to be served. */
export interface Demand {
  /** Alive at once. */
  readonly sessions: number;
  /** A second, each of which reads its session and slides it. */
  readonly requests: number;
  /** Application processes that each have connections of their own. */
  readonly servers: number;
  readonly shape: SessionShape;
  /** How long a session lives, in hours, from the login to its end. */
  readonly hours: number;
  readonly nearCache: boolean;
}

/** How much of a shard may be used. */
export interface Limits {
  /** GiB of data. A larger one takes longer to copy to a replica and to load after a restart. */
  readonly shardGib: number;
  /** Share of the one core on which Redis runs commands. The rest is for bursts, snapshots' pauses and failovers. */
  readonly busy: number;
  /** Memory for a byte of data: fragmentation, buffers, and what is written while a snapshot is taken. */
  readonly memoryFactor: number;
  readonly connections: number;
  /** Mbit/s that a shard's machine sends. */
  readonly mbits: number;
}

export const usualLimits: Limits = {
  shardGib: 16,
  busy: 0.5,
  memoryFactor: 1.5,
  connections: 10_000,
  mbits: 1000,
};

export interface Plan {
  readonly bytesPerSession: number;
  readonly dataGib: number;
  readonly loginsPerSecond: number;
  /** Cores of Redis that are busy, of all shards together. */
  readonly busyCores: number;
  readonly shardsForMemory: number;
  readonly shardsForCpu: number;
  readonly shards: number;
  /** Of one shard. */
  readonly shard: {
    readonly sessions: number;
    readonly dataGib: number;
    readonly memoryGib: number;
    readonly requests: number;
    readonly busy: number;
    readonly mbits: number;
    readonly connections: number;
  };
  /** Cores that sessions keep busy on one application server. */
  readonly coresPerServer: number;
  /** How often a session is used, in seconds: a near cache pays where it is less than about one. */
  readonly secondsBetweenUses: number;
  /** By how much the demand may grow before each limit of a shard is reached; the first is the first to break. */
  readonly headroom: readonly { readonly what: string; readonly factor: number }[];
}

const GIB = 2 ** 30;
/** The session's own, and of a near cache the one that reads and the one that listens. */
const [CONNECTIONS, NEAR_CACHE_CONNECTIONS] = [1, 2];

/** How many shards it takes, what each of them then does, and what gives way first. */
export function plan(demand: Demand, limits: Limits = usualLimits): Plan {
  const { sessions, requests, servers, shape, hours, nearCache } = demand;
  const bytes = sessionBytes(shape, sessions);
  const bytesPerSession = bytes.session + bytes.index;
  const tracked = nearCache
    ? Math.min(sessions, servers * figures.keptByNearCache) * figures.trackedBytes
    : 0;
  const dataGib = (sessions * bytesPerSession + tracked) / GIB;
  const loginsPerSecond = sessions / (hours * 3600);
  const busyCores = (requests * figures.getUs + loginsPerSecond * figures.loginUs) / 1e6;
  const shardsForMemory = Math.max(1, Math.ceil(dataGib / limits.shardGib));
  const shardsForCpu = Math.max(1, Math.ceil(busyCores / limits.busy));
  const shards = Math.max(shardsForMemory, shardsForCpu);
  const shard = {
    sessions: sessions / shards,
    dataGib: dataGib / shards,
    memoryGib: (dataGib / shards) * limits.memoryFactor,
    requests: requests / shards,
    busy: busyCores / shards,
    mbits: ((requests / shards) * figures.bytesOut * 8) / 1e6,
    connections: servers * (CONNECTIONS + (nearCache ? NEAR_CACHE_CONNECTIONS : 0)),
  };
  const headroom = [
    {
      what: `Redis CPU (one core a shard, ${limits.busy * 100} % of it)`,
      factor: limits.busy / shard.busy,
    },
    {
      what: `memory (${limits.shardGib} GiB of data a shard)`,
      factor: limits.shardGib / shard.dataGib,
    },
    { what: `network (${limits.mbits} Mbit/s a shard)`, factor: limits.mbits / shard.mbits },
    {
      what: `connections (${limits.connections} a shard: grow with the servers)`,
      factor: limits.connections / shard.connections,
    },
  ].sort((a, b) => a.factor - b.factor);
  return {
    ...{ bytesPerSession, dataGib, loginsPerSecond, busyCores },
    ...{ shardsForMemory, shardsForCpu, shards, shard, headroom },
    coresPerServer: ((requests / servers) * figures.applicationUs) / 1e6,
    secondsBetweenUses: sessions / requests,
  };
}
