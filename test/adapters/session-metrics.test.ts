import { Redis } from 'ioredis';
import { Registry } from 'prom-client';
import { describe, expect, it, vi } from 'vitest';
import { type StoreFailure, StoreUnavailableError } from '../../src/domain/errors.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { openNearCache } from '../../src/near-cache.ts';
import type { StoreAnswer } from '../../src/ports/session-observer.ts';
import { SessionMetrics, type SessionMetricsOptions } from '../../src/prometheus.ts';
import { connectRedis, countSessions, RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { parsePrometheusText, sumOf } from '../support/prometheus-text.ts';
import { startRedisServer } from '../support/redis-server.ts';

async function read(metrics: SessionMetrics) {
  const samples = parsePrometheusText(await metrics.registry.metrics());
  return (name: string, labels?: Record<string, string>) => sumOf(samples, name, labels);
}

describe('the metrics', () => {
  it('count what happens to sessions, ended ones by why', async () => {
    const metrics = new SessionMetrics();
    const service = new SessionService({
      repository: new MemorySessionRepository(),
      policy: { maxSessions: 2, endOnReuse: true },
      observer: metrics,
    });
    const { token } = await service.create();
    await service.delete(token);
    await service.delete(token);
    for (let i = 0; i < 3; i += 1) await service.create({}, { user: 'ada' });
    await service.deleteAll('ada');
    const stolen = (await service.create()).token;
    await service.rotate(stolen);
    await service.get(stolen);
    metrics.notify({ type: 'ended', id: (await service.create()).session.id, why: 'expired' });

    metrics.notify({ type: 'gone', id: (await service.create()).session.id });

    const value = await read(metrics);
    expect(value('sojourn_sessions_created_total')).toBe(7);
    expect(value('sojourn_sessions_rotated_total')).toBe(1);
    expect(value('sojourn_tokens_refused_total')).toBe(1);
    expect(value('sojourn_tokens_reused_total')).toBe(1);
    const ended = { logout: 1, evicted: 1, revoked: 2, reused: 1, expired: undefined };
    for (const [why, count] of Object.entries(ended)) {
      expect([why, value('sojourn_sessions_ended_total', { why })]).toEqual([why, count]);
    }
    expect(value('sojourn_sessions_expired_total')).toBe(1);
    const duration = 'sojourn_store_operation_duration_seconds';
    expect(value(`${duration}_count`, { operation: 'create', outcome: 'ok' })).toBe(7);
    expect(value(`${duration}_count`, { operation: 'delete', outcome: 'absent' })).toBe(1);
    expect(value(`${duration}_bucket`, { operation: 'rotate', le: '+Inf' })).toBe(1);
  });

  it('name no session, no user and no prefix, and are not more for more of them', async () => {
    const metrics = new SessionMetrics();
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository, observer: metrics });
    const work = async (user: string) => {
      const { token, session } = await service.create({ word: 'held' }, { user });
      await service.get(token);
      await service.deleteAll(user);
      return [...token.split('.'), session.id, user, 'held'];
    };
    await work('ada');
    const lines = (await metrics.registry.metrics()).split('\n').length;
    const words = (
      await Promise.all(Array.from({ length: 50 }, (_, i) => work(`user-${i}`)))
    ).flat();
    const text = await metrics.registry.metrics();
    expect(text.split('\n')).toHaveLength(lines);
    for (const word of words) expect(text).not.toContain(word);
  });

  it('say whether the store serves, by what it last answered', async () => {
    const metrics = new SessionMetrics();
    const up = async () => (await read(metrics))('sojourn_store_up');
    const answers = (answer: StoreAnswer) => {
      metrics.storeAsked({ name: 'access', id: 'x'.repeat(22) as never })(answer);
      return up();
    };
    const fails = (failure: StoreFailure) =>
      answers({ outcome: 'failed', error: new StoreUnavailableError('unknown', { failure }) });
    expect(await up()).toBeUndefined(); // nobody knows yet
    expect(await answers({ outcome: 'absent' })).toBe(1);
    for (const away of ['timeout', 'connection', 'unready', 'denied', 'unfit'] as const) {
      expect([away, await fails(away)]).toEqual([away, 0]);
      expect(await answers({ outcome: 'refused', code: undefined })).toBe(1);
    }
    // It answers who is logged in, and what is wrong with one session is no outage.
    for (const failure of ['full', 'other'] as const) expect(await fails(failure)).toBe(1);
    expect(await answers({ outcome: 'failed', error: new TypeError('of the caller') })).toBe(1);
  });

  it('ask the store at a scrape where nobody asked it for a while, once at a time, and wait for no slow answer', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const asked: { answer(): void; fail(error: Error): void }[] = [];
      const checkStore = () =>
        new Promise<void>((answer, fail) => void asked.push({ answer, fail }));
      const metrics = new SessionMetrics({ checkStore });
      const up = async () => (await read(metrics))('sojourn_store_up');
      expect(await Promise.all([up(), up()])).toEqual([undefined, undefined]);
      expect(asked).toHaveLength(1);
      asked[0]?.fail(new StoreUnavailableError('unknown', { failure: 'timeout' }));
      await expect.poll(up).toBe(0);
      expect(asked).toHaveLength(1); // the answer is fresh
      vi.advanceTimersByTime(5000);
      const next = up();
      asked[1]?.answer();
      expect(await next).toBe(1);
      vi.advanceTimersByTime(4000);
      metrics.storeAsked({ name: 'read', id: undefined })({ outcome: 'ok' });
      vi.advanceTimersByTime(4000);
      expect(await up()).toBe(1);
      expect(asked).toHaveLength(2); // requests have asked meanwhile
    } finally {
      vi.useRealTimers();
    }
  });

  it('say that a store that refuses writes is down, whatever it answers to reads, until it would take a write', async () => {
    let failure: StoreFailure | undefined = 'unready';
    const checkStore = async () => {
      if (failure !== undefined) throw new StoreUnavailableError('refused', { failure });
    };
    const metrics = new SessionMetrics({ checkStore });
    const up = async () => (await read(metrics))('sojourn_store_up');
    const answers = (answer: StoreAnswer) =>
      metrics.storeAsked({ name: 'access', id: 'x'.repeat(22) as never })(answer);
    const error = new StoreUnavailableError('refused', { failure });
    answers({ outcome: 'failed', error });
    answers({ outcome: 'ok' });
    expect(await up()).toBe(0);
    failure = 'timeout';
    expect(await up()).toBe(0);
    answers({ outcome: 'ok' });
    expect(await up()).toBe(0);
    failure = undefined;
    expect(await up()).toBe(1);
    answers({
      outcome: 'failed',
      error: new StoreUnavailableError('unknown', { failure: 'timeout' }),
    });
    answers({ outcome: 'ok' });
    expect(await up()).toBe(1);
  });

  it('go to a registry of the caller, beside the metrics that are there', async () => {
    const registry = new Registry();
    const metrics = new SessionMetrics({ registry });
    expect(metrics.registry).toBe(registry);
    expect(await registry.metrics()).toContain('sojourn_sessions_created_total 0');
  });
});

