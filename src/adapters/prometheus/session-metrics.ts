import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { type StoreFailure, StoreUnavailableError } from '../../domain/errors.ts';
import type {
  EndReason,
  SessionEvent,
  SessionObserver,
  StoreAnswer,
  StoreOperation,
} from '../../ports/session-observer.ts';
import { type KnownCount, SessionCount } from './session-count.ts';
import { StoreUp } from './store-up.ts';

/** Where the metrics go, and how to obtain those that are not observed. */
export interface SessionMetricsOptions {
  /**
   * The registry for the metrics; by default a new one. A registry accepts these metrics once, but one `SessionMetrics`
   * can observe several services.
   */
  readonly registry?: Registry;
  /**
   * Counts the live sessions, for `sojourn_sessions_active`; without it there is no such metric. Use `shareCount({
   * client })` of `sojourn/redis`, which lets one process count for all that share a Redis, `() => countSessions({
   * client })`, which counts in each process, or `() => repository.count()` for a `MemorySessionRepository`. It is
   * called in the background when the metrics are read, once at a time, and during at most a twentieth of the time.
   */
  readonly countSessions?: () => Promise<number | KnownCount | undefined>;
  /** Minimum time between two counts, in milliseconds. @default 60000 */
  readonly countEveryMs?: number;
  /**
   * Receives the errors of counts that failed. The metrics then show the last count and its age. By default errors are
   * ignored.
   */
  readonly onCountError?: (error: unknown) => void;
  /**
   * Checks whether the store is available, and rejects with `StoreUnavailableError` if not: `ping` of `connectRedis`.
   * It is called when the metrics are read and the store has not been called for five seconds, once at a time, so that
   * `sojourn_store_up` is also right without requests. By default `sojourn_store_up` shows the result of the last call.
   */
  readonly checkStore?: () => Promise<void>;
  /** The figures of a near cache, if there is one: `NearCache.stats` of `sojourn/near-cache`. */
  readonly nearCache?: () => NearCacheFigures;
}

/** The figures of a near cache. */
export interface NearCacheFigures {
  /** Number of sessions in memory. */
  readonly sessions: number;
  /** Estimated size of these sessions, in bytes. */
  readonly bytes: number;
  /** Whether reads may currently be answered from memory. */
  readonly trusted: boolean;
  /** Number of reads answered from memory. */
  readonly hits: number;
  /** Number of reads answered by Redis. */
  readonly misses: number;
}

