import { parseSessionId } from '../../domain/session-token.ts';
import type { SessionObserver } from '../../ports/session-observer.ts';
import { commandsOf, type RedisClient } from './clients/tell-apart.ts';
import { storeUnavailable } from './redis-errors.ts';

/** What to watch, and who hears of it. */
export interface WatchExpiryOptions {
  /** One server, configured with `notify-keyspace-events` of at least `Ex`; on a cluster, each master by itself. */
  readonly client: RedisClient;
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
  const commands = commandsOf(client);
  return new Promise((resolve, reject) => {
    let watching = false;
    const connection = commands.listen({
      ready() {
        connection.subscribe(`__keyevent@${connection.database}__:expired`).then(() => {
          watching = true;
          resolve(async () => connection.close());
        }, giveUp);
      },
      failed: giveUp,
      lost() {}, // another connection follows; what was announced meanwhile is missed
      heard(_channel, key) {
        if (typeof key !== 'string' || !key.startsWith(prefix)) return;
        const id = parseSessionId(key.slice(prefix.length));
        if (id !== undefined) observer.notify({ type: 'ended', id, why: 'expired' });
      },
    });

    function giveUp(error: Error): void {
      if (watching) return;
      connection.close();
      reject(storeUnavailable(error));
    }
  });
}
