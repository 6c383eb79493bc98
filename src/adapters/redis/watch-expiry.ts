import type { Redis } from 'ioredis';
import { parseSessionId } from '../../domain/session-token.ts';
import type { SessionObserver } from '../../ports/session-observer.ts';
import { storeUnavailable } from './redis-errors.ts';

/** What to watch, and who hears of it. */
export interface WatchExpiryOptions {
  /** One server, configured with `notify-keyspace-events` of at least `Ex`; on a cluster, each master by itself. */
  readonly client: Redis;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  readonly observer: SessionObserver;
}

/**
 * Tells the observer of sessions that ran out, as Redis announces them. Best effort: Redis announces an expiry when it
 * notices it, which may be late, and to nobody who is not connected at that moment. Every process that watches hears of
 * all of them. Answers what ends the watch; rejects with `StoreUnavailableError` where Redis does not let it listen.
 */
export async function watchExpiry({
  client,
  prefix = 'session:',
  observer,
}: WatchExpiryOptions): Promise<() => Promise<void>> {
  const subscriber = client.duplicate({ enableOfflineQueue: true });
  subscriber.on('error', () => {}); // it reconnects and subscribes again by itself; what it missed is missed
  subscriber.on('message', (_channel: string, key: string) => {
    const id = key.startsWith(prefix) ? parseSessionId(key.slice(prefix.length)) : undefined;
    if (id !== undefined) observer.notify({ type: 'ended', id, why: 'expired' });
  });
  try {
    await subscriber.subscribe(`__keyevent@${client.options.db ?? 0}__:expired`);
  } catch (error) {
    subscriber.disconnect();
    throw storeUnavailable(error);
  }
  return async () => subscriber.disconnect();
}
