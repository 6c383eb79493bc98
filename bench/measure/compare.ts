import { progress } from '../report/progress.ts';
import type { Contender } from '../store/contender.ts';
import { measureLatency, measureThroughput } from './latency.ts';
import type { OwnRedis } from './own-redis.ts';
import { callsPerOperation, readCounters } from './redis-cost.ts';
import { type Summary, shuffled, summarize } from './statistics.ts';

export interface CompareOptions {
  readonly rounds: number;
  /** Measured one after the other, in each round. */
  readonly sequential: number;
  /** Measured at least, with `inFlight` of them under way, in each round. */
  readonly concurrent: number;
  readonly inFlight: number;
  readonly sessions: number;
}

export interface Result {
  readonly name: string;
  readonly p50Us: Summary;
  readonly p99Us: Summary;
  readonly perSecond: Summary;
  /** Of Redis, for each operation, with `inFlight` under way. */
  readonly redisCpuUs: Summary;
  /** The same divided by the floor's of the same round. */
  readonly ratios: {
    readonly p50: Summary;
    readonly perSecond: Summary;
    readonly redisCpu: Summary;
  };
  readonly roundTrips: number;
  readonly commands: Readonly<Record<string, number>>;
}

interface Round {
  readonly p50Us: number;
  readonly p99Us: number;
  readonly perSecond: number;
  readonly redisCpuUs: number;
}

/** All contenders in turns on one Redis, so that whatever else the machine does meets them all; the first is the floor. */
export async function compare(
  contenders: readonly Contender[],
  redis: OwnRedis,
  options: CompareOptions,
): Promise<Result[]> {
  const { rounds, sequential, concurrent, inFlight, sessions } = options;
  const open = await Promise.all(
    contenders.map(async ({ name, open }) => ({
      name,
      ...(await open(redis.url, sessions)),
      rounds: [] as Round[],
      counted: { roundTrips: 0, commands: {} as Record<string, number> },
    })),
  );
  for (const contender of open) {
    progress(`warming up: ${contender.name}`);
    await measureThroughput(contender.run, concurrent, sessions, inFlight);
    await measureLatency(contender.run, sequential, sessions);
    const before = await readCounters(redis.observer);
    await measureLatency(contender.run, sequential, sessions);
    const after = await readCounters(redis.observer);
    contender.counted = {
      roundTrips: Math.round((after.reads - before.reads) / sequential),
      commands: callsPerOperation(before, after, sequential),
    };
    await contender.settle?.();
  }
  for (let round = 1; round <= rounds; round++) {
    for (const contender of shuffled(open)) {
      progress(`round ${round} of ${rounds}: ${contender.name}`);
      const latency = await measureLatency(contender.run, sequential, sessions);
      const before = await readCounters(redis.observer);
      const { perSecond, operations } = await measureThroughput(
        contender.run,
        ...([concurrent, sessions, inFlight] as const),
      );
      const after = await readCounters(redis.observer);
      const redisCpuUs = (after.cpuUs - before.cpuUs) / operations;
      contender.rounds.push({ ...latency, perSecond, redisCpuUs });
      await contender.settle?.();
    }
  }
  for (const contender of open) await contender.close();

  const floor = open[0]?.rounds ?? [];
  return open.map(({ name, rounds, counted }) => {
    const ratio = (figure: keyof Round) =>
      summarize(rounds.map((round, i) => round[figure] / (floor[i]?.[figure] ?? Number.NaN)));
    return {
      name,
      p50Us: summarize(rounds.map(({ p50Us }) => p50Us)),
      p99Us: summarize(rounds.map(({ p99Us }) => p99Us)),
      perSecond: summarize(rounds.map(({ perSecond }) => perSecond)),
      redisCpuUs: summarize(rounds.map(({ redisCpuUs }) => redisCpuUs)),
      ratios: {
        p50: ratio('p50Us'),
        perSecond: ratio('perSecond'),
        redisCpu: ratio('redisCpuUs'),
      },
      ...counted,
    };
  });
}
