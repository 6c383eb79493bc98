import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Refusal, refusalOf } from '../http/request-line.ts';
import type { RequestLog } from '../http/request-log.ts';
import { closeIdleBeyond } from './connections.ts';

/** How long clients may take, in milliseconds, and how many connections there may be. */
export interface ConnectionLimits {
  readonly headersTimeout: number;
  readonly requestTimeout: number;
  readonly keepAliveTimeout: number;
  /** How often connections are checked for being too slow. */
  readonly connectionsCheckingInterval: number;
  /** Above this number, a new connection closes an idle one. */
  readonly connections: number;
  /** Above this number, a new connection is closed if none is idle. */
  readonly maxConnections: number;
}

export const connectionLimits: ConnectionLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000, // longer than the 60 s of common proxies, which might otherwise use a connection that is just closing
  connectionsCheckingInterval: 5000,
  connections: 1000,
  maxConnections: 2000,
};

export interface HttpServerOptions {
  /** The application. It only gets well-formed requests for an allowed host, with a path in its plain form. */
  readonly fetch: Parameters<typeof getRequestListener>[0];
  readonly allowsHost: (name: string) => boolean;
  /** What the refusal of a host says about allowed hosts. By default it names the setting. */
  readonly whoAllows?: string;
  /** Headers of the responses that do not come from the application. */
  readonly headers: Readonly<Record<string, string>>;
  readonly log: RequestLog;
  /** By default `connectionLimits`. */
  readonly limits?: ConnectionLimits;
}

/** Node's HTTP server in front of an application, with malformed requests filtered out. It does not listen yet. */
export function createHttpServer(options: HttpServerOptions): Server {
  const { fetch, allowsHost, whoAllows, headers, log, limits = connectionLimits } = options;
  const { connections, maxConnections, ...timeouts } = limits;
  const listener = getRequestListener(fetch, { hostname: 'localhost' }); // for HTTP/1.0 without Host
  const responses = new WeakMap<object, ServerResponse>();

  const server = createServer({ ...timeouts, requireHostHeader: false }, (request, response) => {
    responses.set(request.socket, response);
    const refusal = refusalOf(request, allowsHost, whoAllows);
    if (refusal !== undefined) {
      refuse(request, response, refusal);
      return;
    }
    // An empty port counts as no port (RFC 3986, 6.2.3). The listener would refuse it without our headers.
    const { host } = request.headers;
    if (host?.endsWith(':')) request.headers.host = host.slice(0, -1);
    void listener(request, response);
  });
  server.maxConnections = maxConnections;
  closeIdleBeyond(connections, server);
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
    refuse(request, response, {
      status: 417,
      message: 'The only supported value of Expect is 100-continue',
    });
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const answered = responses.get(socket);
    const begun = answered?.headersSent === true && !answered.writableFinished;
    if (!socket.writable || begun || error.code === 'ECONNRESET') {
      socket.destroy();
      return;
    }
    const [status, message] = clientErrors[error.code ?? ''] ?? [
      '400 Bad Request',
      'This is not an HTTP request',
    ];
    const body = JSON.stringify({ error: message });
    const all = { ...headers, ...bodyHeaders(body), Connection: 'close' };
    const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}\r\n${body}`, () => socket.destroy());
  });
  return server;

  function refuse(
    request: IncomingMessage,
    response: ServerResponse,
    { status, message }: Refusal,
  ) {
    const requestId = randomUUID();
    const body = JSON.stringify({ error: message });
    const all = {
      ...headers,
      ...bodyHeaders(body),
      'X-Request-Id': requestId,
      Connection: 'close',
    };
    response.writeHead(status, all).end(body);
    const { method = '', url = '' } = request;
    const path = url.split('?', 1)[0] ?? '';
    const known = { method, path, status, durationMs: 0, sessionId: undefined };
    const answered = { ...known, reason: message, storeFailed: false };
    void log.during(requestId, async () => log.answered(answered));
  }
}

const clientErrors: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'The headers are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Payload Too Large', 'The chunk extensions are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'The request took too long to arrive'],
};

function bodyHeaders(body: string): Record<string, string> {
  return {
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
  };
}
