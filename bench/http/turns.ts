import { readCores, takenByOthers } from '../measure/bystanders.ts';
import { type Child, startChild } from '../measure/child-process.ts';
import { PROGRAM_CORE } from '../measure/cores.ts';
import { type Cpu, cpuBetween, ownCpu, totalUs } from '../measure/cpu.ts';
import type { OwnRedis } from '../measure/own-redis.ts';
import { readCounters } from '../measure/redis-cost.ts';
import { shuffled } from '../measure/statistics.ts';
import { progress } from '../report/progress.ts';
import { load, logIn } from './load.ts';
import type { ServerQuestion } from './server.ts';

export interface HttpOptions {
  /** How often each has its turn, after one that does not count. */
  readonly rounds: number;
  /** Of load, in a turn. */
  readonly seconds: number;
  /** Kept open, each with a session of its own. */
  readonly connections: number;
  /** Whether the processes have cores of their own. */
  readonly pinned: boolean;
}

/** What was measured in one turn; CPU is that of a request. */
export interface HttpTurn {
  readonly perSecond: number;
  readonly server: Cpu;
  readonly redis: Cpu;
  /** Of the process that asks. */
  readonly load: Cpu;
  /** The part of the cores that others took meanwhile. */
  readonly takenByOthers: number | undefined;
}

export type HttpTurns = ReadonlyMap<string, readonly HttpTurn[]>;

/** After it a near cache does the slides that it put off: docs/near-cache.md. */
const WARM_UP_SECONDS = 1;

/** All servers in short turns on one Redis. In its turn a server is alone: no other listens or is connected to Redis. */
export async function httpTurns(
  names: readonly string[],
  redis: OwnRedis,
  options: HttpOptions,
): Promise<HttpTurns> {
  const servers = names.map((name) => ({
    name,
    child: startChild(new URL('./server.js', import.meta.url), [name], PROGRAM_CORE),
    turns: [] as HttpTurn[],
  }));
  try {
    for (let round = 0; round <= options.rounds; round++) {
      for (const { name, child, turns } of shuffled(servers)) {
        progress(`round ${round} of ${options.rounds}: ${name}`);
        const turn = await takeTurn(child, redis, options);
        if (round > 0) turns.push(turn);
      }
    }
    return new Map(servers.map(({ name, turns }) => [name, turns]));
  } finally {
    for (const { child } of servers) child.stop();
  }
}

async function takeTurn(
  child: Child,
  redis: OwnRedis,
  { seconds, connections, pinned }: HttpOptions,
): Promise<HttpTurn> {
  const ask = <Answer>(question: ServerQuestion) => child.ask<Answer>(question);
  await redis.observer.flushall('SYNC');
  const port = await ask<number>({ do: 'open', redisUrl: redis.url });
  const cookies = await logIn(port, connections);
  await load(port, cookies, WARM_UP_SECONDS);

  const counters = async () => ({
    cores: readCores(pinned),
    redis: (await readCounters(redis.observer)).cpu,
    server: await ask<Cpu>({ do: 'tell the CPU' }),
    load: ownCpu(),
  });
  const before = await counters();
  const { requests, seconds: took } = await load(port, cookies, seconds);
  const after = await counters();

  await ask<undefined>({ do: 'close' });
  const used = (who: 'redis' | 'server' | 'load', operations: number) =>
    cpuBetween(before[who], after[who], operations);
  const ownUs = totalUs(used('redis', 1)) + totalUs(used('server', 1)) + totalUs(used('load', 1));
  return {
    perSecond: requests / took,
    server: used('server', requests),
    redis: used('redis', requests),
    load: used('load', requests),
    takenByOthers: takenByOthers(before.cores, after.cores, ownUs),
  };
}
