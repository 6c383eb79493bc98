import { collectDefaultMetrics } from 'prom-client';
import { type StoreFailure, StoreUnavailableError } from '../../src/domain/errors.ts';
import type { StoreAnswer } from '../../src/ports/session-observer.ts';
import { SessionMetrics } from '../../src/prometheus.ts';

const id = 'x'.repeat(22) as never;

/** What a server with everything turned on serves once everything has happened to it, as text. */
export async function servedMetrics(): Promise<string> {
  const metrics = new SessionMetrics({
    countSessions: async () => 7,
    checkStore: async () => {},
    nearCache: () => ({ sessions: 1, bytes: 500, trusted: true, hits: 9, misses: 1 }),
  });
  collectDefaultMetrics({ register: metrics.registry });
  metrics.notify({ type: 'created', id, user: undefined });
  const failures: StoreFailure[] = ['timeout', 'full'];
  const answers: StoreAnswer[] = [
    ...(['ok', 'absent', 'reused', 'conflict', 'undurable'] as const).map((outcome) => ({
      outcome,
    })),
    { outcome: 'refused', code: undefined },
    ...failures.map((failure) => {
      const error = new StoreUnavailableError('unknown', { failure });
      return { outcome: 'failed' as const, error };
    }),
  ];
  for (const answer of answers) metrics.storeAsked({ name: 'access', id })(answer);
  return metrics.registry.metrics();
}
