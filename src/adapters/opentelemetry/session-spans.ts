import {
  type Attributes,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api';
import type {
  SessionEvent,
  SessionObserver,
  StoreAnswer,
  StoreOperation,
} from '../../ports/session-observer.ts';
import { plainError } from '../node/plain-error.ts';

/** Where spans go, and how they describe the store. */
export interface SessionSpansOptions {
  /** By default the globally registered provider. Without one nothing is recorded. */
  readonly tracerProvider?: TracerProvider;
  /** The database behind the repository, for the attributes of spans. */
  readonly database?: SpanDatabase;
}

/** Attributes from OpenTelemetry's semantic conventions for databases. */
export interface SpanDatabase {
  /** `db.system.name`. */
  readonly system: 'redis';
  /** `server.address`. */
  readonly address?: string;
  /** `server.port`. */
  readonly port?: number;
}

/**
 * An observer that records each call to the store as an OpenTelemetry span, such as `sojourn access`, as a child of the
 * active span, and session events as events of the active span. Spans contain ids, but never tokens, secrets, their
 * hashes or session data. It uses the API alone: nothing is recorded unless the program registers an SDK, before or
 * after.
 *
 * @example
 * ```ts
 * const service = new SessionService({ repository, observer: new SessionSpans({ database: { system: 'redis' } }) });
 * ```
 */
export class SessionSpans implements SessionObserver {
  readonly #tracer: Tracer;
  readonly #kind: SpanKind;
  readonly #attributes: Attributes;

  constructor({ tracerProvider, database }: SessionSpansOptions = {}) {
    this.#tracer = (tracerProvider ?? trace).getTracer('sojourn');
    this.#kind = database === undefined ? SpanKind.INTERNAL : SpanKind.CLIENT;
    this.#attributes = {
      ...(database && { 'db.system.name': database.system }),
      ...(database?.address !== undefined && { 'server.address': database.address }),
      ...(database?.port !== undefined && { 'server.port': database.port }),
    };
  }

  notify(event: SessionEvent): void {
    const span = trace.getActiveSpan();
    if (span === undefined || !span.isRecording()) return;
    span.addEvent(`sojourn.session.${event.type}`, {
      'session.id': event.id,
      ...(event.type === 'ended' && { 'sojourn.why': event.why }),
    });
  }

  storeAsked({ name, id }: StoreOperation): (answer: StoreAnswer) => void {
    const span = this.#tracer.startSpan(`sojourn ${name}`, { kind: this.#kind });
    if (!span.isRecording()) return () => span.end();
    span.setAttributes(this.#attributes);
    span.setAttribute('db.operation.name', name);
    if (id !== undefined) span.setAttribute('session.id', id);
    return (answer) => {
      span.setAttribute('sojourn.outcome', answer.outcome);
      if (answer.outcome === 'refused' && answer.code !== undefined) {
        span.setAttribute('sojourn.refusal', answer.code);
      }
      if (answer.outcome === 'failed') recordFailure(span, answer.error);
      span.end();
    };
  }
}

function recordFailure(span: Span, thrown: unknown): void {
  const { type, message, stack = '', failure, outcome, cause } = plainError(thrown);
  const text = cause === undefined ? message : `${message} (${cause.message})`;
  span.setAttribute('error.type', failure ?? type);
  if (outcome !== undefined) span.setAttribute('sojourn.store.outcome', outcome);
  span.recordException({ name: type, message: text, stack });
  span.setStatus({ code: SpanStatusCode.ERROR, message: text });
}
