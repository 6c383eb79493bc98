import type { Redis } from 'ioredis';

/** What ioredis 5 and 6 and iovalkey keep to themselves. */
interface Connecting {
  readonly connector?: { connect(...args: unknown[]): Promise<unknown> };
  readonly manuallyClosing?: boolean;
}

/** The message with which a connector gives up after its `disconnect` was called. */
const INTERRUPTED = 'Connection is closed.';

/**
 * Makes a client behind Sentinel survive a failover that it is told of while it asks where the primary is. With
 * `failoverDetector`, ioredis then interrupts the attempt to connect and regards the client as closed for good, so that
 * it refuses everything until the process is restarted. Here it asks again.
 */
export function askAgainAfterFailover(redis: Redis): void {
  const client = redis as unknown as Connecting;
  const { connector } = client;
  if (connector === undefined) return; // a mock
  const connect = connector.connect;
  connector.connect = async (...args) => {
    for (;;) {
      try {
        return await connect.apply(connector, args);
      } catch (error) {
        const isInterrupted = error instanceof Error && error.message === INTERRUPTED;
        if (!isInterrupted || client.manuallyClosing) throw error;
      }
    }
  };
}
