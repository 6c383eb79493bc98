import { StoreUnavailableError } from '../../domain/errors.ts';

/** A callback for an outcome without a value. */
export type Done = (error?: unknown) => void;

/** A callback for an outcome with a value. */
export type Answer<T> = (error: unknown, value?: T) => void;

/** Calls back in a turn of its own, so that what the callback throws is the callback's and not taken for a failure of the store. */
export function answer<T>(outcome: Promise<T>, callback?: Answer<T>): Promise<T> {
  const answered = outcome.catch((error) => Promise.reject(withStatus(error)));
  answered.then(
    // A handler for both outcomes: a promise that nobody looks at must not end the process.
    (value) => queueMicrotask(() => call(() => callback?.(null, value))),
    (error) => queueMicrotask(() => call(() => callback?.(error))),
  );
  return answered;
}

let warned = false;

/**
 * An async handler of Fastify that calls `reply.send` and does not return the reply answers twice wherever a store takes
 * time. The second attempt fails in the callback, when the answer has long left: no reason to end the process.
 */
function call(callback: () => void): void {
  try {
    callback();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ERR_HTTP_HEADERS_SENT')) {
      throw error;
    }
    if (warned) return;
    warned = true;
    console.warn(
      'SojournStore: a request was answered twice while its session was saved. An async handler of Fastify that calls reply.send must return the reply.',
    );
  }
}

// What Express and Fastify answer with, rather than 500.
function withStatus(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  return Object.assign(error, { status: 503, statusCode: 503 });
}
