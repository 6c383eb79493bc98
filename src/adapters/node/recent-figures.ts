import { StoreUnavailableError } from '../../domain/errors.ts';
import type { SessionFigures } from '../../domain/session-figures.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  EndReason,
  SessionEvent,
  SessionObserver,
  StoreAnswer,
  StoreOperation,
} from '../../ports/session-observer.ts';
import { systemClock } from './system-clock.ts';

/** Figures that are sampled every ten seconds, in addition to observed events. Each is optional. */
export interface RecentFiguresOptions {
  /**
   * Returns the number of live sessions: `shareCount({ client })` of `sojourn/redis`, or `() => repository.count()` for
   * a `MemorySessionRepository`.
   */
  readonly countSessions?: () => Promise<
    number | { readonly sessions: number; readonly ageMs: number } | undefined
  >;
  /** Returns the memory used by the store, in bytes. */
  readonly storeBytes?: () => Promise<number | undefined>;
  /** The hits and misses of a near cache: `NearCache.stats` of `sojourn/near-cache`. */
  readonly nearCache?: () => { readonly hits: number; readonly misses: number };
  /** By default the system's clock. */
  readonly clock?: Clock;
}

const MINUTE_MS = 60_000;

const SAMPLE_MS = 10_000;

/** Twelve hours. */
const KEPT_MINUTES = 720;

/** An older count says nothing about the present. */
const OLDEST_COUNT_MS = 10 * MINUTE_MS;

interface Minute {
  readonly minute: number;
  started: number;
  readonly ended: Record<EndReason, number>;
  errors: number;
  readonly durations: Uint32Array;
  hits: number;
  reads: number;
  sessions: number | undefined;
  storeBytes: number | undefined;
}

/**
 * An observer that keeps figures of the last twelve hours per minute, for the charts of the operator's console. It uses
 * at most half a megabyte, however much happens, and its data is lost with the process. Sessions and memory are sampled
 * only after `start`.
 */
export class RecentFigures implements SessionObserver {
  readonly #options: RecentFiguresOptions;
  readonly #clock: Clock;
  readonly #since: number;
  readonly #ring: (Minute | undefined)[] = new Array(KEPT_MINUTES).fill(undefined);
  readonly #counted = new WeakSet<StoreUnavailableError>();
  #sampling: Promise<void> | undefined;
  #near = { hits: 0, misses: 0 };

