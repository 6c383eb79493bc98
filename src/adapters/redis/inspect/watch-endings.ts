import { listenToKeys, type WatchOptions } from './key-events.ts';

/**
 * Reports all sessions that end, whoever ended them. Sessions that are deleted are reported at once as `gone`; sessions
 * that expire are reported as by `watchExpiry`, on the same best-effort basis. Redis announces deletions if
 * `notify-keyspace-events` contains `g` (`Exg`), and evictions for lack of memory if it contains `e`; without them only
 * the rest is reported. Every watching process gets all events, including its own.
 *
 * Returns a function that ends the watch. Rejects with `StoreUnavailableError` if Redis does not permit the
 * subscription.
 *
 * @example
 * ```ts
 * const endings = new SessionEndings();
 * const stop = await watchEndings({ client, observer: endings });
 * ```
 */
export function watchEndings({ observer, ...redis }: WatchOptions): Promise<() => Promise<void>> {
  return listenToKeys(redis, ['expired', 'del', 'evicted'], (event, id) =>
    observer.notify(
      event === 'expired' ? { type: 'ended', id, why: 'expired' } : { type: 'gone', id },
    ),
  );
}
