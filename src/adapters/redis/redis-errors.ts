import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';

/** What a client throws, as its adapter understands it. */
export interface Diagnosis {
  /** Whether the command was certainly not applied. */
  wasRefused(error: Error): boolean;
  failureOf(error: Error): StoreFailure;
}

/** What a client threw, as the failure that the domain knows. Its cause says what happened and carries no argument of the command. */
export function storeUnavailable(
  error: unknown,
  outcome?: StoreUnavailableError['outcome'],
  { wasRefused, failureOf }: Diagnosis = ioredis,
): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  return new StoreUnavailableError(outcome ?? (wasRefused(thrown) ? 'refused' : 'unknown'), {
    cause: withoutArguments(thrown),
    failure: failureOf(thrown),
  });
}

const ioredis: Diagnosis = { wasRefused, failureOf };

// An answer of the server (ReplyError) is a refusal: the scripts change nothing before their last check. So are answers
// of a cluster's nodes that sent the command from one to the next. Some messages say that it was never sent. Of all else
// nobody knows whether it arrived.
function wasRefused({ name, message }: Error): boolean {
  return (
    name === 'ReplyError' ||
    message.startsWith('Too many Cluster redirections. Last error: ReplyError') ||
    message.startsWith("Cluster isn't ready") ||
    message.startsWith("Stream isn't writeable")
  );
}

/** By the first word of an answer of the server. */
const failures: Readonly<Record<string, StoreFailure>> = {
  OOM: 'full',
  LOADING: 'unready',
  READONLY: 'unready',
  MASTERDOWN: 'unready',
  NOREPLICAS: 'unready',
  MISCONF: 'unready',
  BUSY: 'unready',
  CLUSTERDOWN: 'unready',
  TRYAGAIN: 'unready',
  NOAUTH: 'denied',
  WRONGPASS: 'denied',
  NOPERM: 'denied',
};

/** Of what the server answered. */
export function failureOfReply(reply: string): StoreFailure {
  return failures[reply.split(' ', 1)[0] ?? ''] ?? 'other';
}

function failureOf(error: Error): StoreFailure {
  const { code } = error as NodeJS.ErrnoException;
  const answer =
    error.name === 'ReplyError'
      ? error.message
      : /Last error: ReplyError: (.*)/.exec(error.message)?.[1];
  if (answer !== undefined) return failureOfReply(answer);
  if (code === 'ETIMEDOUT' || /timed out|timeout|within \d+ ms/i.test(error.message))
    return 'timeout';
  const lost = /connection|stream|socket|cluster|slots cache|startup nodes|sentinel|max retries/i;
  return code !== undefined || lost.test(error.message) ? 'connection' : 'other';
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
