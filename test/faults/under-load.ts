import { expect } from 'vitest';
import { commandsOf, type RedisClient } from '../../src/adapters/redis/clients/tell-apart.ts';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import type { RedisAddress } from '../../src/adapters/redis/redis-address.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService, type SessionServiceOptions } from '../../src/index.ts';
import { Keyspace } from '../support/keyspace.ts';
import { patient } from '../support/patience.ts';
import type { ClientKind, ConnectedClient } from '../support/redis-clients.ts';
import { everyOne, until } from '../support/until.ts';
import { type Call, type Outcome, type Span, violations } from './history.ts';
import { type Load, startLoad } from './load.ts';

const CLIENTS = 8;

/** Calls that must be answered before the fault and after it: with the same clients, so that recovery needs no restart. */
const ANSWERED = 400;

/**
 * Longer than any call may take: a call is at most three commands after each other, which give up after half a second
 * each. All the same it is much less than the faults last.
 */
const LONGEST_CALL_MS = 2500;

/** As connectRedis has it. */
const COMMAND_TIMEOUT_MS = 500;

/** Where a fault enters what it did to the sessions, if anything. */
export interface Happened {
  readonly wiped: Span[];
  readonly undone: Span[];
}

/** How many calls were answered how. */
export type Answers = Readonly<Record<Outcome['kind'], number>>;

/**
 * Runs clients with a connection each, does `fault` to their Redis meanwhile, waits until they are served again, and
 * judges what they were told: nothing impossible, nobody left waiting, every key with an expiry. The clients are told
 * apart by `apps`, in turn. With `near` they are one process instead, with one near cache: all changes are its own, so that
 * no answer may be late. The clients are those of connectRedis, or of another kind.
 */
export async function underLoad(
  address: RedisAddress,
  fault: (load: Load, happened: Happened) => Promise<unknown>,
  {
    apps = [{}],
    near = false,
    kind,
  }: {
    readonly apps?: readonly Partial<SessionServiceOptions>[];
    readonly near?: boolean;
    readonly kind?: ClientKind;
  } = {},
): Promise<Answers> {
  const connections = await Promise.all(
    Array.from(
      { length: CLIENTS },
      () => kind?.connect(address, COMMAND_TIMEOUT_MS) ?? own(address),
    ),
  );
  const [{ client: first }] = connections as [(typeof connections)[number]];
  const nearCache = near ? openNearCache({ client: first }) : undefined;
  const trusted = () =>
    until('the near cache is trusted', async () => nearCache?.stats().trusted !== false);
  try {
    await trusted();
    const services = connections.map(
      ({ client }, i) =>
        new SessionService({
          repository: nearCache?.repository ?? new RedisSessionRepository({ client }),
          ...apps[i % apps.length],
        }),
    );
    const load = startLoad(services);
    const happened: Happened = { wiped: [], undone: [] };
    let calls: readonly Call[];
    try {
      await load.more(ANSWERED);
      await fault(load, happened);
      await until('every client is served again', () =>
        everyOne(connections, ({ client }) => answers(client)),
      );
      await trusted();
      await load.more(ANSWERED);
      await until(
        'the near cache was in use',
        async () => !nearCache || nearCache.stats().hits > 100,
      );
    } finally {
      calls = await load.stop();
    }
    expect(violations(calls, happened).slice(0, 10)).toEqual([]);
    expect(Math.max(...calls.map(({ begin, end }) => end - begin))).toBeLessThan(LONGEST_CALL_MS);
    const { client, close } = await connectRedis(address, patient);
    try {
      expect(await new Keyspace(client).keysWithoutExpiry()).toEqual([]);
    } finally {
      await close();
    }
    return countAnswers(calls);
  } finally {
    await nearCache?.close();
    await Promise.all(connections.map(({ close }) => close()));
  }
}

/** The time that it took. */
export async function span(action: () => Promise<unknown>): Promise<Span> {
  const begin = performance.now();
  await action();
  return { begin, end: performance.now() };
}

function countAnswers(calls: readonly Call[]): Answers {
  const answers = { ok: 0, absent: 0, refused: 0, unknown: 0 };
  for (const { outcome } of calls) answers[outcome.kind] += 1;
  return answers;
}

async function own(address: RedisAddress): Promise<ConnectedClient> {
  const { client } = await connectRedis(address);
  return { client, close: async () => client.disconnect() };
}

/** Whether each primary answers. */
export async function answers(client: RedisClient): Promise<boolean> {
  const primaries = await commandsOf(client).primaries();
  return everyOne(primaries, async ({ command }) => (await command('PING', [])) === 'PONG');
}
