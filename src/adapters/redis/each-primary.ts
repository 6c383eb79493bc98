import type { RedisCommands, RedisServer } from './clients/redis-commands.ts';

/** An object for each server that keys are written to. */
export interface EachPrimary<T> {
  /** The object of the server that the client considers the owner of the slot. */
  of(slot: number): T | undefined;
  all(): readonly T[];
  /** Adapts to the primaries that the client knows now. Call it from time to time. */
  follow(): Promise<void>;
  close(): void;
}

/** A server to which further connections can be opened. */
export type Primary = Pick<RedisServer, 'command' | 'stayConnected'>;

/**
 * Opens one object for each primary. On a cluster it follows changes: it opens one for each new primary and closes
 * those of servers that are no longer primaries. On a single server it opens one at once, whether or not the client is
 * connected.
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
  /** The primaries as the client has them now. When it connects to a primary again, it creates a new object. */
  let known = new Map<string, RedisServer>();
  let isClosed = false;

  async function follow(): Promise<void> {
    const primaries = await commands.primaries().catch(() => undefined);
    if (primaries === undefined || isClosed) return; // without known primaries, the last ones may come back
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
