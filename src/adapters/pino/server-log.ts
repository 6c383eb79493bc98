import { AsyncLocalStorage } from 'node:async_hooks';
import { trace } from '@opentelemetry/api';
import { type DestinationStream, destination, type Logger, pino, stdTimeFunctions } from 'pino';
import { StoreUnavailableError } from '../../domain/errors.ts';
import { printable } from '../../domain/printable.ts';
import type {
  SessionEvent,
  SessionObserver,
  StoreAnswer,
  StoreOperation,
} from '../../ports/session-observer.ts';
import { plainError, withoutSecrets } from '../node/plain-error.ts';
import { StoreOutage } from './store-outage.ts';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface ServerLogOptions {
  readonly level: LogLevel;
  /** By default stderr. */
  readonly stream?: DestinationStream;
}

/** A request that has been answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly sessionId: string | undefined;
  /** Why it was refused or failed. May repeat what the client sent. */
  readonly reason?: string | undefined;
  /** True if it failed because the store did. The store's failure has log lines of its own. */
  readonly storeFailed?: boolean | undefined;
}

/** What an operator did in the console. */
export interface OperatorAct {
  /** Who, and with which tool: `console ada`. */
  readonly by: string;
  readonly did: string;
  readonly outcome: string;
  readonly sessionId?: string | undefined;
  readonly user?: string | undefined;
  /** How many sessions ended. */
  readonly ended?: number | undefined;
  /** Why it failed. */
  readonly reason?: string | undefined;
}

const STDERR = 2;
const MAX_WAITING_BYTES = 1024 * 1024;
/** The attempts are a tenth of a second apart. */
const MAX_TRIES_AT_EXIT = 10;
const MAX_SENT_CHARACTERS = 256;

/** Requests from machines, many times a minute. */
const probes: readonly string[] = ['/healthz', '/readyz', '/metrics'];

/**
 * The server's log, with one JSON object per line. It has a method for each kind of line and accepts no other objects,
 * so that no token, secret or session data gets into it by accident; errors are shown by `plainError`. No content can
 * forge a line or control the terminal that shows it.
 */
export class ServerLog implements SessionObserver {
  /** Lines of a request contain the ids of the request and its trace. */
  readonly #log: Logger;
  /** Lines that do not belong to a request, even if one happened to cause them. */
  readonly #own: Logger;
  readonly #outage: StoreOutage;
  readonly #audit: Logger;
  readonly #told = new WeakSet<StoreUnavailableError>();
  readonly #requestIds = new AsyncLocalStorage<string>();