describe('the number of sessions', () => {
  const active = 'sojourn_sessions_active';
  const age = 'sojourn_sessions_active_age_seconds';
  const metricsOf = (
    countSessions: NonNullable<SessionMetricsOptions['countSessions']>,
    more: SessionMetricsOptions = {},
  ) => new SessionMetrics({ countSessions, countEveryMs: 0, ...more });

  it('is that of the sessions that are alive', async () => {
    let now = 0;
    const repository = new MemorySessionRepository({ now: () => now });
    const service = new SessionService({ repository });
    const count = async () => (await read(metricsOf(() => repository.count())))(active);
    const { token } = await service.create({}, { ttl: 60 });
    await service.create({}, { ttl: 60 });
    await service.create({}, { ttl: 10 });
    expect(await count()).toBe(3);
    await service.delete(token);
    now = 10_000;
    expect(await count()).toBe(1);
  });

  it('is asked for once a while, however often it is read', async () => {
    let counted = 0;
    const metrics = new SessionMetrics({ countSessions: async () => ++counted });
    for (let i = 0; i < 5; i += 1) expect((await read(metrics))(active)).toBe(1);
  });

  it('keeps nobody waiting while a count takes long, and is counted by one at a time', async () => {
    let underWay = 0;
    const finish: ((count: number) => void)[] = [];
    const metrics = metricsOf(() => {
      underWay += 1;
      return new Promise((resolve) => finish.push(resolve));
    });
    const beganAt = performance.now();
    const values = await Promise.all([read(metrics), read(metrics), read(metrics)]);
    expect(performance.now() - beganAt).toBeLessThan(1000);
    for (const value of values) expect([value(active), value(age)]).toEqual([undefined, undefined]);
    expect(underWay).toBe(1);
    finish[0]?.(7);
    expect((await read(metrics))(active)).toBe(7);
  });

  it('is the last known one, with its age, while counting fails', async () => {
    let fails = false;
    const errors: unknown[] = [];
    const count = async () => {
      if (fails) throw new Error('away');
      return 3;
    };
    const metrics = metricsOf(count, { onCountError: (error) => errors.push(error) });
    expect((await read(metrics))(active)).toBe(3);
    fails = true;
    let value = await read(metrics);
    while (errors.length === 0) value = await read(metrics); // a count rests after a count
    expect(value(active)).toBe(3);
    expect(value(age)).toBeGreaterThan(0);
    expect((await read(metrics))(age)).toBeGreaterThan(value(age) ?? Infinity);
  });
});

