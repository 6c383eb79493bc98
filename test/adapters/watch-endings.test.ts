import { Redis } from 'ioredis';
import { afterEach, expect, it } from 'vitest';
import {
  AuditLog,
  observers,
  SessionEndings,
  type SessionEvent,
  SessionService,
  StoreUnavailableError,
} from '../../src/index.ts';
import { SessionMetrics } from '../../src/prometheus.ts';
import { RedisSessionRepository, watchEndings } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';

describeWithServers('the ends of sessions, watched in Redis', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
  });

  async function start(announced: string): Promise<RedisServer> {
    const args = ['--notify-keyspace-events', announced];
    const redis = await startRedisServer({ binary: redisBinary(), args });
    closing.push(() => redis.stop());
    return redis;
  }

  /** A process of its own, as far as Redis can tell: a connection, a service and a watch. */
  async function join(redis: RedisServer, prefix = 'session:') {
    const client = new Redis(redis.url);
    closing.push(() => client.disconnect());
    const events: SessionEvent[] = [];
    const endings = new SessionEndings();
    const metrics = new SessionMetrics();
    let audit = '';
    const log = new AuditLog({
      write: (line) => {
        audit += line;
      },
    });
    const record = { notify: (event: SessionEvent) => void events.push(event) };
    const observer = observers([endings, metrics, log, record]);
    const repository = new RedisSessionRepository({ client, prefix });
    const service = new SessionService({ repository, observer, policy: { maxSessions: 2 } });
    const stop = await watchEndings({ client, prefix, observer });
    closing.push(stop);
    return { client, service, endings, events, metrics, audit: () => audit, stop };
  }

  it.each<[string, (service: SessionService, token: string, id: string) => Promise<unknown>]>([
    ['is logged out', (service, token) => service.delete(token)],
    ['is ended by its id', (service, _, id) => service.end(id)],
    ['ends with all of its user’s', (service) => service.deleteAll('ada')],
    [
      'is evicted',
      async (service) => {
        await service.create({}, { user: 'ada' });
        await service.create({}, { user: 'ada' });
      },
    ],
    ['is given a second to live', (service, token) => service.setTtl(token, 1)],
  ])('are heard at once in another process where one %s', async (_, end) => {
    const redis = await start('Exg');
    const [here, there] = [await join(redis), await join(redis)];
    const { token, session } = await here.service.create({}, { user: 'ada' });
    const told: string[] = [];
    there.endings.onEnded(session.id, () => told.push('there'));
    here.endings.onEnded(session.id, () => told.push('here'));
    await here.service.rotate(token, { grace: 60 });
    await here.service.update(token, { set: { a: '1' } });
    await here.service.update(token, { unset: ['a'] });
    expect(told).toEqual([]);
    await end(here.service, token, session.id);
    await expect.poll(() => told.toSorted()).toEqual(['here', 'there']);
  });

  it('count once, and are written once, by the process that caused them', async () => {
    const redis = await start('Exg');
    const [here, there] = [await join(redis), await join(redis)];
    const { token, session } = await here.service.create({}, { user: 'ada' });
    const { id } = session;
    await here.service.delete(token);
    for (const { events } of [here, there]) {
      await expect.poll(() => events).toContainEqual({ type: 'gone', id });
    }
    const ends = (events: SessionEvent[]) => events.filter(({ type }) => type === 'ended');
    const logout = { why: 'logout', user: 'ada', by: 'user' };
    expect(ends(here.events)).toEqual([{ type: 'ended', id, ...logout }]);
    expect(ends(there.events)).toEqual([]);
    const counted = async ({ metrics }: typeof here) =>
      (await metrics.registry.metrics()).match(/^sojourn_sessions_(ended|expired)\S* [1-9]/gm);
    expect(await counted(here)).toEqual(['sojourn_sessions_ended_total{why="logout"} 1']);
    expect(await counted(there)).toBeNull();
    expect(here.audit().match(/"type":"\w+"/g)).toEqual(['"type":"created"', '"type":"ended"']);
    expect(there.audit()).toBe('');
  });

  it('are those of the prefix alone, and nothing after the watch has ended', async () => {
    const redis = await start('Exg');
    const [here, there] = [await join(redis), await join(redis, 'session:other:')];
    const first = await here.service.create({}, { user: 'ada' });
    await here.service.delete(first.token);
    await here.client.set('session:no-id', 'x');
    await here.client.del('session:no-id');
    const gone = { type: 'gone', id: first.session.id };
    await expect.poll(() => here.events).toContainEqual(gone);
    await here.stop();
    const second = await here.service.create();
    await here.service.delete(second.token);
    const last = await there.service.create();
    await there.service.delete(last.token);
    // Redis tells in order: whoever hears of the last has heard of all.
    await expect.poll(() => there.events).toContainEqual({ type: 'gone', id: last.session.id });
    const told = (events: SessionEvent[]) => events.filter(({ type }) => type === 'gone');
    expect(told(here.events)).toEqual([gone]);
    expect(told(there.events)).toHaveLength(1);
  });

  it('are those that run out where Redis announces no more than these', async () => {
    const redis = await start('Ex');
    const [here, there] = [await join(redis), await join(redis)];
    const deleted = await here.service.create();
    await here.service.delete(deleted.token);
    const { session } = await here.service.create({}, { ttl: 1 });
    await expect
      .poll(() => there.events)
      .toEqual([{ type: 'ended', id: session.id, why: 'expired' }]);
  });

  it('fail at the start where Redis lets nobody listen', async () => {
    const redis = await start('Exg');
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    const user = ['on', '>pw', '~*', '+@all', 'resetchannels', '&__keyevent@*__:expired'];
    await admin.call('ACL', 'SETUSER', 'app', ...user);
    const client = new Redis(redis.url, { username: 'app', password: 'pw' });
    closing.push(() => client.disconnect());
    const watching = watchEndings({ client, observer: { notify() {} } });
    await expect(watching).rejects.toBeInstanceOf(StoreUnavailableError);
  });

  it('are heard again once Redis lets it listen again, and why it did not is told', async () => {
    const redis = await start('Exg');
    const admin = new Redis(redis.url);
    closing.push(() => admin.disconnect());
    const channels = ['resetchannels', '&__keyevent@*'];
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', ...channels);
    const client = new Redis(redis.url, { username: 'app', password: 'pw' });
    client.on('error', () => {});
    closing.push(() => client.disconnect());
    const events: SessionEvent[] = [];
    const errors: Error[] = [];
    const stop = await watchEndings({
      client,
      observer: { notify: (event) => void events.push(event) },
      onError: (error) => errors.push(error),
    });
    closing.push(stop);
    await admin.call('ACL', 'SETUSER', 'app', 'resetchannels');
    await admin.call('CLIENT', 'KILL', 'USER', 'app');
    const refusals = () => errors.map(String).join();
    await expect.poll(refusals).toMatch(/NOPERM/);
    await admin.call('ACL', 'SETUSER', 'app', ...channels);
    const service = new SessionService({
      repository: new RedisSessionRepository({ client: admin }),
    });
    const endOne = async () => {
      const { token } = await service.create({});
      await service.delete(token);
      return events.length;
    };
    await expect.poll(endOne).toBeGreaterThan(0);
  });
});
