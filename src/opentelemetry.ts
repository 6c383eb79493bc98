/**
 * What the store is asked for as OpenTelemetry spans.
 *
 * @module
 */
export {
  SessionSpans,
  type SessionSpansOptions,
  type SpanDatabase,
} from './adapters/opentelemetry/session-spans.ts';
