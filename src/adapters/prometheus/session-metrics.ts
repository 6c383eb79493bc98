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

/** Where the metrics go, and what is asked when somebody reads them. */
export interface SessionMetricsOptions {
  /** Default: a registry of its own. A registry takes these metrics once; one `SessionMetrics` may observe several services. */
  readonly registry?: Registry;
  /**
   * Counts the sessions that are alive: `shareCount({ client })` of `sojourn/redis`, which one process does for all that
   * share a Redis; `() => countSessions({ client })`, which each does for itself; or `MemorySessionRepository.count`. Called
   * in the background, only when the metrics are read, one at a time, and such that it takes at most a twentieth of the
   * time. Without it there is no `sojourn_sessions_active`.
   */
  readonly countSessions?: () => Promise<number | KnownCount | undefined>;
  /** Milliseconds between two counts at least. Default 60000. */
  readonly countEveryMs?: number;
  /** Hears of counts that failed; the metrics show the last one and its age. Default: nobody. */
  readonly onCountError?: (error: unknown) => void;
  /**
   * Asks the store whether it serves, and rejects with `StoreUnavailableError` where it does not: `ping` of
   * `connectRedis`. Called when the metrics are read and the store was asked for nothing in the last five seconds, one at a
   * time, so that `sojourn_store_up` is right also while nobody is there.
   *
   * @default none: `sojourn_store_up` is what the store last answered
   */
  readonly checkStore?: () => Promise<void>;
  /** `NearCache.stats` of `sojourn/redis`, where there is a near cache. */
  readonly nearCache?: () => NearCacheFigures;
}

/** What a near cache tells of itself. */
export interface NearCacheFigures {
  readonly sessions: number;
  readonly bytes: number;
  readonly trusted: boolean;
  readonly hits: number;
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
 * What happens to sessions and how the store answers, as Prometheus metrics: `new SessionService({ repository, observer })`
 * with this as the observer, and `await metrics.registry.metrics()` where they are read. No label ever holds an id, a
 * user or a prefix, so there are about a thousand series at most.
 */
export class SessionMetrics implements SessionObserver {
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
      created: counter('sojourn_sessions_created_total', 'Sessions started here.'),
      rotated: counter('sojourn_sessions_rotated_total', 'Secrets replaced by new ones.'),
      reused: counter(
        'sojourn_tokens_reused_total',
        'Tokens presented after a rotation had replaced them: old copies, or stolen ones.',
      ),
      refused: counter(
        'sojourn_tokens_refused_total',
        'Well-formed tokens that opened nothing: their session has ended, or the secret is wrong.',
      ),
    };
    this.#ended = counter('sojourn_sessions_ended_total', 'Sessions ended here, by why.', ['why']);
    this.#expired = counter(
      'sojourn_sessions_expired_total',
      'Sessions that ran out, as the store announced them. Every process that listens hears of all: take the max over instances, not the sum.',
    );
    this.#durations = new Histogram({
      name: 'sojourn_store_operation_duration_seconds',
      help: 'Time that the store took, by what it was asked for and how it answered.',
      labelNames: ['operation', 'outcome'],
      buckets: BUCKETS,
      registers: [registry],
    });
    this.#errors = counter(
      'sojourn_store_errors_total',
      'Operations that the store failed, by what kept it from answering, and whether it certainly did not apply them (refused) or may have (unknown).',
      ['kind', 'outcome'],
    );
    this.#lostEntries = counter(
      'sojourn_journal_failures_total',
      'Entries that the journal lost. Sessions went on.',
    );
    // A counter that appears with its first error has no increase that an alert could see.
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

  /** The journal has lost an entry: `new SessionService({ ..., onJournalFailure: () => metrics.journalFailed() })`. */
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
      // What is done durably may fail by itself, and fails with what a call in it failed with.
      if (!(error instanceof StoreUnavailableError) || this.#counted.has(error)) return;
      this.#counted.add(error);
      this.#errors.inc({ kind: error.failure, outcome: error.outcome });
    };
  }
}

function addStoreUp(registry: Registry, store: StoreUp): void {
  new Gauge({
    name: 'sojourn_store_up',
    help: '1 if the store serves, 0 if it does not, by what it last answered.',
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
    `Sessions alive in the store, counted when this is read, at most every ${everyMs / 1000} s and a twentieth of the time. The same for all instances: take the max, not the sum.`,
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
  counter('sojourn_near_cache_misses_total', 'Reads that Redis was asked for.', (f) => f.misses);
  gauge('sojourn_near_cache_sessions', 'Sessions kept in memory.', ({ sessions }) => sessions);
  gauge('sojourn_near_cache_bytes', 'Bytes of them, as estimated.', ({ bytes }) => bytes);
  gauge(
    'sojourn_near_cache_trusted',
    '1 while Redis vouches for what is kept; at 0 every read goes to Redis.',
    ({ trusted }) => Number(trusted),
  );
}
