import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import { type SessionEvent, SessionService } from '../../src/index.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

describeWithServers('many logins of one user at once', () => {
  it('answers each of 600 concurrent logins where three sessions are allowed, and has three alive then', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    // Without a timeout: what is proven is what races leave behind, on a busy machine as well.
    const clients = Array.from({ length: 8 }, () => new Redis(redis.url));
    try {
      const events: SessionEvent[] = [];
      const observer = { notify: (event: SessionEvent) => void events.push(event) };
      const policy = { maxSessions: 3 };
      const apps = clients.map((client) => {
        const repository = new RedisSessionRepository({ client });
        return new SessionService({ repository, policy, observer });
      });
      const [app] = apps as [SessionService];
      const logins = await Promise.all(
        Array.from({ length: 600 }, (_, i) =>
          (apps[i % apps.length] ?? app).create({}, { user: 'ada' }),
        ),
      );
      const found = await Promise.all(logins.map(({ token }) => app.peek(token)));
      const alive = found.filter((session) => session !== undefined).map(({ id }) => id);
      expect(alive).toHaveLength(3);
      expect(new Set((await app.list('ada')).map(({ id }) => id))).toEqual(new Set(alive));
      const told = (type: SessionEvent['type']) =>
        events.filter((event) => event.type === type).map(({ id }) => id);
      const ids = logins.map(({ session }) => session.id);
      expect(told('created').toSorted()).toEqual(ids.toSorted());
      const ended = ids.filter((id) => !alive.includes(id));
      expect(told('ended').toSorted()).toEqual(ended.toSorted());
      // Not the square of their number: each would otherwise end all that came before it.
      const { calls } =
        /cmdstat_evalsha:calls=(?<calls>\d+)/.exec((await clients[0]?.info('commandstats')) ?? '')
          ?.groups ?? {};
      expect(Number(calls)).toBeLessThan(600 * 100);
    } finally {
      for (const client of clients) client.disconnect();
      await redis.stop();
    }
  });
});
