import { batchesOf } from '../../domain/pace.ts';
import type { Durability } from '../../ports/session-repository.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';

/**
 * KEYS[1]: any key that was read or written. Rewrites it unchanged. A replica that has this write also has everything
 * before it, including what this connection only found and another one wrote: for a connection that wrote nothing,
 * Redis 8 does not wait. Returns 1, or 0 if it could not.
 */
const confirm: RedisScript = {
  name: 'sojournConfirm',
  lua: `
local key = KEYS[1]
local left = redis.call('PTTL', key)
if left == -2 then
  if type(redis.pcall('HSET', key, 'session_ended', '1')) == 'table' then return 0 end
  return redis.call('DEL', key)
end
if left <= 0 then return 0 end
return redis.call('PEXPIRE', key, string.format('%.0f', left))
`,
};

/** A connection that nothing else writes on: WAIT covers only the writes of its own connection, and blocks it. */
export interface OwnConnection {
  readonly commands: RedisCommands;
  /**
   * True if everything that was done with these keys on this connection has reached that many replicas in time. Never
   * rejects.
   */
  reached(keys: Iterable<string>, durability: Durability): Promise<boolean>;
  close(): void;
}

/** Opens another connection to where the client is connected. Rejects with `StoreUnavailableError`. */
export async function openOwnConnection(
  shared: RedisCommands,
  { timeoutMs }: Durability,
): Promise<OwnConnection> {
  const { commands, waitForReplicas, close } = await shared.openOwn(timeoutMs);
  return {
    commands,
    async reached(keys, { replicas }) {
      try {
        for (const some of batchesOf([...keys])) {
          const confirmed = await Promise.all(some.map((key) => commands.script(confirm, key, [])));
          if (confirmed.some((answer) => answer !== 1)) return false;
        }
        return await waitForReplicas(replicas, timeoutMs);
      } catch {
        return false; // only this connection could have confirmed it
      }
    },
    close,
  };
}
