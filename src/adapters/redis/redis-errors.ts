import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';

/** How to interpret the errors of a client library. */
export interface Diagnosis {
  /** Whether the command was certainly not applied. */
  wasRefused(error: Error): boolean;
  failureOf(error: Error): StoreFailure;
}

/**
 * Converts an error of a client to the domain's error. Its cause says what happened and contains no arguments of the
 * command.
 */
export function storeUnavailable(
  error: unknown,
  outcome?: StoreUnavailableError['outcome'],
  { wasRefused, failureOf }: Diagnosis = ioredis,
): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  return new StoreUnavailableError(outcome ?? (wasRefused(thrown) ? 'refused' : 'unknown'), {
    cause: plainRedisError(thrown),
    failure: failureOf(thrown),
  });
}

const ioredis: Diagnosis = { wasRefused, failureOf };

// An answer of the server (ReplyError) is a refusal, because the scripts change nothing before their last check. The
// same holds for answers of cluster nodes that redirected the command. Some messages say that the command was never
// sent. For all others it is unknown whether it arrived.
function wasRefused({ name, message }: Error): boolean {
  return (
    name === 'ReplyError' ||
    message.startsWith('Too many Cluster redirections. Last error: ReplyError') ||
    message.startsWith("Cluster isn't ready") ||
    message.startsWith("Stream isn't writeable")
  );
}

/** By the first word of the server's answer. */
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

/** The script was permitted but a command in it was not. Redis 7.0 has no code for that. */
const DENIED_IN_SCRIPT = /user executing the script can't/;

/** The category of an error that the server sent. */
export function failureOfReply(reply: string): StoreFailure {
  if (DENIED_IN_SCRIPT.test(reply)) return 'denied';
  return failures[reply.split(' ', 1)[0] ?? ''] ?? 'other';
}

function failureOf(error: Error): StoreFailure {
  if (lacksLua(error)) return 'unfit';
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

const NO_LUA = 'Redis cannot run Lua scripts, which Sojourn needs; for Valkey install valkey-lua';

/**
 * An error for people and logs. Clients attach the command with its arguments to their errors, and Redis repeats
 * arguments in some messages: session data, hashes and, when a connection is refused, the password.
 */
export function plainRedisError(error: Error): Error {
  const code = (error as NodeJS.ErrnoException).code;
  // If a name has several addresses, Node throws an aggregate error with a code and no message.
  const message = (error.message || code || error.name).replace(
    /, with args beginning with:.*$/s,
    '',
  );
  const plain = new Error(lacksLua(error) ? `${NO_LUA} (${message})` : message);
  plain.name = error.name;
  return code === undefined ? plain : Object.assign(plain, { code });
}

/** The error of Redis or the client behind an adapter's error. */
export function causeOf(error: unknown): Error {
  const { cause } = error as StoreUnavailableError;
  return cause instanceof Error ? cause : (error as Error);
}

/** True if Redis refuses because it has no Lua, like a Valkey without its Lua module. */
export function lacksLua({ message }: Error): boolean {
  return /unknown command .{0,2}eval|scripting engine/i.test(message);
}
