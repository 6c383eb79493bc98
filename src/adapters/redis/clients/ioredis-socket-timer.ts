import type { Redis } from 'ioredis';

/**
 * Ends the timer of `socketTimeout` when its socket closes. ioredis 5 keeps it, and it then destroys whatever connection
 * there is by that time (redis/ioredis#2147, fixed in 6.0).
 */
export function endSocketTimerWithSocket(redis: Redis): void {
  const timed = redis as unknown as { socketTimeoutTimer: NodeJS.Timeout | undefined };
  redis.on('close', () => {
    clearTimeout(timed.socketTimeoutTimer);
    timed.socketTimeoutTimer = undefined;
  });
}
