import { progress } from '../report/progress.ts';
import type { Contender } from '../store/contender.ts';
import { type ContenderProcess, startContender } from '../store/contender-process.ts';
import { readCores, takenByOthers } from './bystanders.ts';
import { type Cpu, cpuBetween, totalUs } from './cpu.ts';
import type { OwnRedis } from './own-redis.ts';
import { callsPerOperation, readCounters } from './redis-cost.ts';
import { shuffled } from './statistics.ts';

export interface CompareOptions {
  /** How often each has its turn, after one that does not count. */
  readonly rounds: number;
  /** Of a turn: one operation after the other, and again with `inFlight` of them under way. */
  readonly seconds: number;
  readonly inFlight: number;
  readonly sessions: number;
  /** Whether the processes have cores of their own. */
  readonly pinned: boolean;
}

/** CPU of an operation. */
export interface Cost {
  readonly client: Cpu;
  readonly redis: Cpu;
}

/** What was measured in one turn. */
export interface StoreTurn {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perSecond: number;
  readonly oneByOne: Cost;
  readonly together: Cost;
  readonly roundTrips: number;
  readonly commands: Readonly<Record<string, number>>;
  /** The part of the cores that others took meanwhile. */
  readonly takenByOthers: number | undefined;
}

/** The turns of each contender, in the order of the rounds. */
export type StoreTurns = ReadonlyMap<string, readonly StoreTurn[]>;

const WARM_UP_SECONDS = 0.25;

/**
 * All contenders in short turns on one Redis, so that whatever else the machine does meets them all. In its turn a
 * contender is alone: Redis is empty before, and nobody else is connected but who reads Redis' counters.
 */
export async function compare(
  contenders: readonly Contender[],
  redis: OwnRedis,
  options: CompareOptions,
): Promise<StoreTurns> {
  const processes = contenders.map((contender) => ({
    contender,
    process: startContender(contender),
    turns: [] as StoreTurn[],
  }));
  try {
    for (let round = 0; round <= options.rounds; round++) {
      for (const { contender, process, turns } of shuffled(processes)) {
        progress(`round ${round} of ${options.rounds}: ${contender.name}`);
        const turn = await takeTurn(contender, process, redis, options);
        if (round > 0) turns.push(turn);
      }
    }
    return new Map(processes.map(({ contender, turns }) => [contender.name, turns]));
  } finally {
    for (const { process } of processes) process.stop();
  }
}

async function takeTurn(
  { steadyAfterSeconds = 0 }: Contender,
  client: ContenderProcess,
  redis: OwnRedis,
  { seconds, inFlight, sessions, pinned }: CompareOptions,
): Promise<StoreTurn> {
  await redis.observer.flushall('SYNC');
  await client.ask({ do: 'open', redisUrl: redis.url, sessions });
  const lasting = { do: 'together', sessions, inFlight } as const;
  await client.ask({ ...lasting, seconds: Math.max(WARM_UP_SECONDS, steadyAfterSeconds) });

  const ownBefore = process.cpuUsage();
  const coresBefore = readCores(pinned);
  const before = await readCounters(redis.observer);
  const single = await client.ask({ do: 'one by one', sessions, seconds });
  const between = await readCounters(redis.observer);
  const together = await client.ask({
    ...lasting,
    seconds: Math.max(seconds, steadyAfterSeconds),
  });
  const after = await readCounters(redis.observer);
  const coresAfter = readCores(pinned);
  const own = process.cpuUsage(ownBefore);

  await client.ask({ do: 'close' });
  const redisUs = totalUs(cpuBetween(before.cpu, after.cpu));
  const usedUs = totalUs(single.cpu) + totalUs(together.cpu) + redisUs + own.user + own.system;
  return {
    p50Us: single.p50Us,
    p99Us: single.p99Us,
    perSecond: together.perSecond,
    oneByOne: {
      client: perOperation(single.cpu, single.operations),
      redis: cpuBetween(before.cpu, between.cpu, single.operations),
    },
    together: {
      client: perOperation(together.cpu, together.operations),
      redis: cpuBetween(between.cpu, after.cpu, together.operations),
    },
    roundTrips: Math.round((between.reads - before.reads) / single.operations),
    commands: callsPerOperation(before, between, single.operations),
    takenByOthers: takenByOthers(coresBefore, coresAfter, usedUs),
  };
}

function perOperation({ userUs, systemUs }: Cpu, operations: number): Cpu {
  return { userUs: userUs / operations, systemUs: systemUs / operations };
}
