import { quantile } from './statistics.ts';

type Run = (index: number) => Promise<unknown>;

export interface Latency {
  readonly p50Us: number;
  readonly p99Us: number;
  /** How many were measured. */
  readonly operations: number;
}

/** Operations one after the other, for so long. */
export async function measureLatency(
  run: Run,
  { sessions, seconds }: { readonly sessions: number; readonly seconds: number },
): Promise<Latency> {
  const micros: number[] = [];
  const endsAt = performance.now() + seconds * 1000;
  for (let beganAt = performance.now(); beganAt < endsAt; ) {
    await run(Math.floor(Math.random() * sessions));
    const endedAt = performance.now();
    micros.push((endedAt - beganAt) * 1000);
    // What answers from memory never lets the event loop turn by itself, as requests would.
    if (micros.length % TURN === 0) await new Promise(setImmediate);
    beganAt = performance.now();
  }
  const sorted = Float64Array.from(micros).sort();
  const [p50Us, p99Us] = [quantile(sorted, 0.5), quantile(sorted, 0.99)];
  return { p50Us, p99Us, operations: sorted.length };
}

const TURN = 1000;

export interface Throughput {
  readonly perSecond: number;
  /** How many were measured. */
  readonly operations: number;
}

/**
 * Operations are begun and waited for in batches, with a turn of the event loop behind each as any server has: so many
 * that the last ones of a batch, of which fewer are under way, do not count.
 */
const [LEAST_IN_BATCH, MOST_IN_BATCH] = [500, 5000];
const BATCH_SECONDS = 0.1;

/** Operations for so long at least, with so many under way at any time. */
export async function measureThroughput(
  run: Run,
  {
    sessions,
    seconds,
    inFlight,
  }: { readonly sessions: number; readonly seconds: number; readonly inFlight: number },
): Promise<Throughput> {
  let took = 0;
  let operations = 0;
  while (took < seconds) {
    const fitting = Math.round((operations / took) * BATCH_SECONDS) || 0; // NaN at first
    const batch = Math.min(MOST_IN_BATCH, Math.max(LEAST_IN_BATCH, fitting));
    let left = batch;
    const worker = async () => {
      while (left-- > 0) await run(Math.floor(Math.random() * sessions));
    };
    const beganAt = performance.now();
    await Promise.all(Array.from({ length: inFlight }, worker));
    took += (performance.now() - beganAt) / 1000;
    operations += batch;
    await new Promise(setImmediate);
  }
  return { perSecond: operations / took, operations };
}
