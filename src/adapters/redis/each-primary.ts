import type { RedisCommands, RedisServer } from './clients/redis-commands.ts';

/** One of something for each server that keys are written to. */
export interface EachPrimary<T> {
  /** That of the server which the client takes for the owner of the slot. */
  of(slot: number): T | undefined;
  all(): readonly T[];
  /** Looks which primaries the client knows by now: to be called from time to time. */
  follow(): Promise<void>;
  close(): void;
}

/** A server that can be connected to once more. */
export type Primary = Pick<RedisServer, 'command' | 'stayConnected'>;

/**
 * Opens one for each primary, and on a cluster goes on to: for primaries that the client meets later, and those that are
 * none any more are closed. On one server it is open at once, whether or not the client is connected.
 */
export function openForEachPrimary<T extends { close(): void }>(
  commands: RedisCommands,
  open: (primary: Primary) => T,
): EachPrimary<T> {
  return commands.isCluster ? onCluster(commands, open) : onServer(commands, open);
}

function onServer<T extends { close(): void }>(
  commands: RedisCommands,
  open: (primary: Primary) => T,
): EachPrimary<T> {
  const one = open({
    async command(name, args) {
      const [server] = await commands.primaries();
      return server?.command(name, args);
    },
    stayConnected: (events) => commands.stayConnected(events),
  });
  return { of: () => one, all: () => [one], follow: async () => {}, close: () => one.close() };
}

function onCluster<T extends { close(): void }>(
  commands: RedisCommands,
  open: (primary: Primary) => T,
): EachPrimary<T> {
  const opened = new Map<string, T>();
  /** As the client has them now: of a primary that it connects to anew it makes another one. */
  let known = new Map<string, RedisServer>();
  let isClosed = false;

  async function follow(): Promise<void> {
    const primaries = await commands.primaries().catch(() => undefined);
    if (primaries === undefined || isClosed) return; // where the client knows none the last ones may come back
    known = new Map(primaries.map((primary) => [primary.name, primary]));
    for (const [name, one] of opened) {
      if (known.has(name)) continue;
      opened.delete(name);
      one.close();
    }
    for (const [name, { stayConnected }] of known) {
      if (opened.has(name)) continue;
      const command: Primary['command'] = async (...asked) => known.get(name)?.command(...asked);
      opened.set(name, open({ command, stayConnected }));
    }
  }

  void follow();
  return {
    of(slot) {
      const name = commands.primaryOf(slot);
      return name === undefined ? undefined : opened.get(name);
    },
    all: () => [...opened.values()],
    follow,
    close() {
      isClosed = true;
      for (const one of opened.values()) one.close();
      opened.clear();
    },
  };
}
