import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { Cluster, type Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { isCluster } from '../../src/adapters/redis/clients/ioredis-cluster.ts';
import type { RedisClient } from '../../src/adapters/redis/clients/tell-apart.ts';
import {
  type ConnectOptions,
  connectRedis,
  type RedisConnection,
} from '../../src/adapters/redis/connect-redis.ts';
import { scanSessions } from '../../src/adapters/redis/inspect/scan-sessions.ts';
import { watchExpiry } from '../../src/adapters/redis/inspect/watch-expiry.ts';
import { openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { sessionMovesContract } from '../../src/testing/session-moves-contract.ts';
import { sessionRepositoryContract } from '../../src/testing/session-repository-contract.ts';
import { askRedis } from '../support/ask-redis.ts';
import { makeCertificate } from '../support/certificate.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisCluster, startRedisCluster } from '../support/redis-cluster.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { until } from '../support/until.ts';

describeWithServers('a connection that is safe for sessions', () => {
  it.each([
    ['a wrong password', 'redis://:wrong@', /WRONGPASS/],
    ['no password', 'redis://', /NOAUTH/],
    ['an unknown user', 'redis://nobody:secret@', /WRONGPASS/],
  ])('with %s, rejects in the words of Redis and without the password', async (_what, url, why) => {
    const { port } = await server(['--requirepass', 'secret']);
    const error = await failure({ kind: 'url', url: `${url}127.0.0.1:${port}` });
    expect(error.message).toMatch(why);
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toMatch(/wrong@|secret/);
  });

  it('authenticates by password and as a user, and takes the database', async () => {
    const { host, port } = await server(['--requirepass', 'p@ss/word']);
    const by = await connect({ kind: 'server', host, port, password: 'p@ss/word', db: 3 });
    await by.client.set('a', '3');
    await by.client.call('acl', 'setuser', 'ada', 'on', '>s:1', '~*', '&*', '+@all');
    const url = `redis://ada:s%3A1@127.0.0.1:${port}/3`;
    const { client } = await connect({ kind: 'url', url });
    expect(await client.get('a')).toBe('3');
    expect(await client.call('acl', 'whoami')).toBe('ada');
  });

  it('takes what the URL says where an option beside it is undefined', async () => {
    const { port } = await server([]);
    const { client } = await connect({
      ...{ kind: 'url', url: `redis://127.0.0.1:${port}/3` },
      db: undefined as never, // as from an environment variable, in a program that is compiled less strictly
    });
    expect(String(await client.call('client', 'info'))).toMatch(/ db=3 /);
    const url = `rediss://127.0.0.1:${port}`;
    const error = await failure({ kind: 'url', url, tls: undefined as never });
    expect(error.message).toMatch(/TLS/); // it was not spoken to in clear
  });

  it('gives up a connection once, however many commands a demoted primary refuses', async () => {
    const redis = await server();
    const { host, port } = redis;
    const { client } = await connect({ kind: 'server', host, port });
    if (isCluster(client)) throw new Error('not a cluster');
    const socket = client.stream;
    const listeners = socket.listenerCount('close');
    const lost = once(client, 'close');
    await askRedis(redis, 'replicaof 127.0.0.1 1');
    const writes = Array.from({ length: 30 }, () => client.set('a', '1', 'EX', 10));
    const most = Promise.allSettled(
      writes.map((write) => write.catch(() => socket.listenerCount('close'))),
    );
    expect(await most).toEqual(
      writes.map(() => ({
        status: 'fulfilled',
        value: expect.toSatisfy((n) => n <= listeners + 1),
      })),
    );
    await lost;
    await once(client, 'ready');
    expect(client.stream).not.toBe(socket);
  });

  it('goes through a unix socket', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'redis.sock');
    await server(['--unixsocket', path]);
    const { client } = await connect({ kind: 'socket', path });
    expect(await client.ping()).toBe('PONG');
  });

  it('hears nothing of a password or of arguments when it is refused later on', async () => {
    const redis = await server(['--requirepass', 'first-secret']);
    const told: Error[] = [];
    const { host, port } = redis;
    await connect(
      { kind: 'server', host, port, username: 'default', password: 'first-secret' },
      { onError: (error) => told.push(error) },
    );
    await askRedis({ ...redis, password: 'first-secret' }, [
      ...['config', 'set', 'requirepass', 'second-secret'],
    ]);
    await askRedis({ ...redis, password: 'second-secret' }, 'client kill type normal skipme yes');
    await expect.poll(() => told.map(({ message }) => message).join()).toMatch(/WRONGPASS/);
    expect(inspect(told, { depth: Infinity, showHidden: true })).not.toMatch(/secret/);
  });

  it('asks for the password anew at each connection, also of those made like it', async () => {
    const redis = await server(['--requirepass', 'old']);
    const { host, port } = redis;
    let password = 'old';
    const { client } = await connect({ kind: 'server', host, port, password: () => password });
    const copy = (client as Redis).duplicate({ enableOfflineQueue: true });
    onTestFinished(() => copy.disconnect());
    copy.on('error', () => {});
    expect(await copy.ping()).toBe('PONG');
    await askRedis({ ...redis, password: 'old' }, 'config set requirepass new');
    password = 'new';
    await askRedis({ ...redis, password: 'new' }, 'client kill type normal skipme yes');
    await expect.poll(() => client.ping().catch(String)).toBe('PONG');
    await expect.poll(() => copy.ping().catch(String)).toBe('PONG');
  });

  it('says so where Redis cannot run Lua scripts', async () => {
    const none = ['--rename-command', 'EVAL', '', '--rename-command', 'EVALSHA', ''];
    const { port } = await server(none);
    const { client, ping } = await connect({ kind: 'url', url: `redis://127.0.0.1:${port}` });
    const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    for (const asked of [ping(), service.create({ secret: 'of ada' })]) {
      const error = (await asked.catch((error) => error)) as Error;
      expect(error).toMatchObject({ outcome: 'refused', failure: 'unfit' });
      expect((error.cause as Error).message).toMatch(/^Redis cannot run Lua scripts/);
      expect(inspect(error)).not.toContain('of ada');
    }
  });

  it.each([{ commandTimeoutMs: 3000 }, { commandTimeoutMs: 60_000, connectTimeoutMs: 7000 }])(
    'is as patient as %j says',
    async (options) => {
      const { port } = await server();
      const { client } = await connect({ kind: 'url', url: `redis://127.0.0.1:${port}` }, options);
      expect((client as Redis).options).toMatchObject({
        commandTimeout: options.commandTimeoutMs,
        socketTimeout: 2 * options.commandTimeoutMs,
        connectTimeout: options.connectTimeoutMs ?? 1000,
        keepAlive: 60_000,
      });
    },
  );

  it('waits for a slow server as long as it was told to, and not longer', async () => {
    const redis = await server();
    const url = `redis://127.0.0.1:${redis.port}`;
    const patient = await connect({ kind: 'url', url }, { commandTimeoutMs: 20_000 });
    const hasty = await connect({ kind: 'url', url }, { commandTimeoutMs: 50 });
    redis.pause();
    const late = patient.ping();
    await expect(hasty.ping()).rejects.toMatchObject({ failure: 'timeout', outcome: 'unknown' });
    redis.resume();
    await late;
  });

  it('keeps idle connections alive', async () => {
    const asked = vi.spyOn(Socket.prototype, 'setKeepAlive');
    const { port } = await server();
    await connect({ kind: 'url', url: `redis://127.0.0.1:${port}` }, { keepAliveMs: 30_000 });
    expect(asked).toHaveBeenCalledWith(true, 30_000);
    asked.mockRestore();
  });

  it.each([
    { commandTimeoutMs: 0 },
    { connectTimeoutMs: -1 },
    { readyTimeoutMs: Infinity },
    { keepAliveMs: Number.NaN },
    { commandTimeoutMs: '500' as unknown as number },
  ])('refuses %j', async (options) => {
    await expect(connectRedis({ kind: 'url', url: 'redis://h' }, options)).rejects.toMatchObject({
      code: 'invalid_option',
    });
  });

  it('queues nothing while Redis is away, and works again when it is back', async () => {
    const redis = await server();
    const { host, port } = redis;
    const { client } = await connect({ kind: 'server', host, port });
    await redis.kill();
    await expect.poll(() => (client as Redis).status).not.toBe('ready');
    const answers = await Promise.allSettled(
      Array.from({ length: 1000 }, (_, i) => client.set(`late:${i}`, '1')),
    );
    expect(answers.every(({ status }) => status === 'rejected')).toBe(true);
    const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    await expect(service.create()).rejects.toMatchObject({
      ...{ code: 'store_unavailable', outcome: 'refused', failure: 'connection' },
    });
    await redis.restart();
    await expect.poll(() => client.ping().catch(() => 'away')).toBe('PONG');
    expect(await (client as Redis).dbsize()).toBe(0);
  });

  it('says that an outcome is unknown where a frozen server does not answer, instead of waiting', async () => {
    const redis = await server();
    const { client } = await connect({ kind: 'server', host: redis.host, port: redis.port });
    const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    const { token } = await service.create();
    redis.pause();
    const calls = await Promise.allSettled(
      Array.from({ length: 20 }, () => service.increment(token, 'n')),
    );
    for (const call of calls) {
      expect(call).toMatchObject({ status: 'rejected', reason: { code: 'store_unavailable' } });
    }
    redis.resume();
    await expect.poll(() => service.peek(token).catch(() => 'away')).toMatchObject({ fields: {} });
    // What was sent may have been applied once it woke up, but never twice.
    expect(Number((await service.peek(token))?.fields.n ?? 0)).toBeLessThanOrEqual(20);
  });

  it.each<[string, (port: number) => RedisAddress]>([
    ['a server', (port) => ({ kind: 'server', host: '127.0.0.1', port })],
    ['a cluster', (port) => ({ kind: 'cluster', nodes: [{ host: '127.0.0.1', port }] })],
    [
      'a sentinel',
      (port) => ({ kind: 'sentinel', sentinels: [{ host: '127.0.0.1', port }], master: 'main' }),
    ],
  ])('gives up on %s where nobody listens, and on one that is frozen', async (_what, address) => {
    const redis = await server();
    redis.pause();
    expect((await failure(address(redis.port))).message).not.toBe('');
    await redis.kill();
    expect((await failure(address(redis.port))).message).toMatch(/ECONNREFUSED|closed|unreachable/);
  });

  describe('with TLS', () => {
    let folder: string;
    let redis: RedisServer;
    let ca: string;
    let tlsPort: number;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'sojourn-tls-'));
      const { key, cert } = await makeCertificate(folder, ['DNS:localhost', 'IP:127.0.0.1']);
      ca = await readFile(cert, 'utf8');
      const probe = await startRedisServer({ binary: redisBinary() });
      tlsPort = probe.port;
      await probe.stop();
      const files = ['--tls-cert-file', cert, '--tls-key-file', key, '--tls-ca-cert-file', cert];
      redis = await startRedisServer({
        binary: redisBinary(),
        args: ['--tls-port', `${tlsPort}`, ...files, '--tls-auth-clients', 'no'],
      });
    });
    afterAll(async () => {
      await redis?.stop();
      await rm(folder, { recursive: true });
    });

    it.each(['127.0.0.1', 'localhost'])('trusts the authority it is given, at %s', async (host) => {
      for (const address of [
        { kind: 'server', host, port: tlsPort, tls: { ca } },
        { kind: 'url', url: `rediss://${host}:${tlsPort}`, tls: { ca } },
      ] as const) {
        const { client } = await connect(address);
        expect(await client.ping()).toBe('PONG');
        expect(Reflect.get((client as Redis).stream, 'authorized')).toBe(true);
      }
    });

    it.each<[string, () => RedisAddress, RegExp]>([
      [
        'a server that is asked without',
        () => ({ kind: 'server', host: '127.0.0.1', port: tlsPort }),
        /it uses TLS: use rediss/,
      ],
      [
        'a server that has none',
        () => ({ kind: 'url', url: `rediss://127.0.0.1:${redis.port}` }),
        /does not use TLS: use redis/,
      ],
      [
        'a cluster that is asked without',
        () => ({ kind: 'cluster', nodes: [{ host: '127.0.0.1', port: tlsPort }] }),
        /it uses TLS/,
      ],
      [
        'sentinels that have none',
        () => ({
          ...{ kind: 'sentinel', sentinels: [{ host: '127.0.0.1', port: redis.port }] },
          ...{ master: 'main', sentinelAccess: { tls: {} } },
        }),
        /does not use TLS/,
      ],
    ])('says so: %s', async (_what, address, message) => {
      expect((await failure(address())).message).toMatch(message);
    });

    it('refuses a certificate that nobody vouches for', async () => {
      const error = await failure({ kind: 'url', url: `rediss://localhost:${tlsPort}` });
      expect(error.message).toMatch(/self-signed certificate/);
    });

    it('refuses a certificate for another name', async () => {
      const tls = { ca, servername: 'redis.example' };
      const error = await failure({ kind: 'server', host: 'localhost', port: tlsPort, tls });
      expect(error.message).toMatch(/altnames/);
    });
  });
});

