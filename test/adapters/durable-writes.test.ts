import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { askRedis } from '../support/ask-redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type ConnectedClient, redisClients } from '../support/redis-clients.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { inSync, replicationDefaults } from '../support/replication.ts';
import { until } from '../support/until.ts';

interface Replicated {
  readonly address: RedisAddress;
  /** All that may serve sessions, and what follows each. */
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  stop(): Promise<void>;
}

const patient = { replicas: 1, timeoutMs: 5000 };
const brief = { replicas: 1, timeoutMs: 50 };

const byConnectRedis = async (address: RedisAddress): Promise<ConnectedClient> =>
  connectRedis(address);

/** Each way to open a connection of one's own. */
const others = redisClients.filter(
  ({ name, reaches }) => reaches !== 'sentinel' && /^(ioredis|node-redis) 6/.test(name),
);

describeWithServers.each([
  { name: 'a primary and its replica', start: startPair, connect: byConnectRedis },
  { name: 'a cluster', start: startCluster, connect: byConnectRedis },
  ...others.map(({ name, reaches, connect }) => ({
    name: `what ${name} reaches`,
    start: reaches === 'cluster' ? startCluster : startPair,
    connect: (address: RedisAddress) => connect(address, 500),
  })),
])('durable writes on $name', ({ start, connect }) => {
  let redis: Replicated;
  let connected: ConnectedClient;
  let service: SessionService;

  beforeAll(async () => {
    redis = await start();
    connected = await connect(redis.address);
    const { client } = connected;
    service = new SessionService({ repository: new RedisSessionRepository({ client }) });
  });
  afterAll(async () => {
    await connected?.close();
    await redis?.stop();
  });
  afterEach(() => {
    for (const server of [...redis.primaries, ...redis.replicas]) server.resume();
  });

  const pauseReplicas = () => {
    for (const replica of redis.replicas) replica.pause();
  };

  it('are durable when a replica has them', async () => {
    const created = await service.durably(
      (own) => own.create({ n: '1' }, { user: 'ada' }),
      patient,
    );
    expect(created.durable).toBe(true);
    const { token, session } = created.answer;
    expect(await service.durably((own) => own.update(token, { set: { a: 'b' } }), patient)).toEqual(
      {
        answer: true,
        durable: true,
      },
    );
    expect(await service.durably((own) => own.increment(token, 'n'), patient)).toEqual({
      answer: 2,
      durable: true,
    });
    expect(await service.durably((own) => own.end(session.id), patient)).toEqual({
      answer: true,
      durable: true,
    });
    // Not "soon": what a replica has when the answer comes is the promise.
    expect(await keysOf(redis.replicas)).not.toContain(`session:${session.id}`);
  });

  it('end all sessions of a user with one wait', async () => {
    await Promise.all(Array.from({ length: 30 }, () => service.create({}, { user: 'bob' })));
    const ended = await service.durably((own) => own.deleteAll('bob'), patient);
    expect(ended).toEqual({ answer: 30, durable: true });
    expect(await keysOf(redis.replicas)).toEqual([]);
    expect(await keysOf(redis.primaries)).toEqual([]);
  });

  it('are done and not durable while the replica says nothing, and doing them again tells when they are', async () => {
    const { token, session } = await service.create();
    await waitForReplicas(redis, session.id);
    pauseReplicas();
    expect(await service.durably((own) => own.delete(token), brief)).toEqual({
      answer: true,
      durable: false,
    });
    expect(await service.peek(token)).toBeUndefined();
    // The session is gone already, so nothing is left to write: only the replica can tell whether that may come undone.
    expect(await service.durably((own) => own.delete(token), brief)).toEqual({
      answer: false,
      durable: false,
    });
    for (const replica of redis.replicas) replica.resume();
    expect(await service.durably((own) => own.delete(token), patient)).toEqual({
      answer: false,
      durable: true,
    });
    expect(await keysOf(redis.replicas)).toEqual([]);
  });

  it('keep nobody else waiting', async () => {
    const { token } = await service.create();
    pauseReplicas();
    let over = false;
    const waiting = service
      .durably((own) => own.update(token, { set: { a: '1' } }), { replicas: 1, timeoutMs: 1000 })
      .then((answer) => {
        over = true;
        return answer;
      });
    await expect.poll(async () => (await service.peek(token))?.fields.a).toBe('1');
    expect(await service.increment(token, 'n')).toBe(1);
    expect(over).toBe(false);
    expect(await waiting).toEqual({ answer: true, durable: false });
    await service.delete(token);
  });

  it('are done and not durable when the connection breaks before the replicas were asked', async () => {
    const { token } = await service.create();
    const written = await service.durably(async (own) => {
      const answer = await own.update(token, { set: { a: '1' } });
      // By another connection the next primary might be reached, which would vouch for what it never had.
      for (const one of redis.primaries) await askRedis(one, 'client kill type normal');
      return answer;
    }, patient);
    expect(written).toEqual({ answer: true, durable: false });
    await expect
      .poll(async () => (await service.peek(token).catch(() => undefined))?.fields.a)
      .toBe('1');
    // A cluster's client that lost a primary may ask its replica first: docs/redis-clients.md.
    await expect.poll(() => service.delete(token).catch(() => 'away')).toBe(true);
  });

  it('fail as unavailable when the primary does not answer', async () => {
    for (const primary of redis.primaries) primary.pause();
    await expect(
      service.durably((own) => own.create(), { replicas: 1, timeoutMs: 50 }),
    ).rejects.toMatchObject({ code: 'store_unavailable', outcome: 'refused' });
  });

  it('leave no connection behind', async () => {
    const clients = async () => {
      const lists = await Promise.all(redis.primaries.map((one) => askRedis(one, 'client list')));
      return String(lists).match(/cmd=(evalsha|eval|wait|hset|info) /g)?.length ?? 0;
    };
    await expect.poll(clients).toBeLessThanOrEqual(redis.primaries.length);
    const before = await clients();
    await Promise.all(Array.from({ length: 5 }, () => service.durably((own) => own.end('x'))));
    await expect.poll(clients).toBeLessThanOrEqual(before);
  });
});

