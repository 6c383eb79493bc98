import { askRedis } from './ask-redis.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { inSync, isPrimary, replicationDefaults } from './replication.ts';
import { everyOne, until } from './until.ts';

export interface RedisClusterOptions {
  /** `redis-server` or `valkey-server`. */
  readonly binary: string;
  /** For each node, after and stronger than the defaults. */
  readonly args?: readonly string[];
}

/** A node's view of a node: a line of CLUSTER NODES. */
export interface ClusterNode {
  readonly id: string;
  readonly port: number;
  readonly role: 'primary' | 'replica';
  /** The id of the primary that a replica follows. */
  readonly primary: string | undefined;
  /** Neither failing nor unknown, and connected. */
  readonly healthy: boolean;
  readonly slots: readonly string[];
}

/** Six nodes of one's own: three primaries with a replica each. */
export interface RedisCluster {
  /** At the start `nodes[0]` to `nodes[2]` are primaries and `nodes[i + 3]` is the replica of `nodes[i]`. */
  readonly nodes: readonly RedisServer[];
  /** Where clients find it: all nodes. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  slotOf(key: string): Promise<number>;
  /** The node that serves the key now, as a running node sees it. */
  primaryOf(key: string): Promise<RedisServer>;
  replicaOf(primary: RedisServer): Promise<RedisServer>;
  /** The running primaries, as a running node sees them. */
  primaries(): Promise<readonly RedisServer[]>;
  /** The planned failover: resolves when the replica of that primary has taken over and everyone knows. */
  failOver(primary: RedisServer): Promise<void>;
  /** Moves a slot and its keys to another primary, a few keys at a time, as `redis-cli --cluster reshard` does, and resolves when everyone knows. */
  moveSlot(slot: number, to: RedisServer): Promise<void>;
  /** Resolves when every running node is healthy in the eyes of all of them, serves, and is in sync if it is a replica. */
  settled(): Promise<void>;
  /** Ends all nodes and removes their files. */
  stop(): Promise<void>;
}

const SLOTS = 16_384;
const PRIMARIES = 3;

const defaults = [
  ...['--cluster-enabled', 'yes', '--cluster-announce-ip', '127.0.0.1'],
  // A dead primary is replaced after about twice this; a busy machine must not look like one.
  ...['--cluster-node-timeout', '1500'],
  // A shard without a primary takes no other shard with it.
  ...['--cluster-require-full-coverage', 'no'],
  ...replicationDefaults,
];

/** Starts the nodes, joins them and resolves when each of them serves. They die with this process. */
export async function startRedisCluster({
  binary,
  args = [],
}: RedisClusterOptions): Promise<RedisCluster> {
  const starting = Array.from({ length: 2 * PRIMARIES }, () =>
    startRedisServer({ binary, args: [...defaults, ...args] }),
  );
  const nodes: RedisServer[] = [];
  for (const start of await Promise.allSettled(starting)) {
    if (start.status === 'fulfilled') nodes.push(start.value);
  }
  const cluster = clusterOf(nodes);
  try {
    await Promise.all(starting);
    await join(nodes);
    await cluster.settled();
  } catch (error) {
    await cluster.stop();
    throw error;
  }
  return cluster;
}

/** What a node knows of the cluster. */
export async function clusterNodes(node: RedisServer): Promise<readonly ClusterNode[]> {
  const lines = String(await askRedis(node, 'cluster nodes'))
    .trimEnd()
    .split('\n');
  return lines.map((line) => {
    const [id = '', address, flags = '', primary, , , , link, ...slots] = line.split(' ');
    const flag = new Set(flags.split(','));
    return {
      id,
      port: Number(/:(\d+)@/.exec(address ?? '')?.[1]),
      role: flag.has('master') ? 'primary' : 'replica',
      primary: primary === '-' ? undefined : primary,
      healthy: !/fail|handshake|noaddr/.test(flags) && link === 'connected',
      slots,
    };
  });
}

/** By the commands that `redis-cli --cluster create` sends, as a binary under test may come without a redis-cli. */
async function join(nodes: readonly RedisServer[]): Promise<void> {
  const [first, ...others] = nodes as [RedisServer, ...RedisServer[]];
  for (const [i, node] of nodes.entries()) {
    await askRedis(node, `cluster set-config-epoch ${i + 1}`);
    if (i >= PRIMARIES) continue;
    const [from, to] = [i, i + 1].map((part) => Math.floor((part * SLOTS) / PRIMARIES));
    const slots = Array.from(
      { length: Number(to) - Number(from) },
      (_, n) => `${Number(from) + n}`,
    );
    await askRedis(node, ['cluster', 'addslots', ...slots]);
  }
  for (const { host, port } of others) await askRedis(first, `cluster meet ${host} ${port}`);
  await until('every node knows every other', () =>
    everyOne(nodes, async (node) => {
      const known = await clusterNodes(node);
      return known.length === nodes.length && known.every(({ healthy }) => healthy);
    }),
  );
  for (const [i, replica] of nodes.slice(PRIMARIES).entries()) {
    const primary = await askRedis(nodes[i] as RedisServer, 'cluster myid');
    await askRedis(replica, `cluster replicate ${primary}`);
  }
  await until('every node knows every replica', () =>
    everyOne(nodes, async (node) => {
      const known = await clusterNodes(node);
      return known.filter(({ role }) => role === 'replica').length === nodes.length - PRIMARIES;
    }),
  );
}

