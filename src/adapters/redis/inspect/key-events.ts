import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import type { SessionObserver } from '../../../ports/session-observer.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { storeUnavailable } from '../redis-errors.ts';

/** What to watch, and who hears of it. */
export interface WatchOptions {
  /** A client of one server, configured to announce it; on a cluster, each master by itself. */
  readonly client: RedisClient;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  readonly observer: SessionObserver;
}

/** What Redis calls the end of a key: it ran out, was deleted, or was thrown out because memory is full. */
export type KeyEvent = 'expired' | 'del' | 'evicted';

/**
 * Calls back with each id whose key had one of these events, on a connection of its own that subscribes again by itself;
 * what it missed is missed. Answers what ends it; rejects with `StoreUnavailableError` where Redis does not let it listen.
 */
export async function listenToKeys(
  { client, prefix = 'session:' }: Pick<WatchOptions, 'client' | 'prefix'>,
  events: readonly KeyEvent[],
  tell: (event: KeyEvent, id: SessionId) => void,
): Promise<() => Promise<void>> {
  const commands = commandsOf(client);
  return new Promise((resolve, reject) => {
    const channels = new Map<string, KeyEvent>();
    let watching = false;
    const connection = commands.stayConnected({
      ready() {
        for (const event of events) {
          channels.set(`__keyevent@${connection.database}__:${event}`, event);
        }
        const subscribed = [...channels.keys()].map((channel) => connection.subscribe(channel));
        Promise.all(subscribed).then(() => {
          watching = true;
          resolve(async () => connection.close());
        }, giveUp);
      },
      failed: giveUp,
      lost() {}, // another connection follows
      heard(channel, key) {
        const event = channels.get(channel);
        if (event === undefined || typeof key !== 'string' || !key.startsWith(prefix)) return;
        const id = parseSessionId(key.slice(prefix.length));
        if (id !== undefined) tell(event, id);
      },
    });

    function giveUp(error: Error): void {
      if (watching) return;
      connection.close();
      reject(storeUnavailable(error));
    }
  });
}
