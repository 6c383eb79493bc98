import type { Redis } from 'ioredis';

/**
 * Gives up each connection once. With `reconnectOnError`, ioredis ends the socket again for every command in flight
 * that is answered READONLY, and adds a listener to it each time; from the eleventh on Node warns of a leak.
 */
export function giveUpOnce(redis: Redis): void {
  const disconnect = redis.disconnect;
  redis.disconnect = (reconnect) => {
    // Before the first connection there is no socket, although the type says so.
    const isEnding = redis.stream?.writableEnded;
    if (reconnect && isEnding) return;
    disconnect.call(redis, reconnect);
  };
}
