import type { ContainerOptions } from '../container.ts';
import { reasonOf, StoreUnavailableError } from '../domain/errors.ts';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';
import { number } from './format.ts';
import type { Terminal } from './terminal.ts';

/** For commands that end sessions: each end is a line on stderr, and is said where the journal could not take it. */
export async function loggingEnds(terminal: Terminal): Promise<ContainerOptions> {
  const { logSessions } = await import('../observe.ts'); // not for --help
  return {
    register: (container) =>
      logSessions(container, ({ error, isFirst }) => {
        const why = error instanceof StoreUnavailableError ? reasonOf(error) : String(error);
        if (isFirst) terminal.note(`the journal does not tell of it: ${why}`);
      }),
  };
}

/** `1 session`, `2,000 sessions` */
export function countOf(sessions: number): string {
  return `${number(sessions)} ${sessions === 1 ? 'session' : 'sessions'}`;
}

/** What a failure of Redis means to whoever wanted sessions ended: some may have. Any other error stays what it is. */
export function whileEnding(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError) || error.outcome === 'refused') return error;
  const { ended } = error;
  const what = ended
    ? `${countOf(ended)} ${ended === 1 ? 'has' : 'have'} ended, others may have`
    : 'what was to end may have ended';
  return new CommandError(
    EXIT_UNAVAILABLE,
    `Redis failed, and ${what}: say it again. ${reasonOf(error)}`,
  );
}
