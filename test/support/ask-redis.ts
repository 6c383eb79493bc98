import { once } from 'node:events';
import { Redis } from 'ioredis';

export interface Port {
  readonly host: string;
  readonly port: number;
  readonly password?: string;
}

/**
 * The answer of that very server to one command, on a connection of its own that is tried once. Of a sentinel and of a
 * cluster's node as well: nothing is redirected. A sentinel, for one, answers only after it has written its file, which
 * takes seconds on a busy disk.
 */
export async function askRedis(
  { host, port, password }: Port,
  command: string | readonly string[],
  { timeoutMs = 10_000 }: { readonly timeoutMs?: number } = {},
): Promise<unknown> {
  const redis = new Redis({
    host,
    port,
    ...(password !== undefined && { password }),
    lazyConnect: true,
    enableReadyCheck: false,
    disableClientInfo: true,
    connectTimeout: timeoutMs,
    commandTimeout: timeoutMs,
    retryStrategy: () => null,
  });
  const failed = once(redis, 'error').then(([error]) => Promise.reject(error));
  try {
    await Promise.race([redis.connect(), failed]);
    const [name = '', ...args] = typeof command === 'string' ? command.split(' ') : command;
    return await redis.call(name, ...args);
  } finally {
    redis.disconnect();
  }
}
