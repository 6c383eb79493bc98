import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { Redis } from 'ioredis';
import { beforeAll, describe, expect, it } from 'vitest';
import { type LogLevel, ServerLog } from '../../src/adapters/pino/server-log.ts';
import { storeUnavailable } from '../../src/adapters/redis/redis-errors.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';

const SECRET = 'vEM6i9WxhA7IZ8P8EgZkDTEe8efarWCQjUIl9N0eSEk';

function logTo(level: LogLevel = 'debug') {
  let text = '';
  const write = (line: string) => {
    text += line;
  };
  const log = new ServerLog({ level, stream: { write } });
  return {
    log,
    text: () => text,
    lines: () =>
      text
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line)),
  };
}

beforeAll(() => {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
});

const request = {
  method: 'GET',
  path: '/',
  status: 200,
  durationMs: 1.23456,
  sessionId: undefined,
};

describe('the log', () => {
  it('writes a JSON object a line, of requests, sessions and errors, joined by the id of the request', async () => {
    const { log, lines } = logTo();
    const service = new SessionService({
      repository: new MemorySessionRepository(),
      observer: log,
    });
    const [one, two] = await Promise.all(
      ['one', 'two'].map((requestId) =>
        log.during(requestId, async () => {
          const { session } = await service.create({}, { user: requestId });
          log.answered({ ...request, sessionId: session.id });
          log.unexpected(new TypeError('boom'));
          return session.id;
        }),
      ),
    );
    for (const [requestId, sessionId] of [
      ['one', one],
      ['two', two],
    ]) {
      const own = lines().filter((line) => line.requestId === requestId);
      expect(own).toMatchObject([
        { level: 'info', msg: 'session', event: 'created', sessionId, user: requestId },
        { level: 'info', msg: 'request', method: 'GET', path: '/', status: 200, durationMs: 1.235 },
        { level: 'error', msg: 'unexpected error', err: { type: 'TypeError', message: 'boom' } },
      ]);
      expect(own[1].sessionId).toBe(sessionId);
      expect(own[2].err.stack).toContain('server-log.test.ts');
      expect(own[0].time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    }
  });

  it('names the trace that a line belongs to, where there is one', () => {
    const { log, lines } = logTo();
    const span = trace.wrapSpanContext({
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      traceFlags: 1,
    });
    context.with(trace.setSpan(context.active(), span), () => log.answered(request));
    log.answered(request);
    expect(lines().map(({ traceId }) => traceId)).toEqual(['a'.repeat(32), undefined]);
  });

  it('is as loud as it was told to be: failures and old tokens before logins, probes last', () => {
    const id = 'x'.repeat(22) as never;
    const written = (level: LogLevel) => {
      const { log, lines } = logTo(level);
      log.answered({ ...request, path: '/healthz' });
      log.notify({ type: 'ended', id, why: 'expired' });
      log.notify({ type: 'gone', id });
      log.answered(request);
      log.notify({ type: 'created', id, user: undefined });
      log.answered({ ...request, path: '/healthz', status: 403 });
      log.answered({ ...request, status: 503 });
      log.notify({ type: 'reused', id });
      log.connectionFailed(new Error('away'));
      log.connectionFailed(new Error('away'));
      log.answered({ ...request, status: 503, storeFailed: true });
      log.unexpected(new Error('boom'));
      return lines().map(({ level }) => level);
    };
    expect(written('debug')).toEqual([
      'debug',
      'debug',
      'debug',
      'info',
      'info',
      'info',
      'warn',
      'warn',
      'warn',
      'debug',
      'info',
      'error',
    ]);
    expect(written('info').join(' ')).toBe('info info info warn warn warn info error');
    expect(written('warn')).toEqual(['warn', 'warn', 'warn', 'error']);
    expect(written('error')).toEqual(['error']);
  });

  it('lets nothing forge a line or reach the terminal', () => {
    const { log, lines, text } = logTo();
    const user = 'ada\r\n{"level":"error"}\u001b[31m\u0000\u007f\u009b31m\u202e\u2028\u0085';
    log.notify({ type: 'created', id: 'x'.repeat(22) as never, user });
    log.answered({ ...request, path: `/${user}` });
    log.unexpected(new Error(user));
    expect(lines()).toHaveLength(3);
    expect(lines()[0].user).toBe(user);
    expect(text()).not.toMatch(/[^\P{Cc}\n]|\p{Cf}|\p{Zl}|\p{Zp}/u);
  });

  it('shows of an error what is known to be harmless, and its causes', () => {
    const { log, lines, text } = logTo();
    const reply = Object.assign(
      new Error(`ERR unknown command, with args beginning with: 'held'`),
      {
        name: 'ReplyError',
        code: 'ERR',
        command: { name: 'evalsha', args: ['sojournUpdate', SECRET, 'held in the session'] },
        previousErrors: [{ args: [SECRET] }],
        lastNodeError: { command: { args: ['held in the session'] } },
      },
    );
    log.unexpected(storeUnavailable(reply));
    log.unexpected(new Error(`about ${SECRET}`, { cause: reply }));
    log.unexpected({ args: [SECRET, 'held'] });
    log.unexpected(`thrown ${SECRET}`);
    const circular = new Error('circular');
    circular.cause = circular;
    log.unexpected(circular);
    const [unavailable, about, , thrown] = lines();
    expect(unavailable.err).toMatchObject({
      type: 'StoreUnavailableError',
      code: 'store_unavailable',
      outcome: 'refused',
      cause: { type: 'ReplyError', message: 'ERR unknown command' },
    });
    expect(about.err.message).toBe('about <redacted>');
    expect(thrown.err.message).toBe('thrown <redacted>');
    const shown = new Set(lines().flatMap(({ err }) => Object.keys(err)));
    for (const key of shown) {
      expect(['type', 'message', 'stack', 'code', 'outcome', 'failure', 'cause']).toContain(key);
    }
    for (const word of [SECRET, 'held', 'sojournUpdate']) expect(text()).not.toContain(word);
  });

  it('shows no secret that somebody put into a path, and no path without end', () => {
    const { log, lines, text } = logTo();
    log.answered({ ...request, path: `/login/${'x'.repeat(22)}.${SECRET}/x` });
    log.answered({ ...request, path: `/${'a/'.repeat(10_000)}` });
    log.answered({ ...request, path: `/${'a/'.repeat(120)}${SECRET}` });
    expect(lines()[2].path).toMatch(/<redacted>|<reda/);
    expect(text()).not.toContain(SECRET.slice(0, 8));
    expect(lines()[0].path).toBe(`/login/${'x'.repeat(22)}.<redacted>/x`);
    expect(text().length).toBeLessThan(1000);
  });
});

describeWithServers('the log of a Redis that fails', () => {
  it('says why a request was refused, without a secret in it and without end', () => {
    const { log, lines } = logTo();
    const reason = `the origin https://${SECRET}.${'x'.repeat(1000)} is foreign`;
    log.answered({ ...request, status: 403, reason });
    log.answered({ ...request, reason: undefined });
    const [refused, answered] = lines();
    expect(refused.reason).toMatch(/^the origin https:/);
    expect(refused.reason).not.toContain(SECRET);
    expect(refused.reason.length).toBeLessThan(300);
    expect(answered).not.toHaveProperty('reason');
  });

  it('says which operation failed, why and for whom, with no argument of any command', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    // As whoever brings a client of his own may have it: its errors carry the commands.
    const client = new Redis(redis.url, { maxRetriesPerRequest: 0, commandTimeout: 300 });
    const { log, lines, text } = logTo('debug');
    const raw: unknown[] = [];
    client.on('error', (error) => log.connectionFailed(error));
    try {
      const repository = new RedisSessionRepository({ client });
      const service = new SessionService({ repository, observer: log });
      const { token, session } = await service.create({ word: 'held' }, { user: 'somebody' });
      const hash = (await client.hget(`session:${session.id}`, 'session_secret')) ?? '';
      await client.call('HSET', `session:${session.id}`, hash).catch((error) => raw.push(error));
      for (const error of raw) log.unexpected(error);
      await client.config('SET', 'maxmemory', '1');
      await service.update(token, { set: { word: 'another' } }).catch(() => {});
      await service.create({ word: 'another' }, { user: 'somebody' }).catch(() => {});
      await redis.kill();
      await service.update(token, { set: { word: 'another' } }).catch(() => {});
      await expect.poll(() => text()).toContain('store connection failed');
      expect(JSON.stringify(raw)).toContain(hash); // so there was something to strip
      const failed = lines().filter(({ msg }) => msg.startsWith('store '));
      const refused = { failure: 'full', outcome: 'refused' };
      const lost = { failure: 'connection' };
      expect(failed.filter(({ operation }) => operation !== undefined)).toMatchObject([
        { msg: 'store fails', operation: 'update', ...refused, sessionId: session.id },
        { msg: 'store operation failed', operation: 'users.add', ...refused },
        { operation: 'update', ...lost, sessionId: session.id },
      ]);
      // Being full is one trouble, being away another; whoever noticed first that it is away.
      expect(failed.filter(({ msg }) => msg === 'store fails')).toMatchObject([refused, lost]);
      for (const { reason } of failed)
        expect(reason).toMatch(/OOM|the connection was closed|not connected to Redis|ECONN/);
      const told = lines().filter(({ event }) => event === undefined);
      for (const word of [token.split('.')[1], hash, 'held', 'another', 'somebody']) {
        expect(JSON.stringify(told)).not.toContain(word);
      }
    } finally {
      client.disconnect();
      await redis.stop();
    }
  });
});
