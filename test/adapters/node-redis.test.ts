import { createClient } from 'redis';
import { describe, expect, it } from 'vitest';
import type { SessionId } from '../../src/domain/session-token.ts';
import { type RedisClient, RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

const id = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;
const end = (client: unknown) =>
  new RedisSessionRepository({ client: client as RedisClient }).end(id, { unbornMs: 0 });

/** A connection that fails as told, and counts what it was asked. */
function failing(message: string) {
  const connection = {
    asked: 0,
    options: {},
    async sendCommand() {
      connection.asked += 1;
      throw new Error(message);
    },
  };
  return connection;
}

interface Lent {
  sendCommand(): Promise<unknown>;
}

const shape = {
  isOpen: true,
  connect() {},
  destroy() {},
  sendCommand() {},
  on() {},
  off() {},
  commandOptions: { timeout: 50 },
};

/** As a sentinel client does it: whatever fails is done again once the next primary is found. */
const repeating = (connection: Lent) => ({
  ...shape,
  acquire() {},
  async _execute(_isReadonly: boolean, work: (client: Lent) => Promise<unknown>) {
    await work(connection).catch(() => {});
    return work(connection);
  },
});

describe('what a sentinel client of node-redis would do again', () => {
  it.each([
    ['Socket closed unexpectedly', 'unknown', 'connection'],
    ["READONLY You can't write against a read only replica.", 'refused', 'unready'],
  ])('is done once: %s', async (message, outcome, failure) => {
    const connection = failing(message);
    await expect(end(repeating(connection))).rejects.toMatchObject({ outcome, failure });
    expect(connection.asked).toBe(1);
  });

  it('is not done at all when it waited too long for a primary', async () => {
    const connection = failing('-');
    let primaryFound = () => {};
    const found = new Promise<void>((resolve) => {
      primaryFound = resolve;
    });
    const sentinel = {
      ...repeating(connection),
      async _execute(_isReadonly: boolean, work: (client: Lent) => Promise<unknown>) {
        await found;
        return work(connection);
      },
    };
    await expect(end(sentinel)).rejects.toMatchObject({ outcome: 'refused', failure: 'timeout' });
    primaryFound();
    await new Promise(setImmediate);
    expect(connection.asked).toBe(0);
  });
});

it.each([
  ['The client is closed', 'refused', 'connection'],
  ['The client is offline', 'refused', 'connection'],
  ['The queue is full', 'refused', 'other'],
  ['Too many Cluster redirections', 'refused', 'connection'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'refused', 'full'],
  ["NOPERM User ada has no permissions to run the 'evalsha' command", 'refused', 'denied'],
  ['CLUSTERDOWN The cluster is down', 'refused', 'unready'],
  ['ERR unknown command', 'refused', 'other'],
  ['Disconnects client', 'unknown', 'connection'],
  ['read ECONNRESET', 'unknown', 'other'],
  ["Socket timeout timeout. Expecting data, but didn't receive any in 5ms.", 'unknown', 'timeout'],
  ['', 'unknown', 'other'],
])('of what node-redis says, %j is %s for the caller', async (message, outcome, failure) => {
  const client = { ...shape, ...failing(message), duplicate() {} };
  await expect(end(client)).rejects.toMatchObject({ outcome, failure });
});

describeWithServers('a client of node-redis with its own defaults', () => {
  it('is refused in time while it is not connected, and sends nothing of that later', async () => {
    const server = await startRedisServer({ binary: redisBinary() });
    const client = createClient({ url: server.url, commandOptions: { timeout: 100 } });
    client.on('error', () => {});
    try {
      const repository = new RedisSessionRepository({ client });
      await expect(repository.end(id, { unbornMs: 0 })).rejects.toMatchObject({
        outcome: 'refused',
      });
      await client.connect();
      await client.hSet(`session:${id}`, {
        created_at: 'x',
        last_accessed_at: 'x',
        session_ttl: '9',
      });
      await server.kill();
      // It would wait in the queue of node-redis until the server is back.
      await expect(repository.end(id, { unbornMs: 60_000 })).rejects.toMatchObject({
        outcome: expect.any(String),
      });
      await expect(repository.end(id, { unbornMs: 60_000 })).rejects.toMatchObject({
        outcome: 'refused',
      });
      await server.restart();
      await expect.poll(() => client.ping().catch(() => '')).toBe('PONG');
      expect(await client.exists(`session:${id}`)).toBe(0); // no mark either
    } finally {
      client.destroy();
      await server.stop();
    }
  });
});
