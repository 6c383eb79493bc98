import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import type { SessionObserver } from '../../../ports/session-observer.ts';
import type { RedisCommands } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { openForEachPrimary, type Primary } from '../each-primary.ts';
import { causeOf, storeUnavailable } from '../redis-errors.ts';

/** What to watch, and where events go. */
export interface WatchOptions {
  /**
   * A client for servers whose `notify-keyspace-events` is set; on a cluster also on replicas, as they may become
   * primaries.
   */
  readonly client: RedisClient;
  /** The repository's prefix. @default 'session:' */
  readonly prefix?: string;
  /** Receives the events, for example a `SessionEndings`. */
  readonly observer: SessionObserver;
  /**
   * Receives errors when a connection of the watch fails, or Redis no longer permits the subscription. Each is retried.
   * An error at the start rejects the call instead. By default errors are ignored.
   */
  readonly onError?: (error: Error) => void;
}

/** Redis' names for the end of a key: it expired, it was deleted, or it was evicted because memory was full. */
export type KeyEvent = 'expired' | 'del' | 'evicted';

/** How often to look for new primaries of a cluster. */
const FOLLOW_INTERVAL_MS = 1000;

/** How long to wait before reconnecting after Redis refused a subscription. */
const REFUSED_PAUSE_MS = 1000;

/**
 * Calls back with the id of each key that had one of these events. It uses a connection of its own, one per primary on
 * a cluster, which subscribes again after a failure; events in between are lost. Returns a function that ends it.
 * Rejects with `StoreUnavailableError` if Redis does not permit the subscription.
 */
export async function listenToKeys(
  { client, prefix = 'session:', onError = () => {} }: Omit<WatchOptions, 'observer'>,
  events: readonly KeyEvent[],
  tell: (event: KeyEvent, id: SessionId) => void,
): Promise<() => Promise<void>> {
  const commands = commandsOf(client);
  const hear = (event: KeyEvent, key: string) => {
    const id = key.startsWith(prefix) ? parseSessionId(key.slice(prefix.length)) : undefined;
    if (id !== undefined) tell(event, id);
  };
  let isStarted = false;
  const failed = (error: Error) => {
    if (isStarted) onError(error);
  };
  const listening = openForEachPrimary(commands, (primary) =>
    listen(primary, events, { hear, failed }),
  );
  try {
    await listening.follow();
    const all = listening.all();
    if (all.length === 0) throw storeUnavailable(new Error('The cluster is not connected'));
    await Promise.all(all.map(({ subscribed }) => subscribed));
  } catch (error) {
    listening.close();
    throw storeUnavailable(error);
  }
  isStarted = true;
  if (!commands.isCluster) return async () => listening.close();
  const meetPrimaries = meetingPrimaries(commands);
  const following = setInterval(() => {
    void meetPrimaries().then(() => listening.follow());
  }, FOLLOW_INTERVAL_MS).unref();
  return async () => {
    clearInterval(following);
    listening.close();
  };
}

interface Listening {
  /** The first subscription; rejects if it fails. */
  readonly subscribed: Promise<void>;
  close(): void;
}

function listen(
  primary: Primary,
  events: readonly KeyEvent[],
  on: { hear(event: KeyEvent, key: string): void; failed(error: Error): void },
): Listening {
  const channels = new Map<string, KeyEvent>();
  const { promise, resolve, reject } = promised();
  let pause: NodeJS.Timeout | undefined;
  /** The subscriptions of the current connection. */
  let current: Promise<unknown> | undefined;
  const failed = (error: Error) => {
    reject(error);
    on.failed(causeOf(error));
  };
  const connection = primary.stayConnected({
    ready() {
      for (const event of events) {
        channels.set(`__keyevent@${connection.database}__:${event}`, event);
      }
      const subscribing = [...channels.keys()].map((channel) => connection.subscribe(channel));
      const all = Promise.all(subscribing);
      current = all;
      all.then(resolve, (error) => {
        if (current !== all) return; // this connection was lost; another follows
        failed(error);
        pause = setTimeout(() => connection.renew(), REFUSED_PAUSE_MS).unref();
      });
    },
    failed,
    lost,
    heard(channel, key) {
      const event = channels.get(channel);
      if (event !== undefined && typeof key === 'string') on.hear(event, key);
    },
  });
  return {
    subscribed: promise,
    close() {
      lost();
      connection.close();
    },
  };

  function lost(): void {
    current = undefined;
    clearTimeout(pause);
  }
}

function promised() {
  let resolve = (_: unknown) => {};
  let reject = (_: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = () => yes();
    reject = no;
  });
  promise.catch(() => {}); // for a primary that was found later, nothing awaits it
  return { promise, resolve, reject };
}

/**
 * Makes the client look for primaries of a cluster that it does not know. It does so by itself only when a key has
 * moved, and a process that only watches asks for no keys. One node after the other is asked for the nodes that it
 * knows.
 */
function meetingPrimaries(commands: RedisCommands): () => Promise<void> {
  let turn = 0;
  let unmet = '';
  return async () => {
    try {
      const primaries = await commands.primaries();
      turn += 1;
      const nodes = await primaries[turn % primaries.length]?.command('CLUSTER', ['NODES']);
      const slots = String(nodes)
        .split('\n')
        .map((line) => firstSlotElsewhere(line, (slot) => commands.primaryOf(slot)));
      const unknown = slots.filter((slot) => slot !== undefined).join();
      // If the client uses other addresses than the nodes report, they never match.
      if (unknown !== '' && (unknown !== unmet || turn % 10 === 0)) await commands.findPrimaries();
      unmet = unknown;
    } catch {
      // the next turn asks another node
    }
  };
}

/** A slot of the primary in this line of CLUSTER NODES, if the client considers another primary its owner. */
function firstSlotElsewhere(
  line: string,
  primaryOf: (slot: number) => string | undefined,
): number | undefined {
  const [, address = '', flags = '', , , , , , ...ranges] = line.split(' ');
  if (!/master/.test(flags) || /fail(?!\?)|noaddr|handshake/.test(flags)) return undefined;
  const name = address.replace(/[@,].*$/, '');
  const slots = ranges
    .filter((range) => !range.startsWith('['))
    .map((range) => Number.parseInt(range, 10));
  return slots.find((slot) => primaryOf(slot) !== name);
}
