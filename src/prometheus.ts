/**
 * Sessions and their store as Prometheus metrics.
 *
 * @module
 */
export {
  type NearCacheFigures,
  SessionMetrics,
  type SessionMetricsOptions,
} from './adapters/prometheus/session-metrics.ts';