function clusterOf(nodes: readonly RedisServer[]): RedisCluster {
  const running = () => nodes.filter((node) => node.running);

  function at(port: number | undefined): RedisServer {
    const node = nodes.find((one) => one.port === port);
    if (node === undefined) throw new Error(`No node of this cluster is at port ${port}`);
    return node;
  }

  function anyRunning(): RedisServer {
    const [node] = running();
    if (node === undefined) throw new Error('No node of this cluster is running');
    return node;
  }

  async function owners(): Promise<readonly { node: RedisServer; owns(slot: number): boolean }[]> {
    const known = await clusterNodes(anyRunning());
    return known
      .filter(({ role, slots }) => role === 'primary' && slots.length > 0)
      .map(({ port, slots }) => ({ node: at(port), owns: (slot) => covers(slots, slot) }));
  }

  async function slotOf(key: string): Promise<number> {
    return Number(await askRedis(anyRunning(), ['cluster', 'keyslot', key]));
  }

  async function ownerOf(slot: number): Promise<RedisServer> {
    const owner = (await owners()).find(({ owns }) => owns(slot));
    if (owner === undefined) throw new Error(`No node serves slot ${slot}`);
    return owner.node;
  }

  async function replicaOf(primary: RedisServer): Promise<RedisServer> {
    const known = await clusterNodes(anyRunning());
    const id = known.find(({ port }) => port === primary.port)?.id;
    return at(known.find((node) => node.primary === id)?.port);
  }

  async function isUsable(node: RedisServer): Promise<boolean> {
    return (await isPrimary(node)) || (await inSync(node, nodes));
  }

  async function settled(): Promise<void> {
    const alive = running();
    const ports = alive.map(({ port }) => port);
    let views: string[] = [];
    await until('all running nodes of the cluster serve and agree', async () => {
      views = await Promise.all(
        alive.map(async (node) => {
          const known = (await clusterNodes(node)).filter(({ port }) => ports.includes(port));
          const serves = /cluster_state:ok/.test(String(await askRedis(node, 'cluster info')));
          const whole = known.length === alive.length && known.every(({ healthy }) => healthy);
          if (!serves || !whole || !(await isUsable(node)))
            throw new Error(`not yet: ${node.port}`);
          const roles = known.map(({ port, role, slots }) => [port, role, ...slots].join(' '));
          // Its own migrating slots are known to the owner alone.
          return roles
            .map((line) => line.replace(/ \[.*$/, ''))
            .toSorted()
            .join('\n');
        }),
      );
      return new Set(views).size === 1;
    });
  }

  return {
    nodes,
    addresses: nodes.map(({ host, port }) => ({ host, port })),
    slotOf,
    primaryOf: async (key) => ownerOf(await slotOf(key)),
    replicaOf,
    primaries: async () => (await owners()).map(({ node }) => node).filter((node) => node.running),
    async failOver(primary) {
      const replica = await replicaOf(primary);
      await askRedis(replica, 'cluster failover');
      await until('the replica has taken over', () => isPrimary(replica));
      await settled();
    },
    async moveSlot(slot, to) {
      const from = await ownerOf(slot);
      if (from === to) return;
      const [fromId, toId] = [
        await askRedis(from, 'cluster myid'),
        await askRedis(to, 'cluster myid'),
      ];
      await askRedis(to, `cluster setslot ${slot} importing ${fromId}`);
      await askRedis(from, `cluster setslot ${slot} migrating ${toId}`);
      for (;;) {
        const keys = (await askRedis(from, `cluster getkeysinslot ${slot} 10`)) as string[];
        if (keys.length === 0) break;
        await askRedis(from, ['migrate', to.host, `${to.port}`, '', '0', '2000', 'keys', ...keys]);
      }
      // The new owner first: were it the old one that told everybody, the slot would have none for a moment.
      await askRedis(to, `cluster setslot ${slot} node ${toId}`);
      await askRedis(from, `cluster setslot ${slot} node ${toId}`);
      // Two owners that took slots without having heard of each other would have the same epoch, and never agree.
      await until('every node knows who serves the slot', () =>
        everyOne(running(), async (node) => {
          const owners = (await clusterNodes(node)).filter(({ slots }) => covers(slots, slot));
          return owners.length === 1 && owners[0]?.port === to.port;
        }),
      );
    },
    settled,
    async stop() {
      await Promise.all(nodes.map((node) => node.stop()));
    },
  };
}

function covers(slots: readonly string[], slot: number): boolean {
  return slots.some((range) => {
    const [from, to = from] = range.split('-').map(Number);
    return !range.startsWith('[') && slot >= Number(from) && slot <= Number(to);
  });
}