describeWithServers('a connection to a cluster', () => {
  let cluster: RedisCluster;
  const address = () => ({ kind: 'cluster', nodes: cluster.addresses }) as const;
  beforeAll(async () => {
    cluster = await startRedisCluster({ binary: redisBinary() });
  });
  afterAll(() => cluster?.stop());

  it('serves a burst of first commands whole, on all nodes', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { client } = await connect(address());
      const answers = await Promise.all(
        Array.from({ length: 200 }, (_, i) => client.set(`burst:${i}`, '1', 'EX', 60)),
      );
      expect(new Set(answers)).toEqual(new Set(['OK']));
    }
  });

  it('comes back every time all of its connections are cut', async () => {
    const clients = await Promise.all(
      Array.from({ length: 10 }, async () => (await connect(address())).client),
    );
    for (let round = 0; round < 8; round += 1) {
      await Promise.all(cluster.nodes.map((node) => askRedis(node, 'client kill type normal')));
      await Promise.all(
        clients.map((client) =>
          expect.poll(() => client.set('back', round, 'EX', 60).catch(() => 'away')).toBe('OK'),
        ),
      );
    }
  });

  it('reads nothing from replicas, whose word may be old', async () => {
    const { client } = await connect(address());
    const replicas = client instanceof Cluster ? client.nodes('slave') : [];
    expect(replicas).toHaveLength(3);
    for (const replica of replicas) {
      await expect(replica.exists('session:any')).rejects.toThrow('MOVED');
    }
  });

  it('finds the cluster through one node that is left of those it was told', async () => {
    const [alive, dead] = [cluster.addresses[2], await server()];
    await dead.stop();
    const { client } = await connect({
      kind: 'cluster',
      nodes: [{ host: dead.host, port: dead.port }, ...(alive ? [alive] : [])],
    });
    expect(await client.set('found', '1', 'EX', 60)).toBe('OK');
  });

  it('needs the rights that the operations guide adds for it, and no others', async () => {
    const added = [
      'a cluster',
      '`durably`',
      'the near cache',
      'the near cache on a cluster, in addition',
      '`watchExpiry` and `watchEndings` on a cluster, in addition',
    ];
    const rights = (await Promise.all(added.map(rightsFor))).flat();
    rights.push('&__keyevent@*__:expired'); // as the row of `watchExpiry` has it
    for (const node of cluster.nodes) {
      await askRedis(node, ['acl', ...(await documentedUser()), ...rights]);
      await askRedis(node, 'acl log reset');
    }
    const [username, password] = ['sojourn', 'change-me'];
    const { client } = await connect({ ...address(), username, password });
    const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    await Promise.all(Array.from({ length: 50 }, () => service.create({}, { user: 'ada' })));
    const moved = await service.create();
    const from = await cluster.primaryOf(`session:${moved.session.id}`);
    const to = (await cluster.primaries()).find((node) => node !== from) as RedisServer;
    await cluster.moveSlot(await cluster.slotOf(`session:${moved.session.id}`), to);
    expect(await service.get(moved.token)).toBeDefined();
    const ended = await service.durably((own) => own.deleteAll('ada'), { timeoutMs: 5000 });
    expect(ended).toEqual({ answer: 50, durable: true });
    await keepsNear(client);
    const stopWatching = await watchExpiry({ client, observer: { notify() {} } });
    await wait(1100); // by then it has asked a node for the primaries
    await stopWatching();
    for (const node of cluster.nodes) expect(await askRedis(node, 'acl log')).toEqual([]);
  });

  it('rejects a wrong password in the words of Redis', async () => {
    const wrong = { ...address(), username: 'nobody', password: 'wrong' };
    expect((await failure(wrong)).message).toMatch(/WRONGPASS/);
  });

  it('walks through the sessions of all its nodes', async () => {
    const { client } = await connect(address());
    const repository = new RedisSessionRepository({ client, prefix: 'session:scan:' });
    const service = new SessionService({ repository });
    const created = await Promise.all(
      Array.from({ length: 300 }, (_, i) => service.create({}, { user: `user ${i % 7}` })),
    );
    const found = new Set<string>();
    for await (const page of scanSessions({ client, prefix: 'session:scan:', pageSize: 20 })) {
      for (const id of page) found.add(id);
    }
    expect(found).toEqual(new Set(created.map(({ session }) => session.id)));
  });
});

