import type { ContainerOptions } from '../container.ts';
import { reasonOf, StoreUnavailableError } from '../domain/errors.ts';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';
import { number } from './format.ts';
import type { Terminal } from './terminal.ts';

/** For commands that end sessions: logs each end as a line on stderr, and reports entries that the journal lost. */
export async function loggingEnds(terminal: Terminal): Promise<ContainerOptions> {
  const { logSessions } = await import('../observe.ts'); // not for --help
  return {
    register: (container) =>
      logSessions(container, ({ error, isFirst }) => {
        const why = error instanceof StoreUnavailableError ? reasonOf(error) : String(error);
        if (isFirst) terminal.note(`the journal could not be written: ${why}`);
      }),
  };
}

/** `1 session`, `2,000 sessions` */
export function countOf(sessions: number): string {
  return `${number(sessions)} ${sessions === 1 ? 'session' : 'sessions'}`;
}

/**
 * Explains a Redis failure while sessions were being ended: some may have ended. Any other error is returned unchanged.
 */
export function whileEnding(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError) || error.outcome === 'refused') return error;
  const { ended } = error;
  const what = ended
    ? `${countOf(ended)} ${ended === 1 ? 'has' : 'have'} ended, others may have ended too`
    : 'the sessions may or may not have ended';
  return new CommandError(
    EXIT_UNAVAILABLE,
    `Redis failed, and ${what}: run the command again. ${reasonOf(error)}`,
  );
}
