import { StoreUnavailableError } from '../../domain/errors.ts';

/** What ioredis threw, as the failure that the domain knows. Its cause says what happened and carries no argument of the command. */
export function storeUnavailable(
  error: unknown,
  outcome?: StoreUnavailableError['outcome'],
): StoreUnavailableError {
  const thrown = error instanceof Error ? error : new Error(String(error));
  return new StoreUnavailableError(outcome ?? (wasRefused(thrown) ? 'refused' : 'unknown'), {
    cause: withoutArguments(thrown),
  });
}

// An answer of the server (ReplyError) is a refusal: the scripts change nothing before their last check. ioredis says
// "Stream isn't writeable" of a command that it never sent. Of all else nobody knows whether it arrived.
function wasRefused(error: Error): boolean {
  return error.name === 'ReplyError' || error.message.startsWith("Stream isn't writeable");
}

// ioredis hangs the command with its arguments on the error, and Redis repeats arguments in some messages: session
// data and hashes, which do not belong in a log.
function withoutArguments(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  // Where a name has several addresses, Node's error is a bundle of errors with a code and no message.
  const message = error.message || code || error.name;
  const cause = new Error(message.replace(/, with args beginning with:.*$/s, ''));
  cause.name = error.name;
  return code === undefined ? cause : Object.assign(cause, { code });
}