  constructor(options: RecentFiguresOptions = {}) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#since = minuteOf(this.#clock.now());
  }

  notify(event: SessionEvent): void {
    if (event.type === 'created') this.#now().started += 1;
    if (event.type === 'ended') this.#now().ended[event.why] += 1;
  }

  storeAsked({ name }: StoreOperation): (answer: StoreAnswer) => void {
    const askedAt = performance.now();
    return (answer) => {
      const minute = this.#now();
      // Durable work consists of calls that are reported too.
      if (name !== 'durably') add(minute.durations, slotOf(performance.now() - askedAt), 1);
      if (answer.outcome !== 'failed') return;
      const { error } = answer;
      if (!(error instanceof StoreUnavailableError) || this.#counted.has(error)) return;
      this.#counted.add(error);
      minute.errors += 1;
    };
  }

  /** Starts to sample, now and every ten seconds. Returns a function that stops it. */
  start(): () => void {
    void this.sample();
    const timer = setInterval(() => void this.sample(), SAMPLE_MS).unref();
    return () => clearInterval(timer);
  }

  /**
   * Samples once, unless a sample is under way: a count may take long. Figures that are not available are left out.
   */
  async sample(): Promise<void> {
    this.#sampling ??= this.#sample().finally(() => {
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  async #sample(): Promise<void> {
    const { countSessions, storeBytes } = this.#options;
    this.#takeHits();
    const [count, bytes] = await Promise.allSettled([countSessions?.(), storeBytes?.()]);
    const minute = this.#now();
    if (count.status === 'fulfilled') minute.sessions = sessionsOf(count.value) ?? minute.sessions;
    if (bytes.status === 'fulfilled') minute.storeBytes = bytes.value ?? minute.storeBytes;
  }

  /**
   * The last `minutes` minutes in periods of `step` minutes, oldest first; the last one is still running. Periods
   * before this process started are left out. Both are whole numbers of at least 1; twelve hours are kept.
   */
  recent({ minutes, step }: { readonly minutes: number; readonly step: number }): SessionFigures[] {
    this.#takeHits();
    const now = minuteOf(this.#clock.now());
    const spans: SessionFigures[] = [];
    // Periods begin at multiples of their length, so that a figure keeps its place when the page is reloaded.
    const last = now - (now % step);
    const oldest = Math.max(this.#since, now - KEPT_MINUTES + 1);
    for (let from = last - minutes + step; from <= last; from += step) {
      if (from + step <= oldest) continue;
      const inSpan = Array.from({ length: step }, (_, i) => this.#at(from + i));
      spans.push(
        together(
          from,
          step,
          inSpan.filter((minute) => minute !== undefined),
        ),
      );
    }
    return spans;
  }

  #takeHits(): void {
    const stats = this.#options.nearCache?.();
    if (stats === undefined) return;
    const minute = this.#now();
    const hits = stats.hits - this.#near.hits;
    minute.hits += hits;
    minute.reads += hits + stats.misses - this.#near.misses;
    this.#near = { hits: stats.hits, misses: stats.misses };
  }

  #at(minute: number): Minute | undefined {
    const found = this.#ring[minute % KEPT_MINUTES];
    return found?.minute === minute ? found : undefined;
  }

  #now(): Minute {
    const minute = minuteOf(this.#clock.now());
    const known = this.#at(minute);
    if (known !== undefined) return known;
    const begun = emptyMinute(minute);
    this.#ring[minute % KEPT_MINUTES] = begun;
    return begun;
  }
}

function minuteOf(epochMs: number): number {
  return Math.floor(epochMs / MINUTE_MS);
}

function sessionsOf(
  count: number | { readonly sessions: number; readonly ageMs: number } | undefined,
): number | undefined {
  if (typeof count !== 'object') return count;
  return count.ageMs <= OLDEST_COUNT_MS ? count.sessions : undefined;
}

// Durations are counted in buckets from 10 µs to about 10 s, each 19 % longer than the one before.
const LEAST_MS = 0.01;
const SLOTS_A_DOUBLING = 4;
const SLOTS = 20 * SLOTS_A_DOUBLING;

function slotOf(ms: number): number {
  const slot = Math.ceil(Math.log2(ms / LEAST_MS) * SLOTS_A_DOUBLING);
  return Math.min(SLOTS - 1, Math.max(0, slot));
}

function add(durations: Uint32Array, slot: number, count: number): void {
  durations[slot] = (durations[slot] ?? 0) + count;
}

/** The upper bound of the bucket with the duration that this share of all answers did not exceed. */
function percentile(durations: Uint32Array, share: number): number | undefined {
  const all = durations.reduce((sum, count) => sum + count, 0);
  if (all === 0) return undefined;
  let left = Math.ceil(all * share);
  const slot = durations.findIndex((count) => {
    left -= count;
    return left <= 0;
  });
  return LEAST_MS * 2 ** (slot / SLOTS_A_DOUBLING);
}

function noEnds(): Record<EndReason, number> {
  return { logout: 0, revoked: 0, evicted: 0, reused: 0, expired: 0 };
}

function emptyMinute(minute: number): Minute {
  return {
    minute,
    started: 0,
    ended: noEnds(),
    errors: 0,
    durations: new Uint32Array(SLOTS),
    hits: 0,
    reads: 0,
    sessions: undefined,
    storeBytes: undefined,
  };
}

function together(from: number, step: number, minutes: readonly Minute[]): SessionFigures {
  const all = emptyMinute(from);
  for (const minute of minutes) {
    all.started += minute.started;
    all.errors += minute.errors;
    all.hits += minute.hits;
    all.reads += minute.reads;
    all.sessions = minute.sessions ?? all.sessions;
    all.storeBytes = minute.storeBytes ?? all.storeBytes;
    for (const [why, count] of Object.entries(minute.ended)) all.ended[why as EndReason] += count;
    for (const [slot, count] of minute.durations.entries()) add(all.durations, slot, count);
  }
  const { started, ended, errors, sessions, storeBytes } = all;
  return {
    from: from * MINUTE_MS,
    forMs: step * MINUTE_MS,
    ...{ started, ended, errors, sessions, storeBytes },
    p50Ms: percentile(all.durations, 0.5),
    p99Ms: percentile(all.durations, 0.99),
    nearCacheHits: all.reads > 0 ? all.hits / all.reads : undefined,
  };
}
