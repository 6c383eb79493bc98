import { quantile } from './statistics.ts';

type Run = (index: number) => Promise<unknown>;

export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** One operation after the other. */
export async function measureLatency(
  run: Run,
  operations: number,
  sessions: number,
): Promise<Latency> {
  const micros = new Float64Array(operations);
  for (let i = 0; i < operations; i++) {
    const index = Math.floor(Math.random() * sessions);
    const beganAt = performance.now();
    await run(index);
    micros[i] = (performance.now() - beganAt) * 1000;
  }
  micros.sort();
  return { p50Us: quantile(micros, 0.5), p99Us: quantile(micros, 0.99) };
}

export interface Throughput {
  readonly perSecond: number;
  /** How many were measured. */
  readonly operations: number;
}

/** What takes less is measured several times in a row, with a turn of the event loop in between as any server has. */
const LEAST_SECONDS = 0.2;

/** So many operations, or more of those that are fast, with so many under way at any time. */
export async function measureThroughput(
  run: Run,
  operations: number,
  sessions: number,
  inFlight: number,
): Promise<Throughput> {
  let seconds = 0;
  let done = 0;
  while (seconds < LEAST_SECONDS) {
    let left = operations;
    const worker = async () => {
      while (left-- > 0) await run(Math.floor(Math.random() * sessions));
    };
    const beganAt = performance.now();
    await Promise.all(Array.from({ length: inFlight }, worker));
    seconds += (performance.now() - beganAt) / 1000;
    done += operations;
    await new Promise(setImmediate);
  }
  return { perSecond: done / seconds, operations: done };
}
