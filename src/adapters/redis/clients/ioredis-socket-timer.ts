import type { Redis } from 'ioredis';

/**
 * Stops the timer of `socketTimeout` when its socket closes. ioredis 5 keeps the timer, and it then destroys whatever
 * connection exists by that time (redis/ioredis#2147, fixed in 6.0).
 */
export function endSocketTimerWithSocket(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  redis.on('close', () => {
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
}