describe('the number of sessions that others count', () => {
  const active = 'sojourn_sessions_active';
  const age = 'sojourn_sessions_active_age_seconds';

  it('is shown with its age, and asked for again when it is due', async () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      let [asked, answer]: [number, { sessions: number; ageMs: number } | undefined] = [
        0,
        undefined,
      ];
      const metrics = new SessionMetrics({
        countSessions: async () => {
          asked += 1;
          return answer;
        },
      });
      const shown = async () => {
        const value = await read(metrics);
        return [asked, value(active), value(age)];
      };
      expect(await shown()).toEqual([1, undefined, undefined]);
      answer = { sessions: 5, ageMs: 50_000 };
      vi.advanceTimersByTime(1000); // nobody had counted
      expect(await shown()).toEqual([2, 5, 50]);
      vi.advanceTimersByTime(9000);
      expect(await shown()).toEqual([2, 5, 59]);
      answer = { sessions: 6, ageMs: 2000 };
      vi.advanceTimersByTime(1000);
      expect(await shown()).toEqual([3, 6, 2]);
      answer = undefined; // the store has forgotten it
      vi.advanceTimersByTime(58_000);
      expect(await shown()).toEqual([4, 6, 60]);
    } finally {
      vi.useRealTimers();
    }
  });
});

describeWithServers('the metrics of a store in Redis', () => {
  it('count failures by kind and by whether anything may have happened', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const admin = new Redis(redis.url);
    admin.on('error', () => {});
    const connection = await connectRedis({ kind: 'url', url: redis.url });
    try {
      const { client } = connection;
      const metrics = new SessionMetrics({ countSessions: () => countSessions({ client }) });
      const repository = new RedisSessionRepository({ client });
      const service = new SessionService({ repository, observer: metrics });
      const { token } = await service.create();
      const errors = async (labels: Record<string, string>) =>
        (await read(metrics))('sojourn_store_errors_total', labels);
      const failing = async () => expect(service.get(token)).rejects.toThrow('store');
      expect(await errors({})).toBe(0);

      await admin.config('SET', 'maxmemory', '1');
      await expect(service.create()).rejects.toThrow('store');
      expect(await errors({ kind: 'full', outcome: 'refused' })).toBe(1);
      await admin.config('SET', 'maxmemory', '0');

      await admin.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
      await failing();
      expect(await errors({ kind: 'denied', outcome: 'refused' })).toBe(1);
      await admin.call('ACL', 'SETUSER', 'default', '+@all');

      redis.pause();
      await failing();
      expect(await errors({ kind: 'timeout', outcome: 'unknown' })).toBe(1);
      redis.resume();

      await redis.kill();
      await failing();
      await expect.poll(() => client.status).toBe('reconnecting');
      await failing();
      expect(await errors({ kind: 'connection' })).toBe(2);
      expect(await errors({ kind: 'connection', outcome: 'refused' })).toBeGreaterThan(0);
      expect(await errors({})).toBe(5);
      // What is done durably fails here before a call in it is made, and below with a call, which counts once.
      await expect(service.durably((own) => own.get(token))).rejects.toThrow('store');
      expect(await errors({})).toBe(6);
      await redis.restart();
      await expect.poll(() => client.status).toBe('ready');
      const refused = service.durably(async (own) => {
        await admin.call('ACL', 'SETUSER', 'default', '-evalsha', '-eval');
        await own.get(token);
      });
      await expect(refused).rejects.toThrow('store');
      expect(await errors({})).toBe(7);
      await service.durably(() => Promise.reject(new Error('its own'))).catch(() => {});
      expect(await errors({})).toBe(7);
      expect((await read(metrics))('sojourn_sessions_active')).toBe(1);
      const failed = { operation: 'access', outcome: 'failed' };
      const count = 'sojourn_store_operation_duration_seconds_count';
      expect((await read(metrics))(count, failed)).toBe(5);
    } finally {
      admin.disconnect();
      connection.client.disconnect();
      await redis.stop();
    }
  });

  it('tell how many reads the near cache answered, and what it holds', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const client = new Redis(redis.url);
    const near = openNearCache({ client });
    try {
      const metrics = new SessionMetrics({ nearCache: near.stats });
      const service = new SessionService({ repository: near.repository, observer: metrics });
      await expect.poll(() => near.stats().trusted).toBe(true);
      const { token } = await service.create();
      await service.peek(token);
      await expect.poll(() => near.stats().sessions).toBe(1);
      const before = await read(metrics);
      for (let i = 0; i < 10; i += 1) await service.peek(token);
      const value = await read(metrics);
      const gained = (name: string) => (value(name) ?? 0) - (before(name) ?? 0);
      expect(gained('sojourn_near_cache_hits_total')).toBe(10);
      expect(gained('sojourn_near_cache_misses_total')).toBe(0);
      expect(before('sojourn_near_cache_misses_total')).toBeGreaterThan(0);
      expect(value('sojourn_near_cache_sessions')).toBe(1);
      expect(value('sojourn_near_cache_bytes')).toBeGreaterThan(0);
      expect(value('sojourn_near_cache_trusted')).toBe(1);
      await redis.kill();
      await expect.poll(() => near.stats().trusted).toBe(false);
      expect((await read(metrics))('sojourn_near_cache_trusted')).toBe(0);
    } finally {
      client.on('error', () => {});
      await near.close();
      client.disconnect();
      await redis.stop();
    }
  });
});
