import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';

/** How to interpret the errors of a client library. */
export interface Diagnosis {
  /** Whether the command was certainly not applied. */
  wasRefused(error: Error): boolean;
  failureOf(error: Error): StoreFailure;
  /** Why the client has no connection at present, if it is known. */
  readonly connectionError?: Error | undefined;
}

/**
 * Converts an error of a client to the domain's error. Its cause says what happened and contains no arguments of the
 * command.
 */
export function storeUnavailable(
  error: unknown,
  outcome?: StoreUnavailableError['outcome'],
  { wasRefused, failureOf, connectionError }: Diagnosis = ioredis(),
): StoreUnavailableError {
  if (error instanceof StoreUnavailableError) return error;
  const thrown = error instanceof Error ? error : new Error(String(error));
  return new StoreUnavailableError(outcome ?? (wasRefused(thrown) ? 'refused' : 'unknown'), {
    cause: plainRedisError(thrown, connectionError),
    failure: failureOf(thrown),
  });
}

/** The errors of ioredis, with what `noteConnectionError` was told about this client. */
export function ioredis(client?: object): Diagnosis {
  return { wasRefused, failureOf, connectionError: client && connectionErrors.get(client) };
}

const connectionErrors = new WeakMap<object, Error>();

/** For the client that has just lost, or failed to get, its connection; `undefined` once it has one again. */
export function noteConnectionError(client: object, error: Error | undefined): void {
  if (error === undefined) connectionErrors.delete(client);
  else connectionErrors.set(client, error);
}

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
  const lost = /connect|stream|socket|cluster|slots cache|startup nodes|sentinel|max retries/i;
  return code !== undefined || lost.test(error.message) ? 'connection' : 'other';
}

const NO_LUA = 'Redis cannot run Lua scripts, which Sojourn needs; for Valkey install valkey-lua';

/**
 * What clients say of a missing or a broken connection, in words that need no knowledge of their internals. Their own
 * messages name options that users of Sojourn do not have.
 */
const words: readonly (readonly [ofClient: RegExp, plain: string])[] = [
  [/^(?:Stream isn't writeable|The client is (?:closed|offline))/, 'not connected to Redis'],
  [/^Cluster (?:isn't ready|is disconnect)/, 'not connected to the Redis Cluster'],
  [
    /^(?:Reached the max retries|Connection is closed|Command aborted due to connection close|Node is disconnected|Socket closed unexpectedly|Disconnects client)/,
    'the connection was closed',
  ],
  [
    /^(?:Failed to refresh slots cache|None of startup nodes is available|All the root nodes are unavailable)/,
    'no node of the Redis Cluster answers',
  ],
  [/^All sentinels are unreachable/, 'no sentinel tells where Redis is'],
];

function inPlainWords(message: string, detail?: string): string {
  const [, plain] = words.find(([ofClient]) => ofClient.test(message)) ?? [];
  if (plain === undefined) return message;
  const [, last = detail] = /Last error: (.*)$/s.exec(message) ?? [];
  return last === undefined ? plain : `${plain} (${inPlainWords(last)})`;
}

/**
 * An error for people and logs. Clients attach the command with its arguments to their errors, and Redis repeats
 * arguments in some messages: session data, hashes and, when a connection is refused, the password. If the message is
 * in other words than the client's, `cause` has the client's.
 *
 * @param connectionError why the client has no connection, if it is known
 */
export function plainRedisError(error: Error, connectionError?: Error): Error {
  const { code, lastNodeError } = error as NodeJS.ErrnoException & { lastNodeError?: unknown };
  // If a name has several addresses, Node throws an aggregate error with a code and no message.
  const original = (error.message || code || error.name).replace(
    /, with args beginning with:.*$/s,
    '',
  );
  const known = lastNodeError instanceof Error ? lastNodeError : connectionError;
  const message = lacksLua(error)
    ? `${NO_LUA} (${original})`
    : inPlainWords(original, known && plainRedisError(known).message);
  const named = (text: string, options?: ErrorOptions) =>
    Object.assign(new Error(text, options), { name: error.name }, code !== undefined && { code });
  return message === original ? named(original) : named(message, { cause: named(original) });
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
