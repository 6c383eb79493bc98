/**
 * What the store is asked for as OpenTelemetry spans.
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
