import { ConfigError, StartError } from '../config.ts';
import { reasonOf, SessionError, StoreUnavailableError } from '../domain/errors.ts';

export const EXIT_UNAVAILABLE = 1;
export const EXIT_USAGE = 2;
export const EXIT_NOT_FOUND = 3;

/** Ends a command with this exit code. The message is one line. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The exit code and message for an expected failure of a command; `undefined` for anything else, which is a bug. */
export function failureOf(error: unknown): { code: number; line: string } | undefined {
  if (error instanceof CommandError) return { code: error.code, line: error.message };
  if (error instanceof ConfigError || error instanceof SessionError) {
    return { code: EXIT_USAGE, line: error.message };
  }
  if (error instanceof StartError) return { code: EXIT_UNAVAILABLE, line: error.message };
  if (error instanceof StoreUnavailableError) {
    return { code: EXIT_UNAVAILABLE, line: `Redis failed: ${reasonOf(error)}` };
  }
  return undefined;
}
