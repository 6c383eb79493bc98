import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ConnectionEvents } from '../../src/adapters/redis/clients/redis-commands.ts';
import { PING_INTERVAL_MS, Tracking } from '../../src/adapters/redis/near-cache/tracking.ts';
import { storeUnavailable } from '../../src/adapters/redis/redis-errors.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

type Answer = () => unknown;

/** A node of a cluster, what it answers, and a tracking of it. */
async function track() {
  const answers: Record<string, Answer> = {
    'CLIENT ID': () => 7,
    'INFO server': () => 'run_id:abc',
    'CLUSTER INFO': () => 'cluster_state:ok\r\n',
    ROLE: () => ['master', 0, []],
  };
  const ask = async (name: string, args: readonly (string | number)[]) =>
    answers[[name, ...args].join(' ')]?.() ?? 'OK';
  let renewed = 0;
  const connections: ConnectionEvents[] = [];
  const stayConnected = (events: ConnectionEvents) => {
    connections.push(events);
    return {
      database: 0,
      command: ask,
      script: async () => [],
      async subscribe() {},
      renew() {
        renewed += 1;
        events.lost();
      },
      close() {},
    };
  };
  const told: string[] = [];
  let lost = 0;
  const tracking = new Tracking({ command: ask, stayConnected }, true, {
    changed() {},
    lost: () => {
      lost += 1;
    },
    failed: ({ message }) => told.push(message),
  });
  for (const { ready } of connections) ready();
  const isTrusted = () => performance.now() < (tracking.trust?.until ?? 0);
  const beats = async (count: number) => {
    for (let i = 0; i < count; i += 1) {
      tracking.beat();
      await vi.advanceTimersByTimeAsync(PING_INTERVAL_MS);
    }
  };
  await beats(1);
  expect(isTrusted()).toBe(true);
  return { answers, told, isTrusted, beats, renewals: () => renewed, losses: () => lost };
}

const refused = (message: string) => () => {
  throw storeUnavailable(Object.assign(new Error(message), { name: 'ReplyError' }));
};

it.each<[string, string, Answer, RegExp]>([
  ['is demoted', 'ROLE', () => ['slave', 'a', 1, 'connected', 0], /not a primary/],
  ['is cut off', 'CLUSTER INFO', () => 'cluster_state:fail\r\n', /cluster is down/],
  ['refuses ROLE', 'ROLE', refused('NOPERM no permissions to run role'), /^NOPERM/],
  ['refuses CLUSTER INFO', 'CLUSTER INFO', refused('NOPERM no, not cluster|info'), /^NOPERM/],
  ['refuses a ping', 'PING', refused('LOADING Redis is loading'), /^LOADING/],
])(
  'says once why a node that %s is not trusted, keeps its connections and asks again',
  async (_, command, answer, why) => {
    const { answers, told, isTrusted, beats, renewals, losses } = await track();
    const usual = answers[command];
    answers[command] = answer;
    await beats(1);
    expect(isTrusted()).toBe(false);
    expect(losses()).toBe(1);
    await beats(10);
    expect(isTrusted()).toBe(false);
    expect(told).toEqual([expect.stringMatching(why)]);
    expect(renewals()).toBe(0);
    answers[command] = usual ?? (() => 'PONG');
    await beats(1);
    expect(isTrusted()).toBe(true);
    answers[command] = answer;
    await beats(1);
    expect(told).toHaveLength(2);
  },
);

it('says that a node is silent, and connects to it anew', async () => {
  const { answers, told, beats, renewals } = await track();
  answers.ROLE = () => new Promise(() => {});
  await beats(6);
  expect(told).toEqual([expect.stringMatching(/do not answer/)]);
  expect(renewals()).toBe(2);
});
