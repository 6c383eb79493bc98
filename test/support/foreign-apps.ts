import { createServer, type Server } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import express, { type ErrorRequestHandler } from 'express';
import session from 'express-session';
import fastify from 'fastify';
import type { SojournStore } from '../../src/express.ts';
import { type HttpServer, listen } from './http-server.ts';

type Done = (error?: unknown) => void;

/** What the sessions of express-session and of @fastify/session have in common. */
export interface AppSession {
  [key: string]: unknown;
  cookie: { maxAge?: number | null | undefined; originalMaxAge: number | null };
  save(done: Done): unknown;
  reload(done: Done): unknown;
  destroy(done: Done): unknown;
  regenerate(done: Done): unknown;
}

/** Answers a request; what it returns is sent as JSON. Named by the path without its slash. */
export type Handlers = Readonly<
  Record<
    string,
    (request: { session: AppSession; sid: string }, query: Record<string, string>) => unknown
  >
>;

export interface AppOptions {
  readonly store: SojournStore;
  readonly handlers: Handlers;
  /** Milliseconds. */
  readonly maxAge?: number;
}

const SECRET = 'a secret of at least thirty-two characters';

/** An Express application on a port, with one route a handler. */
export function startExpress({ store, handlers, maxAge }: AppOptions): Promise<HttpServer> {
  const app = express();
  const cookie = { ...(maxAge !== undefined && { maxAge }) };
  app.use(session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie }));
  for (const [name, handle] of Object.entries(handlers)) {
    app.get(`/${name}`, async (request, response) => {
      const own = {
        get session() {
          return request.session as unknown as AppSession;
        },
        sid: request.sessionID,
      };
      response.json((await handle(own, request.query as Record<string, string>)) ?? null);
    });
  }
  app.use(answerError);
  return listen(createServer(app));
}

// Express prints what reaches its own handler.
const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(error.status ?? 500).json({ error: error.name });
};

/** A Fastify application on a port, with one route a handler. */
export async function startFastify({ store, handlers, maxAge }: AppOptions): Promise<HttpServer> {
  let server: Server | undefined;
  const app = fastify({
    serverFactory: (handler) => {
      server = createServer(handler);
      return server;
    },
  });
  const cookie = { secure: false, ...(maxAge !== undefined && { maxAge }) };
  await app.register(fastifyCookie);
  await app.register(fastifySession, { store, secret: SECRET, saveUninitialized: false, cookie });
  for (const [name, handle] of Object.entries(handlers)) {
    app.get(`/${name}`, async (request) => {
      const own = {
        get session() {
          return request.session as unknown as AppSession;
        },
        sid: request.session.sessionId,
      };
      return (await handle(own, request.query as Record<string, string>)) ?? {};
    });
  }
  await app.ready();
  return listen(server as Server); // made by the factory
}
