import type { Redis } from 'ioredis';
import type { Cpu } from './cpu.ts';

/** What Redis counted so far. */
export interface RedisCounters {
  readonly cpu: Cpu;
  /** How often it read from a socket: the round trips, while one operation follows the other. */
  readonly reads: number;
  /** Bytes that it sent. */
  readonly sent: number;
  readonly usedMemory: number;
  /** How often each command ran, those inside of scripts and transactions included. */
  readonly calls: ReadonlyMap<string, number>;
}

const OWN_COMMANDS = ['info', 'config', 'client', 'hello', 'flushall'];

export async function readCounters(redis: Redis): Promise<RedisCounters> {
  const info = await redis.info('everything');
  const value = (name: string) => Number(new RegExp(`^${name}:(\\S+)`, 'm').exec(info)?.[1]);
  const calls = new Map<string, number>();
  for (const [, name = '', count] of info.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)) {
    if (!OWN_COMMANDS.some((own) => name.startsWith(own))) calls.set(name, Number(count));
  }
  return {
    cpu: { userUs: value('used_cpu_user') * 1e6, systemUs: value('used_cpu_sys') * 1e6 },
    reads: value('total_reads_processed'),
    sent: value('total_net_output_bytes'),
    usedMemory: value('used_memory'),
    calls,
  };
}

/** Each command that ran between the two, with how often it ran for each operation. */
export function callsPerOperation(
  before: RedisCounters,
  after: RedisCounters,
  operations: number,
): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [name, count] of after.calls) {
    const rate = (count - (before.calls.get(name) ?? 0)) / operations;
    if (rate > 0.005) result[name] = Math.round(rate * 100) / 100;
  }
  return result;
}
