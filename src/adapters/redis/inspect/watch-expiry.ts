import { listenToKeys, type WatchOptions } from './key-events.ts';

/**
 * Reports sessions that expire, as Redis announces them; `notify-keyspace-events` must contain at least `Ex`. This is
 * best effort: Redis announces an expiry when it notices it, which may be late, and only to clients that are connected
 * at that moment. Every watching process gets all events.
 *
 * Returns a function that ends the watch. Rejects with `StoreUnavailableError` if Redis does not permit the
 * subscription.
 */
export function watchExpiry({ observer, ...redis }: WatchOptions): Promise<() => Promise<void>> {
  return listenToKeys(redis, ['expired'], (_event, id) =>
    observer.notify({ type: 'ended', id, why: 'expired' }),
  );
}
