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
  /** Default: stderr. */
  readonly stream?: DestinationStream;
}

/** A request that was answered. */
export interface AnsweredRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly status: number;
  readonly durationMs: number;
  readonly sessionId: string | undefined;
  /** Why it was refused or failed, in words that may repeat what the client sent. */
  readonly reason?: string | undefined;
  /** Whether it failed because the store did, which is told by lines of its own. */
  readonly storeFailed?: boolean | undefined;
}

/** What an operator did by the console. */
export interface OperatorAct {
  /** Who, by which tool: `console ada`. */
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
/** A tenth of a second apart. */
const MAX_TRIES_AT_EXIT = 10;
const MAX_SENT_CHARACTERS = 256;

/** Asked by machines, all day long. */
const probes: readonly string[] = ['/healthz', '/readyz', '/metrics'];

/**
 * The server's log: one JSON object a line. It says what it is told in the shapes below and takes no objects from outside, so
 * that no token, no secret and no data gets in by the way; errors are shown by `plainError`. Nothing
 * in it forges a line or gives the terminal that shows it orders.
 */
export class ServerLog implements SessionObserver {
  /** Lines of a request carry its id, and its trace's. */
  readonly #log: Logger;
  /** Lines that belong to no request, whoever's work happened to bring them about. */
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

  /** What was decided at the start of a server, and what decided it. */
  started(decisions: Readonly<Record<string, unknown>>): void {
    this.#own.info(decisions, 'started');
  }

  /** How to find out that a store which failed answers again, where no request asks it. */
  watchStore(ask: () => Promise<void>): void {
    this.#outage.askWith(ask);
  }

  /** Of the request whose work it is. */
  get requestId(): string | undefined {
    return this.#requestIds.getStore();
  }

  /** Does the work of a request: every line that is written meanwhile carries its id, and that of its trace if there is one. */
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
    // Every server that watches hears of each.
    const announced = type === 'gone' || (event.type === 'ended' && event.why === 'expired');
    const level = type === 'reused' ? 'warn' : announced ? 'debug' : 'info';
    this.#log[level]({ event: type, sessionId: id, ...more }, 'session');
  }

  /** Logs what fails: in full at level debug; otherwise when it begins, from time to time, and when it is over. */
  storeAsked({ name, id }: StoreOperation): (answer: StoreAnswer) => void {
    return (answer) => {
      if (answer.outcome !== 'failed') {
        this.#outage.answered();
        return;
      }
      const { error } = answer;
      // What is done durably may fail by itself, and fails with what a call in it failed with.
      if (!(error instanceof StoreUnavailableError) || this.#told.has(error)) return;
      this.#told.add(error);
      const line = { operation: name, sessionId: id, ...failureOf(error) };
      if (this.#outage.operationFailed(error.failure)) this.#log.warn(line, 'store fails');
      else this.#log.debug(line, 'store operation failed');
    };
  }

  /** The store did not answer whether it serves. */
  storeSilent(error: StoreUnavailableError): void {
    if (this.#outage.operationFailed(error.failure))
      this.#own.warn(failureOf(error), 'store fails');
  }

  /** A connection to the store failed; the client goes on trying. */
  connectionFailed(error: Error): void {
    const line = { failure: 'connection', reason: withoutSecrets(error.message) };
    if (this.#outage.connectionFailed()) this.#own.warn(line, 'store fails');
    else this.#own.debug(line, 'store connection failed');
  }

  /** Something is set up wrongly; the text says how to do it rightly. */
  advises(text: string): void {
    this.#log.warn(text);
  }

  /** Node warns of something, in its own words. */
  warnedByNode(text: string): void {
    this.#own.warn(withoutSecrets(text));
  }

  /** Something is missing that the server can do without. */
  degraded(what: string, error: unknown): void {
    this.#own.warn({ err: error }, what);
  }

  /** What an operator did, or was refused: written whatever the level, as it is an audit. */
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

  /** Nobody foresaw this. */
  unexpected(error: unknown): void {
    this.#log.error({ err: error }, 'unexpected error');
  }
}

function failureOf(error: StoreUnavailableError) {
  const { failure, outcome, message, cause } = plainError(error);
  return { failure, outcome, reason: cause?.message ?? message };
}

// Not waited for: a terminal or a pipe that nobody reads must not stop the server. What is then too much is dropped.
/** Lines wait for whoever reads slowly while the process lives, and at its end for about a second: then they are lost. */
function standardError(): DestinationStream {
  let triesAtExit = 0;
  let exiting = false;
  process.once('exit', () => {
    exiting = true; // before the stream hears of it, which would try for ever
  });
  const retryEAGAIN = () => !exiting || ++triesAtExit < MAX_TRIES_AT_EXIT;
  const options = { dest: STDERR, sync: false, maxLength: MAX_WAITING_BYTES, retryEAGAIN };
  const stream = destination(options);
  const flushSync = stream.flushSync.bind(stream);
  stream.flushSync = () => {
    try {
      flushSync();
    } catch {
      // Nobody reads the log, and there is nowhere else to say so.
    }
  };
  return stream;
}