const BUCKETS = [
  ...[0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005],
  ...[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
];

const endReasons = ['logout', 'revoked', 'evicted', 'reused'] satisfies EndReason[];
const failures = [
  ...([
    'timeout',
    'connection',
    'unready',
    'full',
    'denied',
    'unfit',
    'other',
  ] satisfies StoreFailure[]),
];

/**
 * An observer that exports session events and the behaviour of the store as Prometheus metrics. No label contains an
 * id, a user or a prefix, so there are at most about a thousand time series.
 *
 * @example
 * ```ts
 * const metrics = new SessionMetrics({ countSessions: shareCount({ client }) });
 * const service = new SessionService({ repository, observer: metrics });
 * app.get('/metrics', async (c) => c.text(await metrics.registry.metrics()));
 * ```
 */
export class SessionMetrics implements SessionObserver {
  /** The registry with the metrics, whose `metrics()` returns them as text. */
  readonly registry: Registry;
  readonly #events: Readonly<Record<Exclude<SessionEvent['type'], 'ended' | 'gone'>, Counter>>;
  readonly #ended: Counter<'why'>;
  readonly #expired: Counter;
  readonly #durations: Histogram<'operation' | 'outcome'>;
  readonly #errors: Counter<'kind' | 'outcome'>;
  readonly #up: StoreUp;
  readonly #lostEntries: Counter;
  readonly #counted = new WeakSet<StoreUnavailableError>();

  constructor({
    registry = new Registry(),
    countSessions,
    countEveryMs = 60_000,
    onCountError = () => {},
    checkStore,
    nearCache,
  }: SessionMetricsOptions = {}) {
    this.registry = registry;
    const counter = <Label extends string = never>(
      name: string,
      help: string,
      labelNames: Label[] = [],
    ) => new Counter<Label>({ name, help, labelNames, registers: [registry] });

    this.#events = {
      created: counter('sojourn_sessions_created_total', 'Sessions started by this process.'),
      rotated: counter('sojourn_sessions_rotated_total', 'Session secrets replaced by a rotation.'),
      reused: counter(
        'sojourn_tokens_reused_total',
        'Tokens presented after a rotation had replaced them: old copies or stolen ones.',
      ),
      refused: counter(
        'sojourn_tokens_refused_total',
        'Well-formed tokens that opened nothing: the session has ended or the secret is wrong.',
      ),
    };
    this.#ended = counter(
      'sojourn_sessions_ended_total',
      'Sessions ended by this process, by reason.',
      ['why'],
    );
    this.#expired = counter(
      'sojourn_sessions_expired_total',
      'Sessions that expired, as the store announced them. Every watching process counts all of them: use the max over instances, not the sum.',
    );
    this.#durations = new Histogram({
      name: 'sojourn_store_operation_duration_seconds',
      help: 'Duration of calls to the store, by operation and outcome.',
      labelNames: ['operation', 'outcome'],
      buckets: BUCKETS,
      registers: [registry],
    });
    this.#errors = counter(
      'sojourn_store_errors_total',
      'Calls to the store that failed, by cause, and whether they were certainly not applied (refused) or may have been (unknown).',
      ['kind', 'outcome'],
    );
    this.#lostEntries = counter(
      'sojourn_journal_failures_total',
      'Journal entries that were lost. Sessions are not affected.',
    );
    // A counter that appears only with its first error shows no increase to an alert.
    for (const why of endReasons) this.#ended.inc({ why }, 0);
    for (const kind of failures) {
      for (const outcome of ['refused', 'unknown']) this.#errors.inc({ kind, outcome }, 0);
    }
    this.#up = new StoreUp(checkStore);
    addStoreUp(registry, this.#up);
    if (countSessions !== undefined) {
      const options = { count: countSessions, everyMs: countEveryMs, onError: onCountError };
      addCount(registry, new SessionCount(options), countEveryMs);
    }
    if (nearCache !== undefined) addNearCache(registry, nearCache);
  }

  notify(event: SessionEvent): void {
    if (event.type === 'gone') return; // counted as ended by the process that ended it
    if (event.type !== 'ended') this.#events[event.type].inc();
    else if (event.why === 'expired') this.#expired.inc();
    else this.#ended.inc({ why: event.why });
  }

  /**
   * Counts a lost journal entry. Pass it to the service: `new SessionService({ ..., onJournalFailure: () =>
   * metrics.journalFailed() })`.
   */
  journalFailed(): void {
    this.#lostEntries.inc();
  }

  storeAsked({ name }: StoreOperation): (answer: StoreAnswer) => void {
    const askedAt = performance.now();
    return (answer) => {
      const labels = { operation: name, outcome: answer.outcome };
      const answeredAt = performance.now();
      this.#durations.observe(labels, (answeredAt - askedAt) / 1000);
      this.#up.heard(answer, answeredAt);
      if (answer.outcome !== 'failed') return;
      const { error } = answer;
      // A failure of the application's function in durable work is not the store's, and an error of a call in it has
      // been counted already.
      if (!(error instanceof StoreUnavailableError) || this.#counted.has(error)) return;
      this.#counted.add(error);
      this.#errors.inc({ kind: error.failure, outcome: error.outcome });
    };
  }
}

function addStoreUp(registry: Registry, store: StoreUp): void {
  new Gauge({
    name: 'sojourn_store_up',
    help: '1 if the store is available, 0 if not, according to its last answer.',
    registers: [registry],
    async collect() {
      const up = await store.latest();
      if (up === undefined) this.remove();
      else this.set(Number(up));
    },
  });
}

function addCount(registry: Registry, count: SessionCount, everyMs: number): void {
  const gauge = (
    name: string,
    help: string,
    of: (known: { sessions: number; ageMs: number }) => number,
  ) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const known = await count.latest();
        if (known === undefined) this.remove();
        else this.set(of(known));
      },
    });
  gauge(
    'sojourn_sessions_active',
    `Live sessions in the store, counted when this is read, at most every ${everyMs / 1000} s and during at most a twentieth of the time. The same for all instances: use the max, not the sum.`,
    ({ sessions }) => sessions,
  );
  gauge(
    'sojourn_sessions_active_age_seconds',
    'Time since sojourn_sessions_active was counted.',
    ({ ageMs }) => ageMs / 1000,
  );
}

function addNearCache(registry: Registry, figures: () => NearCacheFigures): void {
  const gauge = (name: string, help: string, of: (figures: NearCacheFigures) => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(of(figures()));
      },
    });
  const counter = (name: string, help: string, of: (figures: NearCacheFigures) => number) =>
    new Counter({
      name,
      help,
      registers: [registry],
      collect() {
        this.reset();
        this.inc(of(figures()));
      },
    });
  counter('sojourn_near_cache_hits_total', 'Reads answered from memory.', ({ hits }) => hits);
  counter('sojourn_near_cache_misses_total', 'Reads answered by Redis.', (f) => f.misses);
  gauge('sojourn_near_cache_sessions', 'Sessions kept in memory.', ({ sessions }) => sessions);
  gauge(
    'sojourn_near_cache_bytes',
    'Estimated size of the sessions kept in memory.',
    ({ bytes }) => bytes,
  );
  gauge(
    'sojourn_near_cache_trusted',
    '1 while the sessions in memory are known to be current; at 0 every read goes to Redis.',
    ({ trusted }) => Number(trusted),
  );
}
