import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Config, StartError } from '../config.ts';
import { createContainer, tokens } from '../container.ts';
import { reasonOf, type StoreUnavailableError } from '../domain/errors.ts';
import { bareAnswerHeaders } from '../http/demo/answer-headers.ts';
import { type Asset, createDemoApp } from '../http/demo/demo-app.ts';
import { allowsHost, isLoopback } from '../http/host-names.ts';
import { requestLog } from '../http/request-log.ts';
import { flushSpans, observe } from '../observe.ts';
import { decisions } from './decisions.ts';
import { CommandError, EXIT_UNAVAILABLE } from './failure.ts';
import { createHttpServer } from './http-server.ts';
import { logNodeWarnings } from './node-warnings.ts';

const EXIT_OK = 0;

/** How long requests may take to finish after the signal to stop. */
const STOP_TIMEOUT_MS = 10_000;

/** How long spans and lines of the log may take to get out afterwards. */
const FLUSH_TIMEOUT_MS = 5000;

const NO_PASSWORD =
  'this is a demo without passwords: whoever reaches it is whoever they say, and sees and ends the sessions of that name';

const INSECURE_SITE =
  'browsers will drop the Secure cookie: the site is on http. Start without --secure-cookie (SECURE_COOKIE), or with ' +
  '--trust-proxy (TRUST_PROXY) behind a proxy that ends TLS and sets X-Forwarded-Proto';

/** What the middleware warns of, in terms of this program. */
const advice: Readonly<Record<string, string>> = {
  insecure_site: INSECURE_SITE,
  cross_site_cookie:
    'a page on another site that --trusted-origins (TRUSTED_ORIGINS) allows will not be logged in: browsers send the ' +
    'SameSite=Lax cookie of this server from its own site alone',
};

/** Serves the demo page until it is told to stop. Rejects with an error that `failureOf` knows where it cannot start. */
export async function serveUntilStopped(config: Config): Promise<void> {
  const container = await createContainer(config, { register: observe });
  const log = container.resolve(tokens.log);
  logNodeWarnings((text) => log.warnedByNode(text));
  // Node would print the error with all that hangs on it: a Redis client's with the command, data and hashes included.
  process.on('uncaughtException', (error) => {
    log.unexpected(error);
    void flushSpans(FLUSH_TIMEOUT_MS).finally(() => process.exit(EXIT_UNAVAILABLE));
  });
  const store = container.resolve(tokens.store);
  await store.ready().catch(async (error: StoreUnavailableError) => {
    if (error.failure !== 'unfit' && error.failure !== 'denied') return; // it may pass, and /readyz tells of it
    await container.close();
    throw new StartError(`cannot use ${store.label}: ${reasonOf(error)}`, { cause: error });
  });
  log.watchStore(store.ready);
  const app = createDemoApp({
    service: container.resolve(tokens.service),
    store: { kind: store.kind, label: store.label, prefix: config.prefix },
    journal: store.journal !== undefined,
    ready: store.ready,
    ...(store.trace && { trace: store.trace }),
    now: container.resolve(tokens.clock).now,
    secureCookie: config.secureCookie,
    deadlineMs: 2 * config.redisTimeoutMs, // a request may ask more than once
    trustProxy: config.trustProxy,
    trustedOrigins: config.trustedOrigins,
    onWarning: (_message, kind) => log.advises(advice[kind ?? ''] ?? INSECURE_SITE),
    assets: await readAssets(),
    metrics: container.resolve(tokens.metrics).registry,
    around: requestLog(log),
    onError: (error) => log.unexpected(error),
  });

  const server = createHttpServer({
    fetch: app.fetch,
    allowsHost: (name) =>
      allowsHost(name, { listeningOn: config.host, allowedHosts: config.allowedHosts }),
    headers: await bareAnswerHeaders({ https: config.secureCookie }),
    log,
  });
  server.listen(config.port, config.host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await container.close();
    const where = `${config.host}:${config.port}`;
    const says = `${config.sourceOf('host')} and ${config.sourceOf('port')} say where`;
    throw new CommandError(
      EXIT_UNAVAILABLE,
      `cannot listen on ${where}: ${(error as Error).message}; ${says}`,
    );
  }
  const { port } = server.address() as AddressInfo;
  const host = config.host === '127.0.0.1' ? 'localhost' : config.host;
  console.log(`Sojourn: http://${host.includes(':') ? `[${host}]` : host}:${port}`);
  if (config.production || !isLoopback(config.host)) console.log(`Warning: ${NO_PASSWORD}`);
  console.log(
    `Store:   ${store.label}${store.kind === 'memory' ? '; sessions end with this process' : ''}`,
  );
  console.log(`TTL:     ${config.policy.ttl} s`);
  log.started({ host: config.host, port, ...decisions(config, store) });

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
    await flushSpans(FLUSH_TIMEOUT_MS);
    // Whoever has something to send yet, such as an SDK that was loaded before, keeps the process up for a while. It ends by itself.
    process.exitCode = EXIT_OK;
    setTimeout(() => process.exit(), FLUSH_TIMEOUT_MS).unref();
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
