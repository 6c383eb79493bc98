import { askRedis } from './ask-redis.ts';
import { type RedisServer, startRedisServer } from './redis-server.ts';
import { inSync, isPrimary, replicationDefaults } from './replication.ts';
import { everyOne, until } from './until.ts';

export interface RedisSentinelOptions {
  /** `redis-server` or `valkey-server`. */
  readonly binary: string;
  /** For the primary and the replica, after and stronger than the defaults. */
  readonly args?: readonly string[];
}

/** A primary and a replica of one's own, and three sentinels that watch over them. */
export interface RedisSentinel {
  /** The name that the sentinels know the primary by. */
  readonly master: string;
  /** At the start `servers[0]` is the primary and `servers[1]` its replica. */
  readonly servers: readonly RedisServer[];
  readonly sentinels: readonly RedisServer[];
  /** Where clients find the sentinels. */
  readonly addresses: readonly { readonly host: string; readonly port: number }[];
  /** The primary now, as a running sentinel names it. */
  primary(): Promise<RedisServer>;
  /** The one that is not the primary. */
  replica(): Promise<RedisServer>;
  /** The planned failover: resolves when the replica has taken over, the old primary follows it and every sentinel knows. */
  failOver(): Promise<void>;
  /** Resolves when all running sentinels name the same primary, and it is one. */
  agreed(): Promise<RedisServer>;
  /** Resolves when all agree, know each other, and the replica is in sync: the next failover will succeed. */
  settled(): Promise<void>;
  /** Ends all of them and removes their files. */
  stop(): Promise<void>;
}

const MASTER = 'main';
const SENTINELS = 3;
const QUORUM = 2;

const settings = {
  // A dead primary is replaced after about this; a busy machine must not look like one.
  'down-after-milliseconds': 1500,
  // A failover that fails is tried again after twice this.
  'failover-timeout': 5000,
};

/**
 * Since Redis 7.0 sentinels can be told to look around more often than every 2 and 10 seconds. Otherwise a failover
 * still takes as long, but a quarter of a minute passes until the old primary follows.
 */
const HASTE = 'sentinel debug info-period 500 publish-period 250';

/** Starts all and resolves when the sentinels know the replica and each other. They die with this process. */
export async function startRedisSentinel({
  binary,
  args = [],
}: RedisSentinelOptions): Promise<RedisSentinel> {
  const started: RedisServer[] = [];
  const start = async (given: readonly string[]) => {
    const server = await startRedisServer({ binary, args: given });
    started.push(server);
    return server;
  };
  try {
    const primary = await start([...replicationDefaults, ...args]);
    const replica = await start([...replicationDefaults, ...args]);
    // By commands that are kept in the server's own file, not by arguments: these would come back with every restart.
    await askRedis(replica, `replicaof ${primary.host} ${primary.port}`);
    await askRedis(replica, 'config rewrite');
    await until('the replica is in sync', () => inSync(replica, [primary]));
    const sentinels: RedisServer[] = [];
    for (let i = 0; i < SENTINELS; i += 1) {
      const sentinel = await start(['--sentinel']);
      await askRedis(
        sentinel,
        `sentinel monitor ${MASTER} ${primary.host} ${primary.port} ${QUORUM}`,
      );
      for (const [name, value] of Object.entries(settings)) {
        await askRedis(sentinel, `sentinel set ${MASTER} ${name} ${value}`);
      }
      await askRedis(sentinel, HASTE).catch(() => {}); // an old one: the conditions below just take longer
      sentinels.push(sentinel);
    }
    const watched = sentinelOf([primary, replica], sentinels);
    await watched.settled();
    return watched;
  } catch (error) {
    await Promise.all(started.map((server) => server.stop()));
    throw error;
  }
}

function sentinelOf(
  servers: readonly RedisServer[],
  sentinels: readonly RedisServer[],
): RedisSentinel {
  const running = () => sentinels.filter((sentinel) => sentinel.running);

  async function primaryAsSeenBy(sentinel: RedisServer | undefined): Promise<RedisServer> {
    if (sentinel === undefined) throw new Error('No sentinel is running');
    const address = await askRedis(sentinel, `sentinel get-master-addr-by-name ${MASTER}`);
    const [, port] = address as [string, string];
    const server = servers.find((one) => one.port === Number(port));
    if (server === undefined) throw new Error(`The sentinels name a stranger at port ${port}`);
    return server;
  }

  const primary = () => primaryAsSeenBy(running()[0]);

  async function agreed(): Promise<RedisServer> {
    let named: RedisServer | undefined;
    await until('all sentinels name the same primary, and it is one', async () => {
      const [first, ...others] = await Promise.all(running().map(primaryAsSeenBy));
      named = first;
      return (
        first !== undefined && others.every((one) => one === first) && (await isPrimary(first))
      );
    });
    return named as RedisServer;
  }

  async function settled(): Promise<void> {
    const alive = running();
    const leader = await agreed();
    const replicas = servers.filter((server) => server.running && server !== leader);
    await until('the replica is in sync', () =>
      everyOne(replicas, (replica) => inSync(replica, [leader])),
    );
    await until('the sentinels know the replica and each other', () =>
      everyOne(alive, async (sentinel) => {
        const others = asRecords(await askRedis(sentinel, `sentinel sentinels ${MASTER}`));
        const seen = others.filter(({ flags = '' }) => isReachableSentinel(flags.split(',')));
        const followers = asRecords(await askRedis(sentinel, `sentinel replicas ${MASTER}`));
        const following = followers.filter(
          (one) => one.flags === 'slave' && one['master-link-status'] === 'ok',
        );
        return seen.length === alive.length - 1 && following.length === replicas.length;
      }),
    );
  }

  return {
    master: MASTER,
    servers,
    sentinels,
    addresses: sentinels.map(({ host, port }) => ({ host, port })),
    primary,
    async replica() {
      const leader = await primary();
      return servers.find((server) => server !== leader) as RedisServer;
    },
    async failOver() {
      const before = await primary();
      const [sentinel] = running();
      if (sentinel === undefined) throw new Error('No sentinel is running');
      // Refused while the failover before is not quite over, or the replica has not been heard of lately.
      await until('a sentinel begins the failover', async () => {
        return (await askRedis(sentinel, `sentinel failover ${MASTER}`)) === 'OK';
      });
      await until('another server is the primary', async () => (await agreed()) !== before);
      await settled();
    },
    agreed,
    settled,
    async stop() {
      await Promise.all([...sentinels, ...servers].map((server) => server.stop()));
    },
  };
}

/** An answer of SENTINEL: for each instance its names and values in turn. */
function asRecords(answer: unknown): Record<string, string>[] {
  return (answer as string[][]).map((flat) => {
    const record: Record<string, string> = {};
    for (let i = 0; i + 1 < flat.length; i += 2) record[flat[i] as string] = flat[i + 1] as string;
    return record;
  });
}

/** Valkey 9 keeps `master_down` of other sentinels after a failover: what they said, and nothing about them. */
function isReachableSentinel(flags: readonly string[]): boolean {
  const down = ['s_down', 'o_down', 'disconnected'];
  return flags.includes('sentinel') && !flags.some((flag) => down.includes(flag));
}
