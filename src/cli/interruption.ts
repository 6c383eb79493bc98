import { constants } from 'node:os';
import { countOf } from './ending.ts';
import { CommandError } from './failure.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * While `work` runs, the first SIGINT or SIGTERM does not end the process, which would lose the log lines and journal
 * entries of sessions that have just ended. Instead it aborts `stop`, with its name as the reason; `work` then finishes
 * what is under way and throws `interrupted`. A second signal ends the process at once.
 */
export async function interruptible<T>(work: (stop: AbortSignal) => Promise<T>): Promise<T> {
  const stopping = new AbortController();
  const letGo = () => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  const stop = (signal: NodeJS.Signals) => {
    letGo();
    stopping.abort(signal);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  try {
    return await work(stopping.signal);
  } finally {
    letGo();
  }
}

/** The end of a command that was stopped after it had ended so many sessions. The exit code is that of shells. */
export function interrupted(
  stop: AbortSignal,
  ended: number,
  remaining = 'others may remain',
): CommandError {
  const signal: NodeJS.Signals = stop.reason;
  return new CommandError(
    128 + constants.signals[signal],
    `stopped by ${signal}: ${countOf(ended)} ended, ${remaining}. Run the command again to continue`,
  );
}
