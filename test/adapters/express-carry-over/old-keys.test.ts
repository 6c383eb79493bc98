import { randomBytes } from 'node:crypto';

import { Cluster, Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { OldKeys } from '../../../src/adapters/express/carry-over/old-keys.ts';
import { RedisOldKeys } from '../../../src/adapters/express/carry-over/redis-old-keys.ts';
import { commandsOf, type RedisClient } from '../../../src/adapters/redis/clients/tell-apart.ts';
import {
  describeLive,
  describeWithServers,
  redisBinary,
  redisUrl,
  useTestPrefix,
} from '../../support/live-redis.ts';
import { type RedisCluster, startRedisCluster } from '../../support/redis-cluster.ts';
import { MemoryOldKeys } from './memory-old-keys.ts';

describe('keys of another store in memory, as the races run on them', () => {
  keepsTheirPromises(() => new MemoryOldKeys({ now: Date.now }));
});

describeLive('keys that connect-redis has written', () => {
  const prefix = `${useTestPrefix()}{sess}[*]?:`; // braces, and what a pattern takes for something else
  const opened: { client: RedisClient; close: () => unknown }[] = [];
  beforeAll(async () => {
    const redis = new Redis(redisUrl());
    const node = await createClient({ url: redisUrl() }).connect();
    opened.push({ client: redis, close: () => redis.disconnect() });
    opened.push({ client: node, close: () => node.destroy() });
  });
  afterAll(() => {
    for (const { close } of opened) close();
  });
  const keysOf = (i: number) =>
    new RedisOldKeys(commandsOf((opened[i] as { client: RedisClient }).client), prefix);

  describe.each([
    [0, 'ioredis'],
    [1, 'node-redis'],
  ])('with client %i, %s', (i) => {
    keepsTheirPromises(() => keysOf(i));

    it('to plain connect-redis a frozen or released one is neither a session nor missing', async () => {
      const keys = keysOf(i);
      const redis = opened[0]?.client as unknown as Redis;
      const sid = newSid();
      await redis.set(prefix + sid, '{}', 'EX', 60);
      const frozen = await keys.freeze(sid, { resume: false });
      await expect(redis.get(prefix + sid)).rejects.toThrow('WRONGTYPE');
      expect(await redis.set(prefix + sid, 'anew', 'EX', 60, 'NX')).toBeNull();
      const { freeze } = frozen as { freeze: string };
      expect(await keys.release(sid, `${freeze}.a`)).toBe(true);
      await expect(redis.get(prefix + sid)).rejects.toThrow('WRONGTYPE');
      expect(await redis.ttl(prefix + sid)).toBeGreaterThan(55);
    });

    it('what plain connect-redis writes over a frozen one is released to nobody', async () => {
      const keys = keysOf(i);
      const redis = opened[0]?.client as unknown as Redis;
      const sid = newSid();
      await keys.create(sid, 'old', 60_000);
      const { freeze } = (await keys.freeze(sid, { resume: false })) as { freeze: string };
      await redis.set(prefix + sid, 'newer', 'EX', 60);
      expect(await keys.release(sid, `${freeze}.a`)).toBe(false);
      expect(await keys.unfreeze(sid, `${freeze}.a`)).toBe(false);
      expect(await keys.read(sid)).toMatchObject({ text: 'newer', frozen: false });
    });

    it('what is no session of anybody is left alone', async () => {
      const keys = keysOf(i);
      const redis = opened[0]?.client as unknown as Redis;
      const [set, hash] = [newSid(), newSid()];
      await redis.sadd(prefix + set, 'a');
      await redis.hset(prefix + hash, 'a', 'b');
      for (const sid of [set, hash]) {
        expect(await keys.read(sid)).toBeUndefined();
        expect(await keys.create(sid, 'x', 1000)).toBe(false);
        expect(await keys.replace(sid, '', 'x', 1000)).toBeUndefined();
        expect(await keys.remove(sid)).toBeUndefined();
        expect(await keys.freeze(sid, { resume: false })).toBeUndefined();
        expect(await keys.release(sid, '1-a.b')).toBe(false);
        expect(await keys.unfreeze(sid, '1-a.b')).toBe(false);
      }
      expect(await redis.type(prefix + set)).toBe('set');
      expect(await redis.hgetall(prefix + hash)).toEqual({ a: 'b' });
    });

    it('a key without an end has none when it is in use again, and leaves one that ends', async () => {
      const keys = keysOf(i);
      const redis = opened[0]?.client as unknown as Redis;
      const sid = newSid();
      await keys.create(sid, 'x', undefined);
      expect(await redis.ttl(prefix + sid)).toBe(-1);
      const first = (await keys.freeze(sid, { resume: false })) as { freeze: string };
      await keys.unfreeze(sid, `${first.freeze}.a`);
      expect(await redis.ttl(prefix + sid)).toBe(-1);
      const { freeze } = (await keys.freeze(sid, { resume: false })) as { freeze: string };
      await keys.release(sid, `${freeze}.a`);
      expect(await redis.ttl(prefix + sid)).toBeGreaterThan(0);
    });
  });
});

describeWithServers('keys that connect-redis has written to a cluster', () => {
  let cluster: RedisCluster;
  let client: Cluster;
  beforeAll(async () => {
    cluster = await startRedisCluster({ binary: redisBinary() });
    client = new Cluster([...cluster.addresses]);
  });
  afterAll(async () => {
    client?.disconnect();
    await cluster?.stop();
  });
  const keys = () => new RedisOldKeys(commandsOf(client), 'sess:');
  keepsTheirPromises(keys);

  it('are found on every primary', async () => {
    const sids = Array.from({ length: 60 }, newSid);
    for (const sid of sids) await keys().create(sid, '{}', 60_000);
    const found: string[] = [];
    for await (const page of keys().scan()) found.push(...page);
    expect(found).toEqual(expect.arrayContaining(sids));
  });
});

/** What `OldKeys` says, as cases. */
function keepsTheirPromises(open: () => OldKeys): void {
  it('are read, created once, changed by whoever knows what they hold, and removed', async () => {
    const keys = open();
    const sid = newSid();
    expect(await keys.read(sid)).toBeUndefined();
    expect(await keys.replace(sid, '', 'x', 1000)).toBeUndefined();
    expect(await keys.expire(sid, 1000)).toBe(false);
    expect(await keys.remove(sid)).toBeUndefined();
    expect(await keys.create(sid, '{"ü":1}', 60_000)).toBe(true);
    expect(await keys.create(sid, 'x', 60_000)).toBe(false);
    expect(await keys.replace(sid, 'x', 'y', 60_000)).toBe('changed');
    expect(await keys.replace(sid, '{"ü":1}', 'y', 90_000)).toBe(true);
    const held = await keys.read(sid);
    expect(held).toMatchObject({ text: 'y', frozen: false });
    expect(held?.remainingMs).toBeGreaterThan(60_000);
    expect(await keys.expire(sid, 30_000)).toBe(true);
    expect((await keys.read(sid))?.remainingMs).toBeLessThanOrEqual(30_000);
    const found: string[] = [];
    for await (const page of keys.scan()) found.push(...page);
    expect(found).toContain(sid);
    expect(await keys.remove(sid)).toBe('open');
    expect(await keys.read(sid)).toBeUndefined();
  });

  it('are frozen: read by tools, changed by nobody, and removed', async () => {
    const keys = open();
    const sid = newSid();
    expect(await keys.freeze(sid, { resume: false })).toBeUndefined();
    await keys.create(sid, 'x', 60_000);
    expect(await keys.freeze(sid, { resume: true })).toBe('open');
    const frozen = await keys.freeze(sid, { resume: false });
    expect(frozen).toMatchObject({ text: 'x', freeze: expect.stringMatching(/^\d{13}-[^.]+$/) });
    const again = await keys.freeze(sid, { resume: true });
    expect(again).toMatchObject({ text: 'x', freeze: (frozen as { freeze: string }).freeze });
    expect(await keys.read(sid)).toMatchObject({ text: 'x', frozen: true });
    expect(await keys.create(sid, 'y', 60_000)).toBe(false);
    expect(await keys.replace(sid, 'x', 'y', 60_000)).toBeUndefined();
    expect(await keys.expire(sid, 1)).toBe(false);
    expect(await keys.remove(sid)).toBe('frozen');
    expect(await keys.freeze(sid, { resume: false })).toBeUndefined();
  });

  it('last longer while they are frozen, for whoever knows of which freeze, and never shorter', async () => {
    const keys = open();
    const sid = newSid();
    await keys.create(sid, 'x', 30_000);
    const { freeze } = (await keys.freeze(sid, { resume: false })) as { freeze: string };
    expect(await keys.keep(sid, '1-a', 90_000)).toBe(false);
    expect(await keys.keep(sid, freeze, 60_000)).toBe(true);
    expect(await keys.keep(sid, freeze, 10_000)).toBe(true);
    const held = await keys.read(sid);
    expect(held?.remainingMs).toBeGreaterThan(50_000);
    expect(held?.remainingMs).toBeLessThanOrEqual(60_000);
    await keys.release(sid, `${freeze}.a`);
    expect(await keys.keep(sid, freeze, 90_000)).toBe(false);
    const endless = newSid();
    await keys.create(endless, 'x', undefined);
    const frozen = (await keys.freeze(endless, { resume: false })) as { freeze: string };
    expect(await keys.keep(endless, frozen.freeze, 60_000)).toBe(true);
    expect(await keys.read(endless)).toMatchObject({ remainingMs: undefined });
  });

  it('are released to one claim of the last freeze, or in use again as they were', async () => {
    const keys = open();
    const sid = newSid();
    await keys.create(sid, 'x', 60_000);
    const first = (await keys.freeze(sid, { resume: false })) as { freeze: string };
    expect(await keys.unfreeze(sid, '1-a.b')).toBe(false);
    expect(await keys.unfreeze(sid, `${first.freeze}.b`)).toBe(true);
    expect(await keys.unfreeze(sid, `${first.freeze}.b`)).toBe(false);
    expect(await keys.read(sid)).toMatchObject({ text: 'x', frozen: false });
    expect((await keys.read(sid))?.remainingMs).toBeGreaterThan(50_000);
    const { freeze } = (await keys.freeze(sid, { resume: false })) as { freeze: string };
    expect(freeze).not.toBe(first.freeze);
    expect(await keys.release(sid, `${first.freeze}.b`)).toBe(false);
    expect(await keys.release(sid, `${freeze}.c`)).toBe(true);
    expect(await keys.release(sid, `${freeze}.c`)).toBe(true);
    expect(await keys.release(sid, `${freeze}.d`)).toBe(false);
    expect(await keys.freeze(sid, { resume: false })).toEqual({ claim: `${freeze}.c` });
    expect(await keys.read(sid)).toBeUndefined();
    expect(await keys.create(sid, 'y', 60_000)).toBe(false);
    await keys.discard(sid, `${freeze}.d`);
    expect(await keys.create(sid, 'y', 60_000)).toBe(false);
    await keys.discard(sid, `${freeze}.c`);
    expect(await keys.create(sid, 'y', 60_000)).toBe(true);
    const last = (await keys.freeze(sid, { resume: false })) as { freeze: string };
    await keys.release(sid, `${last.freeze}.e`);
    expect(await keys.remove(sid)).toBeUndefined(); // and nothing stands in the way any more
    expect(await keys.create(sid, 'z', 60_000)).toBe(true);
  });
}

function newSid(): string {
  return randomBytes(24).toString('base64url');
}
