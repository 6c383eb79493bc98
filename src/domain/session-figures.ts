import type { EndReason } from '../ports/session-observer.ts';

/** What one process saw of sessions and of their store in a span of time. */
export interface SessionFigures {
  /** When the span begins, in milliseconds since 1970. */
  readonly from: number;
  /** How long it is, in milliseconds. */
  readonly forMs: number;
  readonly started: number;
  readonly ended: Readonly<Record<EndReason, number>>;
  /** What the store was asked and failed. */
  readonly errors: number;
  /** Half of the store's answers took at most so many milliseconds; `undefined` where it was asked nothing. */
  readonly p50Ms: number | undefined;
  /** 99 of 100 of its answers took at most so many. */
  readonly p99Ms: number | undefined;
  /** The share of reads that the near cache answered, 0 to 1; `undefined` without one, or without reads. */
  readonly nearCacheHits: number | undefined;
  /** Sessions alive in the store at the end of the span, as far as they were counted. */
  readonly sessions: number | undefined;
  /** Bytes that the store's memory took at the end of the span, as far as it says. */
  readonly storeBytes: number | undefined;
}

/** The reasons for which sessions end, in the order in which they are told. */
export const endReasons = [
  'logout',
  'expired',
  'revoked',
  'evicted',
  'reused',
] as const satisfies readonly EndReason[];
