import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';

/** Where to listen, and which settings say so. */
export interface ListenOptions {
  readonly host: string;
  readonly port: number;
  /** For the message of an address that cannot be had: `--host and PORT`. */
  readonly saidBy: string;
}

/** HTTP servers that one process opens, and that stop together. */
export class Listeners {
  readonly #servers: Server[] = [];
  #stopping = false;

  /** Listens, and answers the URL for people. Rejects with a `CommandError` where the address cannot be had. */
  async open(server: Server, { host, port, saidBy }: ListenOptions): Promise<string> {
    server.listen(port, host);
    try {
      await once(server, 'listening');
    } catch (error) {
      throw new CommandError(
        EXIT_UNAVAILABLE,
        `cannot listen on ${host}:${port}: ${(error as Error).message}; ${saidBy} say where`,
      );
    }
    // A connection that answers its last request must not stay open for a next one.
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

  /** Takes no more connections and finishes what is in flight; what takes longer than that is broken off. */
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
