import { expect, it } from 'vitest';
import { MemorySessionRepository } from '../src/adapters/memory/memory-session-repository.ts';
import { readConfig, StartError } from '../src/config.ts';
import { createContainer, tokens } from '../src/container.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { startRedisServer } from './support/redis-server.ts';

function config(flags: Parameters<typeof readConfig>[0]): ReturnType<typeof readConfig> {
  return readConfig(flags, {});
}

it('makes one service on the configured store', async () => {
  const container = await createContainer(config({ store: 'memory', ttl: '7' }));
  const service = container.resolve(tokens.service);
  expect(container.resolve(tokens.service)).toBe(service);
  expect(service.policy.ttl).toBe(7);
  expect(container.resolve(tokens.store).kind).toBe('memory');
  await container.close();
});

it('lets a test put another adapter in a place', async () => {
  let now = 0;
  const clock = { now: () => now };
  const repository = new MemorySessionRepository(clock);
  const container = await createContainer(config({ store: 'memory' }), {
    register(registry) {
      registry.register(tokens.clock, { useValue: clock });
      registry.register(tokens.repository, { useValue: repository });
    },
  });
  const service = container.resolve(tokens.service);
  const { token, session } = await service.create({}, { ttl: 10 });
  expect(session.createdAt).toBe('1970-01-01T00:00:00+00:00');
  expect(await repository.find(session.id)).toBeDefined();
  now = 10_000;
  expect(await service.get(token)).toBeUndefined();
  await container.close();
});

it('shares nothing between two containers', async () => {
  const [one, two] = await Promise.all([
    createContainer(config({ store: 'memory' })),
    createContainer(config({ store: 'memory' })),
  ]);
  const { token } = await one.resolve(tokens.service).create();
  expect(await two.resolve(tokens.service).get(token)).toBeUndefined();
});

describeWithServers('with a Redis that comes and goes', () => {
  it('falls back to the embedded store only where no Redis was configured, and never in production', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const port = String(redis.port);
    const configured = config({ 'redis-port': port });
    const opened = await createContainer(configured);
    expect(opened.resolve(tokens.store)).toMatchObject({
      kind: 'redis',
      label: `Redis at localhost:${port}`,
    });
    await opened.resolve(tokens.store).ready();
    await opened.close();
    await redis.stop();

    await expect(createContainer(configured)).rejects.toThrow(StartError);
    await expect(createContainer({ ...configured, production: true })).rejects.toThrow(StartError);
    await expect(createContainer({ ...configured, store: 'redis' })).rejects.toThrow(
      `cannot use Redis at localhost:${port}: `,
    );
  });

  it.each([
    ['redis://ada:se-cret@[::1]:1/3', 'Redis at [::1]:1: '],
    ['redis://:se-cret@localhost:1?db=2', 'Redis at localhost:1: '],
  ])('names where it looked for Redis, without user and password: %s', async (url, where) => {
    const error = await createContainer(config({ 'redis-url': url })).catch((e: Error) => e);
    expect(error).toBeInstanceOf(StartError);
    expect((error as Error).message).toContain(where);
    expect((error as Error).message).not.toMatch(/se-cret|ada/);
  });

  it('never shows the password of a Redis URL', async () => {
    const redis = await startRedisServer({
      binary: redisBinary(),
      args: ['--requirepass', 'open-sesame'],
    });
    try {
      const url = `redis://:open-sesame@127.0.0.1:${redis.port}`;
      const opened = await createContainer(config({ 'redis-url': url }));
      const { label, database } = opened.resolve(tokens.store);
      expect(label).toBe(`Redis at 127.0.0.1:${redis.port}`);
      expect(database).toEqual({ system: 'redis', address: '127.0.0.1', port: redis.port });
      await opened.close();
      const wrong = config({ 'redis-url': `redis://:wrong-word@127.0.0.1:${redis.port}` });
      const error = await createContainer(wrong).catch((reason: Error) => reason);
      expect(error).toBeInstanceOf(StartError);
      expect((error as Error).message).toMatch(/WRONGPASS|invalid.*password/);
      expect((error as Error).message).not.toContain('wrong-word');
    } finally {
      await redis.stop();
    }
  });
});
