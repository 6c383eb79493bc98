import { setTimeout as wait } from 'node:timers/promises';
import { SessionService } from '../../src/index.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { connect } from '../connect.ts';
import { applicationData, forEachIndex, TTL_SECONDS } from '../fixture.ts';
import { readCores, takenByOthers } from '../measure/bystanders.ts';
import { startChild } from '../measure/child-process.ts';
import { PROGRAM_CORE } from '../measure/cores.ts';
import { type Cpu, cpuBetween, ownCpu, totalUs } from '../measure/cpu.ts';
import type { OwnRedis } from '../measure/own-redis.ts';
import { readCounters } from '../measure/redis-cost.ts';
import { shuffled } from '../measure/statistics.ts';
import { progress } from '../report/progress.ts';
import type { ListenersQuestion } from './listeners.ts';

export interface FleetOptions {
  /** How many near caches listen, each in turns of its own. */
  readonly listeners: readonly number[];
  readonly rounds: number;
  /** Of a turn: as many sessions, each slid once. */
  readonly gets: number;
  readonly perSecond: number;
  /** Whether the processes have cores of their own. */
  readonly pinned: boolean;
}

/** What was measured in one turn, for each get that slides a session. */
export interface FleetTurn {
  readonly redis: Cpu;
  readonly bytesOut: number;
  /** Of one near cache, as all of them are in one process. */
  readonly listener: Cpu;
  /** Microseconds of Redis in a second in which nobody asks for anything: what watching the connections costs. */
  readonly atRest: number;
  /** Gets that were answered, which are fewer than wanted on a busy machine. */
  readonly perSecond: number;
  readonly takenByOthers: number | undefined;
}

export type FleetTurns = ReadonlyMap<number, readonly FleetTurn[]>;

/** What Redis had still to tell has arrived by then. */
const QUIET_MS = 300;
const REST_MS = 1000;

/**
 * What one `get` costs Redis that slides its session, by how many near caches there are which have read sessions: each
 * its share, so that every session is known to one of them. Who asks is no near cache.
 */
export async function fleetTurns(redis: OwnRedis, options: FleetOptions): Promise<FleetTurns> {
  const program = new URL('./listeners.js', import.meta.url);
  const fleet = startChild(program, ['the near caches'], PROGRAM_CORE);
  const tell = <Answer>(question: ListenersQuestion) => fleet.ask<Answer>(question);
  const { client, close } = await connect(redis.url);
  try {
    const service = new SessionService({
      repository: new RedisSessionRepository({ client }),
      policy: { ttl: TTL_SECONDS },
    });
    const tokens: string[] = new Array(options.gets);
    await forEachIndex(options.gets, async (index) => {
      tokens[index] = (await service.create(applicationData(index))).token;
    });
    await getAll(service, tokens, options.perSecond); // until it is compiled
    const turns = new Map(options.listeners.map((count) => [count, [] as FleetTurn[]]));
    for (let round = 1; round <= options.rounds; round++) {
      for (const [count, some] of shuffled([...turns])) {
        progress(`round ${round} of ${options.rounds}: ${count} near caches`);
        await tell({ do: 'open', redisUrl: redis.url, count, tokens });
        await wait(QUIET_MS);
        some.push(await takeTurn(count));
        await tell({ do: 'close' });
      }
    }
    return turns;

    async function takeTurn(count: number): Promise<FleetTurn> {
      const rested = await readCounters(redis.observer);
      const restedAt = performance.now();
      await wait(REST_MS);
      const before = await readCounters(redis.observer);
      const restMs = performance.now() - restedAt;

      const cores = readCores(options.pinned);
      const own = ownCpu();
      const theirs = await tell<Cpu>({ do: 'tell the CPU' });
      const beganAt = performance.now();
      await getAll(service, tokens, options.perSecond);
      const seconds = (performance.now() - beganAt) / 1000;
      await wait(QUIET_MS);
      const after = await readCounters(redis.observer);
      const listeners = cpuBetween(theirs, await tell<Cpu>({ do: 'tell the CPU' }));
      const used = [listeners, cpuBetween(own, ownCpu()), cpuBetween(before.cpu, after.cpu)];
      const usedUs = used.reduce((sum, cpu) => sum + totalUs(cpu), 0);

      const each = options.gets * Math.max(1, count);
      return {
        redis: cpuBetween(before.cpu, after.cpu, options.gets),
        bytesOut: (after.sent - before.sent) / options.gets,
        listener: { userUs: listeners.userUs / each, systemUs: listeners.systemUs / each },
        atRest: totalUs(cpuBetween(rested.cpu, before.cpu)) / (restMs / 1000),
        perSecond: options.gets / seconds,
        takenByOthers: takenByOthers(cores, readCores(options.pinned), usedUs),
      };
    }
  } finally {
    await close();
    fleet.stop();
  }
}

/** Each session once, evenly over the time that they take. */
async function getAll(
  service: SessionService,
  tokens: readonly string[],
  perSecond: number,
): Promise<void> {
  const beganAt = performance.now();
  const under = new Set<Promise<unknown>>();
  let asked = 0;
  while (asked < tokens.length) {
    const due = Math.floor(((performance.now() - beganAt) / 1000) * perSecond);
    for (; asked < Math.min(due, tokens.length); asked++) {
      const get = service.get(tokens[asked] ?? '').finally(() => under.delete(get));
      under.add(get);
    }
    await wait(1);
  }
  await Promise.all(under);
}
