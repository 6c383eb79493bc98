import { Redis } from 'ioredis';
import { describe, expect, it } from 'vitest';
import { AuditLog, type SessionEvent, SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { RedisSessionRepository, scanSessions, watchExpiry } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

describe('the audit log', () => {
  it('writes one JSON line an event, with ids and no token, whatever a user is called', async () => {
    let log = '';
    const write = (line: string) => {
      log += line;
    };
    const observer = new AuditLog({ write, clock: { now: () => 0 } });
    const service = new SessionService({ repository: new MemorySessionRepository(), observer });
    const user = 'ada\n{"forged":true}\u001b[31m\r\u009b31m\u202e\u2028\u0085';
    const { token, session } = await service.create({ secret: 'field' }, { user });
    const next = (await service.rotate(token)) || '';
    await service.get(token);
    await service.deleteAll(user);
    await service.get(next);
    const lines = log.trimEnd().split('\n');
    const { id } = session;
    expect(lines.map((line) => JSON.parse(line))).toEqual(
      [
        { type: 'created', id, user },
        { type: 'rotated', id, user },
        { type: 'reused', id },
        { type: 'ended', id, why: 'revoked', user },
        { type: 'refused', id },
      ].map((event) => ({ time: '1970-01-01T00:00:00.000Z', ...event })),
    );
    expect(log).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}/u);
    for (const secret of [token, next]) expect(log).not.toContain(secret.split('.')[1]);
    expect(log).not.toContain('field');
  });
});

describeWithServers("the operator's view of Redis", () => {
  it('walks through all sessions of a prefix, page by page, and through nothing else', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    const client = new Redis(redis.url);
    try {
      const prefix = 'session:a*[b]?:';
      const service = new SessionService({
        repository: new RedisSessionRepository({ client, prefix }),
      });
      const other = new SessionService({ repository: new RedisSessionRepository({ client }) });
      const ids = new Set<string>();
      for (let i = 0; i < 300; i += 1) {
        ids.add((await service.create({}, { user: `user ${i % 7}` })).session.id);
        await other.create();
      }
      const found: string[] = [];
      let pages = 0;
      for await (const page of scanSessions({ client, prefix, pageSize: 50 })) {
        found.push(...page);
        pages += 1;
      }
      expect(new Set(found)).toEqual(ids);
      expect(pages).toBeGreaterThan(3);
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });

  it('hears of sessions that run out, where Redis announces them', async () => {
    const redis = await startRedisServer({
      binary: redisBinary(),
      args: ['--notify-keyspace-events', 'Ex'],
    });
    const client = new Redis(redis.url);
    const events: SessionEvent[] = [];
    const observer = { notify: (event: SessionEvent) => void events.push(event) };
    const stop = await watchExpiry({ client, observer });
    try {
      const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
      const { session } = await service.create({}, { ttl: 1 });
      await client.set('session:something-else', 'x', 'PX', 1);
      await expect.poll(() => events).toEqual([{ type: 'ended', id: session.id, why: 'expired' }]);
    } finally {
      await stop();
      client.disconnect();
      await redis.stop();
    }
  });
});
