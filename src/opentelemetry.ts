/**
 * OpenTelemetry spans for calls to the store.
 *
 * Guide: [Observability](../docs/observability.md).
 *
 * @module
 */
export {
  SessionSpans,
  type SessionSpansOptions,
  type SpanDatabase,
} from './adapters/opentelemetry/session-spans.ts';
