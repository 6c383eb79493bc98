import { progress } from '../report/progress.ts';
import type { Contender } from '../store/contender.ts';
import type { OwnRedis } from './own-redis.ts';
import { readCounters } from './redis-cost.ts';

export interface Memory {
  readonly name: string;
  readonly sessions: number;
  readonly bytesPerSession: number;
}

/** What Redis' memory grows by when it is filled with sessions, its own tables included. Empties Redis. */
export async function measureMemory(
  layouts: readonly Contender[],
  redis: OwnRedis,
  sessions: number,
): Promise<Memory[]> {
  const results: Memory[] = [];
  for (const { name, open } of layouts) {
    progress(`filling Redis with ${sessions} sessions: ${name}`);
    await redis.observer.flushall('SYNC');
    const before = await readCounters(redis.observer);
    const { close } = await open(redis.url, sessions);
    await close();
    const after = await readCounters(redis.observer);
    const bytesPerSession = (after.usedMemory - before.usedMemory) / sessions;
    results.push({ name, sessions, bytesPerSession });
  }
  await redis.observer.flushall('SYNC');
  return results;
}
