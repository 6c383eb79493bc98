import { setTimeout as wait } from 'node:timers/promises';

/** Requests that begin at a steady rate. */
export interface SteadyLoad {
  /** How many have begun. */
  readonly requests: number;
  /** Begins no more, and awaits those under way. */
  stop(): Promise<void>;
}

/** Begins so many requests a second, and leaves out those that would make more than that at once. */
export function beginSteadyLoad(
  requestsPerSecond: number,
  request: () => Promise<void>,
): SteadyLoad {
  let requests = 0;
  let stopped = false;
  const underWay = new Set<Promise<void>>();
  const clock = (async () => {
    const start = performance.now();
    while (!stopped) {
      const due = ((performance.now() - start) / 1000) * requestsPerSecond;
      for (; requests < due && underWay.size < requestsPerSecond; requests += 1) {
        const one: Promise<void> = request().finally(() => underWay.delete(one));
        underWay.add(one);
      }
      await wait(5);
    }
    await Promise.all(underWay);
  })();
  return {
    get requests() {
      return requests;
    },
    async stop() {
      stopped = true;
      await clock;
    },
  };
}
