import { batchesOf } from '../../domain/pace.ts';
import type { Durability } from '../../ports/session-repository.ts';
import type { RedisCommands, RedisScript } from './clients/redis-commands.ts';

/**
 * KEYS[1]: any key that was asked about. Rewrites it as it is, so that a replica that has this write has what came
 * before it, also what this connection only found and another one wrote: for a connection that wrote nothing, Redis 8
 * waits for nothing. Answers 1, or 0 if it could not.
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

/** A connection that nobody else writes on: what WAIT waits for is what this connection wrote, and who waits blocks it. */
export interface OwnConnection {
  readonly commands: RedisCommands;
  /** True if what was asked of these keys on this connection has reached so many replicas in time. Never rejects. */
  reached(keys: Iterable<string>, durability: Durability): Promise<boolean>;
  close(): void;
}

/** Connects once more to where the client is connected. Rejects with `StoreUnavailableError`. */
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
        return false; // the connection is gone, and with it the only one who knew
      }
    },
    close,
  };
}
