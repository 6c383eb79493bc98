/**
 * Prometheus metrics of sessions and their store.
 *
 * Guide: [Observability](../docs/observability.md).
 *
 * @module
 */
export type { KnownCount } from './adapters/prometheus/session-count.ts';
export {
  type NearCacheFigures,
  SessionMetrics,
  type SessionMetricsOptions,
} from './adapters/prometheus/session-metrics.ts';
