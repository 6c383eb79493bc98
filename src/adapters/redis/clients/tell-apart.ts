import type { Cluster, Redis } from 'ioredis';
import { IoredisCommands } from './ioredis.ts';
import type { RedisCommands } from './redis-commands.ts';

/** `Redis` or `Cluster` of ioredis 5 or 6 or of iovalkey, whichever copy of it. */
export interface IoredisClient {
  readonly options: object;
  defineCommand(
    name: string,
    definition: { readonly lua: string; readonly numberOfKeys?: number },
  ): unknown;
  duplicate(...args: never[]): unknown;
  disconnect(...args: never[]): void;
}

/** A client of Sojourn's: see docs/redis-clients.md for which ones there are and which options they need. */
export type RedisClient = IoredisClient;

const known = new WeakMap<object, RedisCommands>();

/**
 * What Sojourn asks of that client. Clients are told apart by what they can do: a program may hold several copies of one,
 * and a bundler may have renamed its classes. Throws a `TypeError` for what is none, or is set up in a way that cannot work.
 */
export function commandsOf(client: RedisClient | RedisCommands): RedisCommands {
  if (isCommands(client)) return client;
  const before = known.get(client);
  if (before !== undefined) return before;
  const commands = adapt(client);
  known.set(client, commands);
  return commands;
}

function isCommands(client: unknown): client is RedisCommands {
  return (
    typeof (client as Partial<RedisCommands> | null | undefined)?.script === 'function' &&
    'primaries' in (client as object)
  );
}

function adapt(client: RedisClient): RedisCommands {
  return new IoredisCommands(client as unknown as Redis | Cluster);
}
