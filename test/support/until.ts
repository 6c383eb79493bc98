import { setTimeout as wait } from 'node:timers/promises';

const INTERVAL_MS = 50;

/**
 * Resolves when the condition holds; one that throws does not hold yet. Rejects with what was awaited, and with the
 * last thing thrown as the cause, when it does not come true. Needs no test runner.
 */
export async function until(
  what: string,
  condition: () => Promise<boolean>,
  { timeoutMs = 30_000 }: { readonly timeoutMs?: number } = {},
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  let cause: unknown;
  do {
    try {
      if (await condition()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await wait(INTERVAL_MS);
  } while (Date.now() < deadline);
  throw new Error(`Not within ${timeoutMs} ms: ${what}`, { cause });
}

/** Whether the condition holds for each of them. */
export async function everyOne<T>(
  things: readonly T[],
  condition: (thing: T) => Promise<boolean>,
): Promise<boolean> {
  return (await Promise.all(things.map(condition))).every((holds) => holds);
}
