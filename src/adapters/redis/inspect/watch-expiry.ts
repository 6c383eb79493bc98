import { listenToKeys, type WatchOptions } from './key-events.ts';

/**
 * Tells the observer of sessions that ran out, as Redis announces them: `notify-keyspace-events` of at least `Ex`. Best
 * effort: Redis announces an expiry when it notices it, which may be late, and to nobody who is not connected at that
 * moment. Every process that watches hears of all of them. Answers what ends the watch; rejects with
 * `StoreUnavailableError` where Redis does not let it listen.
 */
export function watchExpiry({ observer, ...redis }: WatchOptions): Promise<() => Promise<void>> {
  return listenToKeys(redis, ['expired'], (_event, id) =>
    observer.notify({ type: 'ended', id, why: 'expired' }),
  );
}
