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

/** Operations a second with so many under way at any time. */
export async function measureThroughput(
  run: Run,
  operations: number,
  sessions: number,
  inFlight: number,
): Promise<number> {
  let left = operations;
  const worker = async () => {
    while (left-- > 0) await run(Math.floor(Math.random() * sessions));
  };
  const beganAt = performance.now();
  await Promise.all(Array.from({ length: inFlight }, worker));
  return operations / ((performance.now() - beganAt) / 1000);
}
