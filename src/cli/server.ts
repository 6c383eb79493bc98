import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { type Config, StartError } from '../config.ts';
import { createContainer, tokens } from '../container.ts';
import { type Asset, createDemoApp } from '../http/demo/demo-app.ts';
import { requestLog } from '../http/request-log.ts';
import { observe } from '../observe.ts';

const EXIT_OK = 0;
const EXIT_FAILURE = 1;

/** How long requests may take to finish after the signal to stop. */
const STOP_TIMEOUT_MS = 10_000;

/** Serves the demo page until it is told to stop; whatever keeps it from starting ends the process with one line. */
export async function serveUntilStopped(config: Config): Promise<void> {
  const container = await createContainer(config, { register: observe }).catch((error: unknown) => {
    if (!(error instanceof StartError)) throw error;
    console.error(`sojourn: ${error.message}`);
    process.exit(EXIT_FAILURE);
  });
  const store = container.resolve(tokens.store);
  const log = container.resolve(tokens.log);
  // Node would print the error with all that hangs on it: a Redis client's with the command, data and hashes included.
  process.on('uncaughtException', (error) => {
    log.unexpected(error);
    process.exit(EXIT_FAILURE);
  });
  const app = createDemoApp({
    service: container.resolve(tokens.service),
    store: { kind: store.kind, label: store.label, prefix: config.prefix },
    ready: store.ready,
    ...(store.trace && { trace: store.trace }),
    now: container.resolve(tokens.clock).now,
    secureCookie: config.secureCookie,
    assets: await readAssets(),
    metrics: container.resolve(tokens.metrics).registry,
    around: requestLog(log),
    onError: (error) => log.unexpected(error),
  });

  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  server.listen(config.port, config.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    console.error(
      `sojourn: cannot listen on ${config.host}:${config.port}: ${(error as Error).message}`,
    );
    await container.close();
    process.exit(EXIT_FAILURE);
  }
  const { port } = server.address() as AddressInfo;
  const host = config.host === '127.0.0.1' ? 'localhost' : config.host;
  console.log(`Sojourn: http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  console.log(
    `Store:   ${store.label}${store.kind === 'memory' ? '; sessions end with this process' : ''}`,
  );
  console.log(`TTL:     ${config.policy.ttl} s`);

  void store
    .watchExpiry?.(container.resolve(tokens.observer))
    .catch((error: unknown) => log.degraded('sessions that expire are not heard of', error));

  let stopping = false;
  // A connection that answers its last request must not stay open for a next one.
  server.prependListener('request', (_request, response: ServerResponse) => {
    if (stopping) response.setHeader('Connection', 'close');
    response.once('close', () => {
      if (stopping) setImmediate(() => server.closeIdleConnections());
    });
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping) void stop();
    });
  }

  /** Finishes what is in flight, then closes the store. */
  async function stop(): Promise<void> {
    stopping = true;
    setTimeout(() => server.closeAllConnections(), STOP_TIMEOUT_MS).unref();
    const closed = once(server, 'close');
    server.close();
    await closed;
    await container.close();
    process.exit(EXIT_OK);
  }
}

async function readAssets(): Promise<Record<string, Asset>> {
  const read = (name: string) =>
    readFile(new URL(`../http/demo/browser/${name}`, import.meta.url), 'utf8');
  return {
    '/assets/demo.css': { contentType: 'text/css; charset=utf-8', body: await read('demo.css') },
    '/assets/live.js': {
      contentType: 'text/javascript; charset=utf-8',
      body: await read('live.js'),
    },
  };
}
