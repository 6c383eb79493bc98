import type { StoreTurn, StoreTurns } from '../measure/compare.ts';
import type { Memory } from '../measure/memory.ts';
import { summarize } from '../measure/statistics.ts';
import type { Goal } from '../report/goals.ts';
import { paired } from '../report/paired.ts';
import { connectRedisTouch } from './connect-redis.ts';
import type { Contender } from './contender.ts';
import { batchedHgetall, rawHgetall } from './raw-hgetall.ts';
import {
  nearCacheHit,
  nearCacheWithWrites,
  sojournByNodeRedis,
  sojournGet,
  sojournRefreshAfter,
} from './sojourn.ts';

/** What the store should cost, next to what it does cost. */
export function storeGoals(turns: StoreTurns, memory: readonly Memory[]): Goal[] {
  const ratio = (one: Contender, figure: 'p50Us' | 'perSecond', other: Contender) => {
    const of = (turn: StoreTurn) => turn[figure];
    return paired(turns.get(one.name) ?? [], of, turns.get(other.name) ?? [], of);
  };
  const bytes = ({ name }: Contender) =>
    memory.find((one) => one.name === name)?.bytesPerSession ?? Number.NaN;
  return [
    {
      what: 'p50 of get, to HGETALL by ioredis',
      atMost: 1.3,
      found: ratio(sojournGet, 'p50Us', rawHgetall),
    },
    {
      what: 'throughput of get, to HGETALL by ioredis',
      atLeast: 1.1,
      found: ratio(sojournGet, 'perSecond', rawHgetall),
    },
    {
      what: "throughput of get, to HGETALL by Sojourn's client",
      atLeast: 0.85,
      found: ratio(sojournGet, 'perSecond', batchedHgetall),
    },
    {
      what: 'p50 with refreshAfter, to HGETALL by ioredis',
      atMost: 1.2,
      found: ratio(sojournRefreshAfter, 'p50Us', rawHgetall),
    },
    {
      what: 'throughput with refreshAfter, to HGETALL by ioredis',
      atLeast: 1.3,
      found: ratio(sojournRefreshAfter, 'perSecond', rawHgetall),
    },
    {
      what: 'throughput of near-cache hits, to HGETALL by ioredis',
      atLeast: 20,
      found: ratio(nearCacheHit, 'perSecond', rawHgetall),
    },
    {
      what: 'the same with 1 % writes elsewhere, to HGETALL by ioredis',
      atLeast: 15,
      found: ratio(nearCacheWithWrites, 'perSecond', rawHgetall),
    },
    {
      what: 'throughput of get by node-redis, to connect-redis get + touch by the same client',
      atLeast: 1,
      found: ratio(sojournByNodeRedis, 'perSecond', connectRedisTouch),
    },
    {
      what: "bytes per session, to connect-redis'",
      atMost: 1.1,
      found: summarize([bytes(sojournGet) / bytes(connectRedisTouch)]),
    },
  ];
}
