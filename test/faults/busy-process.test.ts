import { setImmediate as turn, setTimeout as wait } from 'node:timers/promises';
import type { Cluster, Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { commandsOf } from '../../src/adapters/redis/clients/tell-apart.ts';
import { SessionService } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { connectRedis, RedisSessionRepository } from '../../src/redis.ts';
import { type Deployment, deployments } from '../support/deployments.ts';
import { describeWithServers } from '../support/live-redis.ts';
import { redisClients } from '../support/redis-clients.ts';
import { until } from '../support/until.ts';

const COMMAND_TIMEOUT_MS = 800;
const LONGER_THAN_A_SOCKET_MAY_BE_SILENT = 1900;

/** Other work of the process, or the machine's owner who closes the laptop. */
function occupyProcess(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describeWithServers.each(deployments)('a busy process and $name', ({ kind, start }) => {
  let deployment: Deployment;
  let admin: Redis | Cluster;
  beforeAll(async () => {
    deployment = await start();
    admin = await deployment.connect();
  });
  afterAll(() => deployment?.stop());

  async function pauseAnswers(ms: number): Promise<void> {
    for (const { command } of await commandsOf(admin).primaries())
      await command('CLIENT', ['PAUSE', ms]);
  }

  /** Occupies the process while what was asked is on its way: Redis answers meanwhile, and not before. */
  async function occupyBetween<T>(ask: () => T, ms: number): Promise<Awaited<T>> {
    await pauseAnswers(200);
    const asked = ask();
    for (let turns = 0; turns < 3; turns += 1) await turn(); // clients send at the end of a turn
    occupyProcess(ms);
    return await asked;
  }

  async function connect({ commandTimeoutMs = COMMAND_TIMEOUT_MS } = {}) {
    const errors: Error[] = [];
    const connection = await connectRedis(deployment.address, {
      commandTimeoutMs,
      onError: (error) => errors.push(error),
    });
    onTestFinished(() => connection.close());
    const { client } = connection;
    const repository = new RedisSessionRepository({ client });
    return { client, errors, service: new SessionService({ repository }) };
  }

  it.each([COMMAND_TIMEOUT_MS + 200, LONGER_THAN_A_SOCKET_MAY_BE_SILENT])(
    'has the answers that arrive in %d ms of other work, on the connection that it had',
    async (ms) => {
      const { client, errors, service } = await connect();
      const created = await Promise.all(Array.from({ length: 20 }, () => service.create()));
      const primaries = await commandsOf(client).primaries();
      const connections = () =>
        Promise.all(primaries.map(({ command }) => command('CLIENT', ['ID'])));
      const before = await connections();
      const ask = () => Promise.all(created.map(({ token }) => service.increment(token, 'n')));
      expect(await occupyBetween(ask, ms)).toEqual(created.map(() => 1));
      expect(await connections()).toEqual(before);
      expect(errors).toEqual([]);
    },
  );

  // Those of ioredis give up by themselves, as they were told to.
  const clients = redisClients.filter(
    ({ name, reaches }) => reaches === kind && /^node-redis/.test(name),
  );
  it.each(clients)('has the answers to $name that arrive in other work', async (type) => {
    const { client, close } = await type.connect(deployment.address, COMMAND_TIMEOUT_MS);
    onTestFinished(close);
    const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
    const created = await Promise.all(Array.from({ length: 20 }, () => service.create()));
    const ask = () => Promise.all(created.map(({ token }) => service.increment(token, 'n')));
    expect(await occupyBetween(ask, COMMAND_TIMEOUT_MS + 200)).toEqual(created.map(() => 1));
  });

  it('has an answer that arrives in time, while the process is occupied until after that', async () => {
    const { errors, service } = await connect({ commandTimeoutMs: 2000 });
    const { token } = await service.create();
    await pauseAnswers(1700);
    const asked = service.increment(token, 'n');
    await wait(1200); // until shortly before the timeout
    occupyProcess(1200);
    expect(await asked).toBe(1);
    expect(errors).toEqual([]);
  });

  it('asks once the work is over what it could not ask before', async () => {
    const { service } = await connect();
    const { token } = await service.create();
    const asked = Array.from({ length: 20 }, () => service.increment(token, 'n'));
    occupyProcess(COMMAND_TIMEOUT_MS + 200);
    const counts = await Promise.all(asked);
    expect(counts).toEqual(counts.map((_, i) => i + 1));
  });

  it('has what a near cache reads, which goes on trusting its connections', async () => {
    const { client, errors, service } = await connect();
    const nearCache = openNearCache({ client, onError: (error) => errors.push(error) });
    onTestFinished(() => nearCache.close());
    await until('it is trusted', async () => nearCache.stats().trusted);
    const near = new SessionService({ repository: nearCache.repository });
    const { token, session } = await service.create();
    const read = await occupyBetween(() => near.get(token), LONGER_THAN_A_SOCKET_MAY_BE_SILENT);
    expect(read?.id).toBe(session.id);
    expect(errors).toEqual([]);
  });

  it('writes durably', async () => {
    const { service } = await connect();
    const written = service.durably(
      async (own) => {
        await own.create();
        return occupyBetween(() => own.create(), LONGER_THAN_A_SOCKET_MAY_BE_SILENT);
      },
      { replicas: 1, timeoutMs: 20 },
    );
    const { token } = (await written).answer;
    expect(await service.get(token)).toBeDefined();
  });
});
