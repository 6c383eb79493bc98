import { readFile } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type AdminPlace, type Config, ConfigError, StartError } from '../config.ts';
import { type Container, createContainer, tokens } from '../container.ts';
import { endAll } from '../domain/end-all.ts';
import { reasonOf, type StoreUnavailableError } from '../domain/errors.ts';
import { createAdminServer } from '../http/admin/admin-server.ts';
import { bareAnswerHeaders } from '../http/answer-headers.ts';
import { type Asset, createDemoApp } from '../http/demo/demo-app.ts';
import { allowsHost, isLoopback } from '../http/host-names.ts';
import { requestLog } from '../http/request-log.ts';
import { flushSpans, observe } from '../observe.ts';
import { decisions } from './decisions.ts';
import { EXIT_UNAVAILABLE } from './failure.ts';
import { createHttpServer } from './http-server.ts';
import { Listeners } from './listeners.ts';
import { logNodeWarnings } from './node-warnings.ts';
import { toldHosts } from './told-hosts.ts';

const EXIT_OK = 0;

/** How long requests in flight may take to finish after the signal to stop. */
const STOP_TIMEOUT_MS = 10_000;

/** How long spans and log lines may take to be flushed afterwards. */
const FLUSH_TIMEOUT_MS = 5000;

const NO_PASSWORD =
  'this demo has no passwords: anyone who can reach it can log in under any name, and see and end the sessions of that name';

const SHORT_TOKEN =
  'the admin token is short enough to be guessed, and attempts are not limited; create a longer one with openssl rand -base64 32';

/** 96 random bits in base64. */
const LEAST_TOKEN_CHARACTERS = 16;

const INSECURE_SITE =
  'browsers will drop the Secure cookie, because the site uses HTTP. Start without --secure-cookie (SECURE_COOKIE), or with ' +
  '--trust-proxy (TRUST_PROXY) behind a proxy that terminates TLS and sets X-Forwarded-Proto';

/** The middleware's warnings, in terms of this program's settings. */
const advice: Readonly<Record<string, string>> = {
  insecure_site: INSECURE_SITE,
  cross_site_cookie:
    'a page on another site that --trusted-origins (TRUSTED_ORIGINS) allows will not be logged in: browsers send the ' +
    'SameSite=Lax cookie of this server only from its own site',
};

/**
 * Serves the demo page until the process is told to stop. Rejects with an error that `failureOf` knows if it cannot
 * start.
 */
export async function serveUntilStopped(config: Config): Promise<void> {
  if (config.admin !== undefined) refuseOpenDoor(config.admin, config);
  const container = await createContainer(config, { register: observe });
  const log = container.resolve(tokens.log);
  logNodeWarnings((text) => log.warnedByNode(text));
  // Node would print the error with all its properties: in a Redis client's error, the command with data and hashes.
  process.on('uncaughtException', (error) => {
    log.unexpected(error);
    void flushSpans(FLUSH_TIMEOUT_MS).finally(() => process.exit(EXIT_UNAVAILABLE));
  });
  const store = container.resolve(tokens.store);
  log.watchStore(store.takesWrites);
  await store.takesWrites().catch(async (error: StoreUnavailableError) => {
    if (error.failure !== 'unfit' && error.failure !== 'denied') return log.storeSilent(error); // it may pass
    await container.close();
    throw new StartError(`cannot use ${store.label}: ${reasonOf(error)}`, { cause: error });
  });
  const app = createDemoApp({
    service: container.resolve(tokens.service),
    store: { kind: store.kind, label: store.label, prefix: config.prefix, cli: store.cli },
    basePath: config.basePath,
    journal: store.journal !== undefined,
    ready: store.takesWrites,
    ...(store.trace && { trace: store.trace }),
    now: container.resolve(tokens.clock).now,
    secureCookie: config.secureCookie,
    deadlineMs: 2 * config.redisTimeoutMs, // a request may send more than one command
    trustProxy: config.trustProxy,
    trustedOrigins: config.trustedOrigins,
    onWarning: (_message, kind) => log.advises(advice[kind ?? ''] ?? INSECURE_SITE),
    assets: await readAssets(),
    around: requestLog(log),
    onError: (error) => log.unexpected(error),
  });
  const server = createHttpServer({
    fetch: app.fetch,
    allowsHost: toldHosts(
      (name) => allowsHost(name, { listeningOn: config.host, allowedHosts: config.allowedHosts }),
      log,
      '--allowed-hosts (ALLOWED_HOSTS) names the allowed ones',
    ),
    headers: await bareAnswerHeaders({ https: config.secureCookie }),
    log,
  });
  const listeners = new Listeners();
  const saidBy = `${config.sourceOf('host')} and ${config.sourceOf('port')}`;
  try {
    const admin = config.admin && (await openAdmin(config.admin, config, container, listeners));
    console.log(`Sojourn: ${await listeners.open(server, { ...config, saidBy })}`);
    if (admin !== undefined) console.log(`Admin:   ${admin}`);
    if (isGuessable(config.admin?.token)) console.log(`Warning: ${SHORT_TOKEN}`);
  } catch (error) {
    await container.close();
    throw error;
  }
  if (config.production || !isLoopback(config.host)) console.log(`Warning: ${NO_PASSWORD}`);
  console.log(
    `Store:   ${store.label}${store.kind === 'memory' ? '; sessions are lost when this process ends' : ''}`,
  );
  console.log(`TTL:     ${config.policy.ttl} s`);
  const { port } = server.address() as AddressInfo; // with port 0 the system chooses one
  log.started({ host: config.host, port, ...decisions(config, store) });

  void store
    .watchExpiry?.(container.resolve(tokens.observer))
    .catch((error: unknown) => log.degraded('expired sessions cannot be watched', error));

  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!stopping) void stop();
    });
  }

  /** Finishes requests in flight, then closes the store. */
  async function stop(): Promise<void> {
    stopping = true;
    await listeners.drain(STOP_TIMEOUT_MS);
    await container.close();
    await flushSpans(FLUSH_TIMEOUT_MS);
    // Something that still has data to send, such as an SDK that was loaded earlier, keeps the process alive for a
    // while. Then it ends by itself.
    process.exitCode = EXIT_OK;
    setTimeout(() => process.exit(), FLUSH_TIMEOUT_MS).unref();
  }
}

