import { listenToKeys, type WatchOptions } from './key-events.ts';

/**
 * Tells the observer of sessions that ended, whoever ended them: `gone` for those that were deleted, at once, beside what
 * `watchExpiry` tells of those that ran out, and with its reservations. Redis announces deletions where
 * `notify-keyspace-events` contains `g` (`Exg`), and those it made for want of memory with `e`; with less the rest is
 * told. Every process that watches hears of all of them, its own included. Answers what ends the watch; rejects with
 * `StoreUnavailableError` where Redis does not let it listen.
 */
export function watchEndings({ observer, ...redis }: WatchOptions): Promise<() => Promise<void>> {
  return listenToKeys(redis, ['expired', 'del', 'evicted'], (event, id) =>
    observer.notify(
      event === 'expired' ? { type: 'ended', id, why: 'expired' } : { type: 'gone', id },
    ),
  );
}
