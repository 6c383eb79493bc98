import type { EndReason } from '../ports/session-observer.ts';

/** What one process observed of sessions and their store during a period. */
export interface SessionFigures {
  /** Start of the period, in milliseconds since 1970. */
  readonly from: number;
  /** Length of the period, in milliseconds. */
  readonly forMs: number;
  /** Number of sessions that were started. */
  readonly started: number;
  /** Number of sessions that ended, by reason. */
  readonly ended: Readonly<Record<EndReason, number>>;
  /** Number of calls to the store that failed. */
  readonly errors: number;
  /** Median response time of the store, in milliseconds; `undefined` if there were no calls. */
  readonly p50Ms: number | undefined;
  /** 99th percentile of the store's response time, in milliseconds; `undefined` if there were no calls. */
  readonly p99Ms: number | undefined;
  /** Share of reads that the near cache answered, 0 to 1; `undefined` without a near cache or without reads. */
  readonly nearCacheHits: number | undefined;
  /** Number of live sessions in the store at the end of the period; `undefined` if they were not counted. */
  readonly sessions: number | undefined;
  /** Memory used by the store at the end of the period, in bytes; `undefined` if unknown. */
  readonly storeBytes: number | undefined;
}

/** The reasons for which sessions end, in display order. */
export const endReasons = [
  'logout',
  'expired',
  'revoked',
  'evicted',
  'reused',
] as const satisfies readonly EndReason[];
