import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';

/** Where to listen, and the settings that say so. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** The settings, for the error message: `--host and PORT`. */
  readonly saidBy: string;
}

/** The HTTP servers of one process. They stop together. */
export class Listeners {
  readonly #servers: Server[] = [];
  #stopping = false;

  /** Starts to listen and returns the URL for people. Rejects with a `CommandError` if the address cannot be used. */
  async open(server: Server, { host, port, saidBy }: ListenOptions): Promise<string> {
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new CommandError(
        EXIT_UNAVAILABLE,
        `cannot listen on ${host}:${port}: ${(error as Error).message}; the address is set by ${saidBy}`,
      );
    }
    // While stopping, a connection must not stay open after its last response.
    server.prependListener('request', (_request, response: ServerResponse) => {
      if (this.#stopping) response.setHeader('Connection', 'close');
      response.once('close', () => {
        if (this.#stopping) setImmediate(() => server.closeIdleConnections());
      });
    });
    this.#servers.push(server);
    const name = host === '127.0.0.1' ? 'localhost' : host;
    const { port: given } = server.address() as AddressInfo;
    return `http://${name.includes(':') ? `[${name}]` : name}:${given}`;
  }

  /**
   * Accepts no more connections and finishes requests in flight. Those that take longer than the timeout are aborted.
   */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopping = true;
    setTimeout(() => {
      for (const server of this.#servers) server.closeAllConnections();
    }, timeoutMs).unref();
    const closed = this.#servers.map((server) => once(server, 'close'));
    for (const server of this.#servers) server.close();
    await Promise.all(closed);
  }
}