/** The session keys that these servers hold, as each of them tells. */
async function keysOf(servers: readonly RedisServer[]): Promise<string[]> {
  const keys = await Promise.all(servers.map((server) => askRedis(server, 'keys session:*')));
  return keys.flat() as string[];
}

async function waitForReplicas(redis: Replicated, id: string): Promise<void> {
  await until('a replica has the session', async () =>
    (await keysOf(redis.replicas)).includes(`session:${id}`),
  );
}

async function startPair(): Promise<Replicated> {
  const servers = [await startServer(), await startServer()] as const;
  const [primary, replica] = servers;
  await askRedis(replica, `replicaof ${primary.host} ${primary.port}`);
  await until('the replica is in sync', () => inSync(replica, servers));
  return {
    address: { kind: 'server', host: primary.host, port: primary.port },
    primaries: [primary],
    replicas: [replica],
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

function startServer(): Promise<RedisServer> {
  return startRedisServer({ binary: redisBinary(), args: replicationDefaults });
}

async function startCluster(): Promise<Replicated> {
  // No failover while a test holds the primaries still.
  const args = ['--cluster-node-timeout', '20000'];
  const cluster = await startRedisCluster({ binary: redisBinary(), args });
  return {
    address: { kind: 'cluster', nodes: cluster.addresses },
    primaries: cluster.nodes.slice(0, 3),
    replicas: cluster.nodes.slice(3),
    stop: () => cluster.stop(),
  };
}

describeWithServers('durable writes of a client with a timeout of its own', () => {
  it.each(['ioredis 5', 'ioredis 6', 'node-redis 6, client', 'node-redis 6, cluster'])(
    'wait for a slow server as long as %s does',
    async (name) => {
      const kind = redisClients.find((one) => one.name === name);
      if (kind === undefined) throw new Error(`No client is called ${name}.`);
      const redis = await (kind.reaches === 'cluster' ? startCluster() : startPair());
      const { client, close } = await kind.connect(redis.address, 10_000);
      try {
        const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
        const { answer } = await service.durably(async (own) => {
          for (const primary of redis.primaries) primary.pause();
          setTimeout(() => {
            for (const primary of redis.primaries) primary.resume();
          }, 1000);
          return own.create();
        }, brief);
        expect(await service.peek(answer.token)).toBeDefined();
      } finally {
        for (const primary of redis.primaries) primary.resume();
        await close();
        await redis.stop();
      }
    },
  );
});