/** Without a token, anyone who can reach the listener could use it. Throws a `ConfigError`. */
function refuseOpenDoor({ host, token }: AdminPlace, { sourceOf }: Config): void {
  if (token !== undefined || isLoopback(host)) return;
  throw new ConfigError(
    `${sourceOf('admin-host')} ${host} is not a loopback address, and anyone who can reach it could end every session: ` +
      `set a token by ${sourceOf('admin-token-file')} or ADMIN_TOKEN`,
  );
}

function isGuessable(token: string | undefined): boolean {
  return token !== undefined && token.length < LEAST_TOKEN_CHARACTERS;
}

/** Opens the second listener and returns its URL. */
async function openAdmin(
  { host, port, token }: AdminPlace,
  config: Config,
  container: Container,
  listeners: Listeners,
): Promise<string> {
  const log = container.resolve(tokens.log);
  const store = container.resolve(tokens.store);
  const service = container.resolve(tokens.service);
  const figures = container.resolve(tokens.figures);
  figures.start();
  const app = createAdminServer({
    metrics: container.resolve(tokens.metrics).registry,
    ready: store.takesWrites,
    token,
    console: {
      service,
      repository: store.repository,
      audit: (act) => log.operatorDid(act),
      store: { label: store.label, prefix: config.prefix, ready: store.takesWrites },
      figures,
      endAll: (by) => endAll(service, store.sessionIds(), { by }),
      ...(store.journal && { journal: (user, query) => service.journal(user, query) }),
      trustProxy: config.trustProxy,
    },
    now: container.resolve(tokens.clock).now,
    around: requestLog(log),
    onError: (error) => log.unexpected(error),
  });
  // Without a token, access from this machine is the only proof, so no other host name may lead here (DNS rebinding).
  // With one, any name may: a page under a name of its own has neither the token nor the cookie of a sign-in, which
  // browsers send only to the name where it was set. So probes and Prometheus can use addresses.
  const whoAllows = 'without an admin token only localhost is allowed';
  const isLocal = (name: string) =>
    allowsHost(name, { listeningOn: host, allowedHosts: undefined });
  const server: Server = createHttpServer({
    fetch: app.fetch,
    allowsHost:
      token === undefined ? toldHosts(isLocal, log, `--admin-port: ${whoAllows}`) : () => true,
    whoAllows,
    headers: await bareAnswerHeaders({ https: false }),
    log,
  });
  const saidBy = `${config.sourceOf('admin-host')} and ${config.sourceOf('admin-port')}`;
  return listeners.open(server, { host, port, saidBy });
}

/** The page's files, by the path that browsers request. */
const files: Readonly<Record<string, readonly [folder: string, contentType: string]>> = {
  'tokens.css': ['', 'text/css; charset=utf-8'],
  'favicon.svg': ['', 'image/svg+xml'],
  'demo.css': ['demo/', 'text/css; charset=utf-8'],
  'live.js': ['demo/', 'text/javascript; charset=utf-8'],
};

async function readAssets(): Promise<Record<string, Asset>> {
  const assets = Object.entries(files).map(async ([name, [folder, contentType]]) => {
    const file = new URL(`../http/${folder}browser/${name}`, import.meta.url);
    return [`/assets/${name}`, { contentType, body: await readFile(file, 'utf8') }] as const;
  });
  return Object.fromEntries(await Promise.all(assets));
}
