import { parseSessionId, type SessionId } from '../../../domain/session-token.ts';
import type { SessionObserver } from '../../../ports/session-observer.ts';
import type { RedisCommands } from '../clients/redis-commands.ts';
import { commandsOf, type RedisClient } from '../clients/tell-apart.ts';
import { openForEachPrimary, type Primary } from '../each-primary.ts';
import { storeUnavailable } from '../redis-errors.ts';

/** What to watch, and who hears of it. */
export interface WatchOptions {
  /** A client of servers that are configured to announce it; of a cluster, replicas too, as they may become primaries. */
  readonly client: RedisClient;
  /** As the repository has it. Default `session:`. */
  readonly prefix?: string;
  readonly observer: SessionObserver;
}

/** What Redis calls the end of a key: it ran out, was deleted, or was thrown out because memory is full. */
export type KeyEvent = 'expired' | 'del' | 'evicted';

/** How often to look for other primaries of a cluster. */
const FOLLOW_INTERVAL_MS = 1000;

/**
 * Calls back with each id whose key had one of these events, on a connection of its own that subscribes again by itself,
 * on a cluster one to each primary; what it missed is missed. Answers what ends it; rejects with
 * `StoreUnavailableError` where Redis does not let it listen.
 */
export async function listenToKeys(
  { client, prefix = 'session:' }: Pick<WatchOptions, 'client' | 'prefix'>,
  events: readonly KeyEvent[],
  tell: (event: KeyEvent, id: SessionId) => void,
): Promise<() => Promise<void>> {
  const commands = commandsOf(client);
  const hear = (event: KeyEvent, key: string) => {
    const id = key.startsWith(prefix) ? parseSessionId(key.slice(prefix.length)) : undefined;
    if (id !== undefined) tell(event, id);
  };
  const listening = openForEachPrimary(commands, (primary) => listen(primary, events, hear));
  try {
    await listening.follow();
    const all = listening.all();
    if (all.length === 0) throw storeUnavailable(new Error('The cluster is not connected'));
    await Promise.all(all.map(({ subscribed }) => subscribed));
  } catch (error) {
    listening.close();
    throw storeUnavailable(error);
  }
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
  /** The first time; rejects where that fails. */
  readonly subscribed: Promise<void>;
  close(): void;
}

function listen(
  primary: Primary,
  events: readonly KeyEvent[],
  hear: (event: KeyEvent, key: string) => void,
): Listening {
  const channels = new Map<string, KeyEvent>();
  const { promise, resolve, reject } = promised();
  const connection = primary.stayConnected({
    ready() {
      for (const event of events) {
        channels.set(`__keyevent@${connection.database}__:${event}`, event);
      }
      const subscribing = [...channels.keys()].map((channel) => connection.subscribe(channel));
      Promise.all(subscribing).then(resolve, reject);
    },
    failed: reject,
    lost() {}, // another connection follows
    heard(channel, key) {
      const event = channels.get(channel);
      if (event !== undefined && typeof key === 'string') hear(event, key);
    },
  });
  return { subscribed: promise, close: () => connection.close() };
}

function promised() {
  let resolve = (_: unknown) => {};
  let reject = (_: Error) => {};
  const promise = new Promise<void>((yes, no) => {
    resolve = () => yes();
    reject = no;
  });
  promise.catch(() => {}); // of a primary that was met later nobody waits for it
  return { promise, resolve, reject };
}

/**
 * Has the client look for primaries of a cluster that it does not know: by itself it does when a key is not where it
 * asks, and a process that only watches asks for none. One node after the other is asked what it knows.
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
      // Where the client has other addresses than the nodes they never match.
      if (unknown !== '' && (unknown !== unmet || turn % 10 === 0)) await commands.findPrimaries();
      unmet = unknown;
    } catch {
      // the next turn asks another node
    }
  };
}

/** A slot of the primary that a line of CLUSTER NODES is about, if the client takes another one for its owner. */
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
