import { monitorEventLoopDelay } from 'node:perf_hooks';
import { quantile } from './statistics.ts';

export interface Bystander {
  /** How many operations were answered, and how many were not. */
  readonly operations: number;
  readonly failed: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** How long the event loop was held at most, beyond a timer's due time. */
  readonly heldMs: number;
  /** Resident memory at its peak, above what there was at the beginning. */
  readonly grownMb: number;
}

const EVERY_MS = 2;

/** What somebody else sees of a process while it does something: an operation every two milliseconds, whether the last one is done or not. */
export async function watch<T>(
  operation: () => Promise<unknown>,
  act: () => Promise<T>,
): Promise<{ readonly answer: T; readonly seen: Bystander }> {
  const ms: number[] = [];
  let failed = 0;
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const before = process.memoryUsage.rss();
  let peak = before;
  const asked = new Set<Promise<void>>();
  const ask = () => {
    const dueAt = performance.now();
    const done = operation()
      .then(() => {
        ms.push(performance.now() - dueAt);
      })
      .catch(() => {
        failed += 1;
      })
      .finally(() => asked.delete(done));
    asked.add(done);
    peak = Math.max(peak, process.memoryUsage.rss());
  };
  delay.enable();
  const timer = setInterval(ask, EVERY_MS);
  try {
    const answer = await act();
    await Promise.all(asked);
    const sorted = Float64Array.from(ms).sort();
    const seen = {
      operations: sorted.length,
      failed,
      ...{
        p50Ms: quantile(sorted, 0.5),
        p99Ms: quantile(sorted, 0.99),
        maxMs: quantile(sorted, 1),
      },
      heldMs: delay.max / 1e6 - 1,
      grownMb: (peak - before) / 2 ** 20,
    };
    return { answer, seen };
  } finally {
    clearInterval(timer);
    delay.disable();
  }
}
