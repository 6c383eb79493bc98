import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ServerLog } from '../../src/adapters/pino/server-log.ts';
import { storeUnavailable } from '../../src/adapters/redis/redis-errors.ts';

const operation = { name: 'access', id: 'x'.repeat(22) as never } as const;

function logTo(level: 'debug' | 'warn' = 'warn') {
  const lines: Record<string, unknown>[] = [];
  const write = (line: string) => void lines.push(JSON.parse(line));
  const log = new ServerLog({ level, stream: { write } });
  const fails = (message = 'connection is closed', code?: string) => {
    const error = Object.assign(new Error(message), { ...(code && { name: code }) });
    log.storeAsked(operation)({ outcome: 'failed', error: storeUnavailable(error) });
  };
  const answers = () => log.storeAsked(operation)({ outcome: 'ok' });
  return { log, lines, fails, answers, messages: () => lines.map(({ msg }) => msg) };
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('an outage of the store in the log', () => {
  it('is a line when it begins, one with a count now and then, one when the store is back', async () => {
    const { log, lines, fails, answers } = logTo();
    for (let second = 0; second < 70; second += 1) {
      for (let i = 0; i < 10; i += 1) fails('connection is closed');
      log.connectionFailed(new Error('connect ECONNREFUSED 127.0.0.1:6379'));
      await vi.advanceTimersByTimeAsync(1000);
    }
    answers();
    await vi.advanceTimersByTimeAsync(3000);
    expect(lines).toMatchObject([
      { level: 'warn', msg: 'store fails', operation: 'access', failure: 'connection' },
      { level: 'warn', msg: 'store still fails', seconds: 30, failures: { connection: 300 } },
      { level: 'warn', msg: 'store still fails', seconds: 60, failures: { connection: 600 } },
      { level: 'warn', msg: 'store answers again', failures: { connection: 700 }, connections: 70 },
    ]);
    expect(lines[0]?.reason).toBe('connection is closed');
    expect(lines[3]?.seconds).toBeGreaterThanOrEqual(70);
    expect(lines[3]?.seconds).toBeLessThanOrEqual(73);
    answers();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(lines).toHaveLength(4);
  });

  it('is not over when a store that refuses writes answers reads, only when it would take a write', async () => {
    const { log, fails, answers, messages } = logTo();
    let isReplica = true;
    log.watchStore(async () => {
      if (isReplica) throw storeUnavailable(new Error('READONLY'));
    });
    fails("READONLY You can't write against a read only replica.", 'ReplyError');
    for (let second = 0; second < 10; second += 1) {
      answers();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(messages()).toEqual(['store fails']);
    isReplica = false;
    await vi.advanceTimersByTimeAsync(3000);
    expect(messages()).toEqual(['store fails', 'store answers again']);
  });

  it('is over by itself on a night when nobody asks', async () => {
    const { log, messages } = logTo();
    let away = true;
    log.watchStore(async () => {
      if (away) throw storeUnavailable(new Error('connect ECONNREFUSED'));
    });
    log.connectionFailed(new Error('read ECONNRESET'));
    await vi.advanceTimersByTimeAsync(20_000);
    expect(messages()).toEqual(['store fails']);
    away = false;
    await vi.advanceTimersByTimeAsync(3000);
    expect(messages()).toEqual(['store fails', 'store answers again']);
  });

  it('is one while only some operations fail, and fewer lines the more often it comes back', async () => {
    const steady = logTo();
    for (let i = 0; i < 29; i += 1) {
      steady.fails('Command timed out');
      steady.answers();
      await vi.advanceTimersByTimeAsync(1000);
    }
    expect(steady.messages()).toEqual(['store fails']);
    const nowAndThen = logTo();
    for (let i = 0; i < 200; i += 1) {
      nowAndThen.fails('Command timed out');
      nowAndThen.answers();
      await vi.advanceTimersByTimeAsync(5000);
      nowAndThen.answers();
    }
    const begun = nowAndThen.messages().filter((msg) => msg === 'store fails');
    expect(begun.length).toBeLessThanOrEqual(5); // of 200 in 17 minutes
  });

  it('is told anew where it becomes another trouble, not where being away shows in another way', () => {
    const { fails, lines } = logTo();
    fails('Command timed out');
    fails('connection is closed');
    fails('LOADING Redis is loading the dataset in memory', 'ReplyError');
    fails('OOM command not allowed', 'ReplyError');
    fails('OOM command not allowed', 'ReplyError');
    expect(lines).toMatchObject([{ failure: 'timeout' }, { failure: 'full' }]);
  });

  it('has every failure in full at level debug, with the request that met it', async () => {
    const { log, lines, fails } = logTo('debug');
    log.connectionFailed(new Error('read ECONNRESET'));
    await log.during('request-7', async () => fails());
    expect(lines[1]).toMatchObject({
      ...{ level: 'debug', msg: 'store operation failed', requestId: 'request-7' },
      ...{ operation: 'access', failure: 'connection', sessionId: operation.id },
    });
  });
});

it('ascribes no failing connection, and nothing that a timer found, to the request in which it came about', async () => {
  const { log, lines, fails, answers } = logTo('debug');
  await log.during('request-7', async () => {
    log.connectionFailed(new Error('read ECONNRESET'));
    log.connectionFailed(new Error('connect ECONNREFUSED'));
    log.storeSilent(storeUnavailable(new Error('Command timed out')));
    log.degraded('sessions could not be counted', new Error('NOPERM'));
  });
  await vi.advanceTimersByTimeAsync(31_000);
  answers();
  await vi.advanceTimersByTimeAsync(3000);
  expect(lines).toHaveLength(5);
  for (const line of lines) expect(line).not.toHaveProperty('requestId');
  await log.during('request-8', async () => fails());
  expect(lines.at(-1)).toMatchObject({ msg: 'store fails', requestId: 'request-8' });
});
