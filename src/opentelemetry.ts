/**
 * OpenTelemetry spans for calls to the store.
 *
 * @module
 */
export {
  SessionSpans,
  type SessionSpansOptions,
  type SpanDatabase,
} from './adapters/opentelemetry/session-spans.ts';
