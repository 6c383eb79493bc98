import type { Redis } from 'ioredis';
import { setTolerantTimeout } from './tolerant-timeout.ts';

/**
 * Makes the timeouts of commands and sockets tolerate an event loop delay: see `setTolerantTimeout`. ioredis itself
 * would also destroy a healthy connection after a delay.
 */
export function tolerateEventLoopDelay(redis: Redis): void {
  tolerateInCommands(redis);
  tolerateInSocket(redis);
}

function tolerateInCommands(redis: Redis): void {
  const send = redis.sendCommand;
  redis.sendCommand = (command, stream) => {
    const { commandTimeout } = redis.options;
    const timed = command as unknown as { _commandTimeoutTimer: NodeJS.Timeout | undefined };
    // ioredis sets no timer where there is one, and clears it when the command is settled.
    if (commandTimeout !== undefined && timed._commandTimeoutTimer === undefined) {
      const giveUp = () => command.reject(new Error('Command timed out'));
      setTolerantTimeout(giveUp, commandTimeout, (timer) => {
        timed._commandTimeoutTimer = timer;
      });
    }
    return send.call(redis, command, stream);
  };
}

function tolerateInSocket(redis: Redis): void {
  const timed = redis as unknown as {
    socketTimeoutTimer: NodeJS.Timeout | undefined;
    setSocketTimeout(): void;
  };
  const set = timed.setSocketTimeout;
  timed.setSocketTimeout = () => {
    set.call(redis); // it also sees to it that data clears the timer
    clearTimeout(timed.socketTimeoutTimer);
    const { stream } = redis;
    const { socketTimeout = 0 } = redis.options;
    let last: NodeJS.Timeout | undefined;
    const giveUp = () => {
      if (timed.socketTimeoutTimer !== last) return; // something has arrived
      timed.socketTimeoutTimer = undefined;
      stream.destroy(new Error(`Socket timeout. Nothing arrived within ${socketTimeout} ms.`));
    };
    setTolerantTimeout(giveUp, socketTimeout, (timer) => {
      last = timer;
      timed.socketTimeoutTimer = timer;
    });
  };
}