  constructor({ level, stream = standardError() }: ServerLogOptions) {
    const options = {
      level,
      base: null,
      timestamp: stdTimeFunctions.isoTime,
      formatters: { level: (label: string) => ({ level: label }) },
      serializers: { err: (error: unknown) => plainError(error) },
      hooks: { streamWrite: (line: string) => `${printable(line.slice(0, -1))}\n` },
    };
    const mixin = () => ({
      requestId: this.#requestIds.getStore(),
      traceId: trace.getActiveSpan()?.spanContext().traceId,
    });
    this.#log = pino({ ...options, mixin }, stream);
    this.#own = pino(options, stream);
    this.#audit = this.#log.child({}, { level: 'info' });
    this.#outage = new StoreOutage({
      onGoingOn: (figures) => this.#own.warn(figures, 'store still fails'),
      onOver: (figures) => this.#own.warn(figures, 'store answers again'),
    });
  }

  /** Logs the settings of a server at its start, and what determined them. */
  started(decisions: Readonly<Record<string, unknown>>): void {
    this.#own.info(decisions, 'started');
  }

  /** Sets a function that asks whether the store answers again, for an outage during which no requests arrive. */
  watchStore(ask: () => Promise<void>): void {
    this.#outage.askWith(ask);
  }

  /** The id of the current request. */
  get requestId(): string | undefined {
    return this.#requestIds.getStore();
  }

  /** Runs the work of a request. Every line written meanwhile contains its id, and its trace's id if there is one. */
  during<T>(requestId: string, work: () => Promise<T>): Promise<T> {
    return this.#requestIds.run(requestId, work);
  }

  answered(request: AnsweredRequest): void {
    const { method, path, status, durationMs, sessionId, reason, storeFailed } = request;
    const usual = status < 400 && probes.includes(path);
    const level = status >= 500 && !storeFailed ? 'warn' : usual ? 'debug' : 'info';
    if (!this.#log.isLevelEnabled(level)) return;
    const shown = (text: string) => withoutSecrets(text).slice(0, MAX_SENT_CHARACTERS);
    const line = { method, path: shown(path), status, sessionId, reason: reason && shown(reason) };
    this.#log[level]({ ...line, durationMs: Math.round(durationMs * 1000) / 1000 }, 'request');
  }

  notify(event: SessionEvent): void {
    const { type, id, ...more } = event;
    // Every watching server gets each of these events.
    const announced = type === 'gone' || (event.type === 'ended' && event.why === 'expired');
    const level = type === 'reused' ? 'warn' : announced ? 'debug' : 'info';
    this.#log[level]({ event: type, sessionId: id, ...more }, 'session');
  }

  /**
   * Logs failures of the store: each of them at level debug; otherwise the beginning of an outage, from time to time
   * that it continues, and its end.
   */
  storeAsked({ name, id }: StoreOperation): (answer: StoreAnswer) => void {
    return (answer) => {
      if (answer.outcome !== 'failed') {
        this.#outage.answered();
        return;
      }
      const { error } = answer;
      // A failure of the application's function in durable work is not the store's, and an error of a call in it has
      // been logged already.
      if (!(error instanceof StoreUnavailableError) || this.#told.has(error)) return;
      this.#told.add(error);
      const line = { operation: name, sessionId: id, ...failureOf(error) };
      if (this.#outage.operationFailed(error.failure)) this.#log.warn(line, 'store fails');
      else this.#log.debug(line, 'store operation failed');
    };
  }

  /** The readiness check of the store failed. */
  storeSilent(error: StoreUnavailableError): void {
    if (this.#outage.operationFailed(error.failure))
      this.#own.warn(failureOf(error), 'store fails');
  }

  /** A connection to the store failed; the client keeps trying. */
  connectionFailed(error: Error): void {
    const line = { failure: 'connection', reason: withoutSecrets(error.message) };
    if (this.#outage.connectionFailed()) this.#own.warn(line, 'store fails');
    else this.#own.debug(line, 'store connection failed');
  }

  /** Logs a wrong setup. The text says how to correct it. */
  advises(text: string): void {
    this.#log.warn(text);
  }

  /** Logs a warning of Node. */
  warnedByNode(text: string): void {
    this.#own.warn(withoutSecrets(text));
  }

  /** Logs the failure of something that the server can do without. */
  degraded(what: string, error: unknown): void {
    this.#own.warn({ err: error }, what);
  }

  /** Logs what an operator did or was refused, whatever the log level, because it is an audit. */
  operatorDid(act: OperatorAct): void {
    const { by, did, outcome, sessionId, user, ended, reason } = act;
    const shown = {
      by,
      did,
      outcome,
      sessionId,
      user,
      ended,
      reason: reason && withoutSecrets(reason),
    };
    this.#audit.info(shown, 'operator');
  }

  /** Logs an error that nothing else handles. */
  unexpected(error: unknown): void {
    this.#log.error({ err: error }, 'unexpected error');
  }
}

function failureOf(error: StoreUnavailableError) {
  const { failure, outcome, message, cause } = plainError(error);
  return { failure, outcome, reason: cause?.message ?? message };
}

// Asynchronous: a terminal or pipe that is not read must not stop the server. Lines beyond the limit are dropped, and at
// exit what is still waiting after about a second.
function standardError(): DestinationStream {
  let triesLeft = Infinity;
  const retryEAGAIN = () => triesLeft-- > 0;
  const options = { dest: STDERR, sync: false, maxLength: MAX_WAITING_BYTES, retryEAGAIN };
  const stream = destination(options);
  const flushSync = stream.flushSync.bind(stream);
  // At exit the stream calls this, and would retry for ever.
  stream.flushSync = () => {
    triesLeft = MAX_TRIES_AT_EXIT;
    try {
      flushSync();
    } catch {
      // The log is not being read, and there is nowhere else to report this.
    } finally {
      triesLeft = Infinity;
    }
  };
  return stream;
}
