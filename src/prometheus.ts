/**
 * Sessions and their store as Prometheus metrics.
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