describeWithServers('with no more rights than the operations guide grants', () => {
  let redis: RedisServer;
  let connection: RedisConnection;

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    const rights = [...(await rightsFor('`durably`')), ...(await rightsFor('the near cache'))];
    await askRedis(redis, ['acl', ...(await documentedUser()), ...rights]);
    const { host, port } = redis;
    const [username, password] = ['sojourn', 'change-me'];
    connection = await connectRedis({ kind: 'server', host, port, username, password });
  });
  afterAll(async () => {
    await connection?.close();
    await redis?.stop();
  });

  describe('the contract', { concurrent: true }, () => {
    for (const { name, run } of sessionRepositoryContract) {
      it(name, () => run({ repository: repositoryOf(connection), elapse: wait }));
    }
    for (const { name, run } of sessionMovesContract) {
      it(name, () => {
        const { client } = connection;
        const [from, to] = ['session:old:', 'session:new:'].map(
          (prefix) => new RedisSessionRepository({ client, prefix }),
        ) as [RedisSessionRepository, RedisSessionRepository];
        return run({ from, to, elapse: wait });
      });
    }
  });

  it('the near cache', async () => keepsNear(connection.client));

  it('nothing that is needed was denied, and nothing else is allowed', async () => {
    expect(await askRedis(redis, 'acl log')).toEqual([]);
    const { client } = connection;
    for (const [command = '', ...args] of [
      ['get', 'other'],
      ['hgetall', 'other'],
      ['eval', "return redis.call('GET', KEYS[1])", '1', 'session:x'],
      ['eval', "return redis.call('HGETALL', KEYS[1])", '1', 'other'],
      ['flushall'],
      ['keys', '*'],
      ['config', 'get', '*'],
      ['acl', 'list'],
      ['monitor'],
    ]) {
      await expect(client.call(command, ...args), command).rejects.toThrow(DENIED);
    }
  });
});

/** In the words of Redis 6.2 to 8 and Valkey, for commands and for scripts. */
const DENIED = /NOPERM|permission|ACL failure|can't run/;

/** The words of the ACL command that docs/operations.md gives for one server. */
async function documentedUser(): Promise<string[]> {
  const guide = await readFile('docs/operations.md', 'utf8');
  const command = /^ACL (SETUSER sojourn (?:.|\\\n)*?[^\\])$/m.exec(guide)?.[1] ?? '';
  return command.split(/[\s\\]+/);
}

/** What the table below that command adds for it. */
async function rightsFor(what: string): Promise<string[]> {
  const guide = await readFile('docs/operations.md', 'utf8');
  const row = guide.split('\n').find((line) => line.startsWith(`| ${what} | `));
  return (
    /`(\+.*)` \|$/
      .exec(row ?? '')?.[1]
      ?.replaceAll('\\|', '|')
      .split(' ') ?? []
  );
}

/** A near cache with the rights of that client: it is trusted, and answers from memory. */
async function keepsNear(client: RedisClient): Promise<void> {
  const errors: Error[] = [];
  const nearCache = openNearCache({ client, onError: (error) => errors.push(error) });
  try {
    await until('the near cache is trusted', async () => nearCache.stats().trusted);
    const service = new SessionService({ repository: nearCache.repository });
    const { token } = await service.create();
    await until('it answers from memory', async () => {
      await service.get(token);
      return nearCache.stats().hits > 0;
    });
    expect(errors).toEqual([]);
  } finally {
    await nearCache.close();
  }
}

function repositoryOf({ client }: RedisConnection): RedisSessionRepository {
  return new RedisSessionRepository({ client });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function server(args: readonly string[] = []): Promise<RedisServer> {
  const started = await startRedisServer({ binary: redisBinary(), args });
  onTestFinished(() => started.stop());
  return started;
}

async function connect(address: RedisAddress, options?: ConnectOptions): Promise<RedisConnection> {
  const connection = await connectRedis(address, options);
  onTestFinished(() => connection.close());
  return connection;
}

/** Why it could not connect: the cause of the error that the domain knows. */
async function failure(address: RedisAddress): Promise<Error> {
  const error = await connectRedis(address).then(
    () => undefined,
    (thrown: Error) => thrown,
  );
  // Nothing was asked of it yet, so nothing can have been applied.
  expect(error).toMatchObject({ name: 'StoreUnavailableError', outcome: 'refused' });
  return error?.cause as Error;
}

async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sojourn-socket-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}
