import { createServer, type Server } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { All, Controller, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import express, { type ErrorRequestHandler } from 'express';
import session from 'express-session';
import fastify, { type FastifyInstance } from 'fastify';
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

/** Answers a request of any method; what it returns is sent as JSON. Named by the path without its slash. */
export type Handlers = Readonly<
  Record<
    string,
    (request: { session: AppSession; sid: string }, query: Record<string, string>) => unknown
  >
>;

export interface AppOptions {
  /** Default: the framework's own, in memory. */
  readonly store?: SojournStore;
  readonly handlers: Handlers;
  /** Milliseconds. */
  readonly maxAge?: number;
  readonly settings?: Settings;
  /** Called with a Fastify application when its sessions are there. */
  readonly prepare?: (app: FastifyInstance) => void;
}

/** Options of the frameworks; each takes those that it knows. By default `resave` and `saveUninitialized` are false. */
export interface Settings {
  readonly rolling?: boolean;
  readonly resave?: boolean;
  readonly saveUninitialized?: boolean;
  readonly unset?: 'destroy' | 'keep';
}

/** The frameworks that the store is tested under, by what makes `request.session` there. */
export const foreignApps = [
  ['express-session', startExpress],
  ['@fastify/session', startFastify],
  ['express-session in NestJS', startNest],
  ['@fastify/session in NestJS', startNestOnFastify],
] as const;

const SECRET = 'a secret of at least thirty-two characters';

/** An Express application on a port, with one route a handler. */
function startExpress({ handlers, ...options }: AppOptions): Promise<HttpServer> {
  const app = express();
  app.use(expressSession(options));
  for (const [name, handle] of Object.entries(handlers)) {
    app.all(`/${name}`, async (request, response) => {
      response.json(await answer(handle, request));
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
async function startFastify({ handlers, prepare, ...options }: AppOptions): Promise<HttpServer> {
  let server: Server | undefined;
  const app = fastify({
    serverFactory: (handler) => {
      server = createServer(handler);
      return server;
    },
  });
  await app.register(fastifyCookie);
  await app.register(fastifySession, fastifySessionOptions(options));
  prepare?.(app as unknown as FastifyInstance); // its server has another type
  for (const [name, handle] of Object.entries(handlers)) {
    app.all(`/${name}`, (request) => answer(handle, request));
  }
  await app.ready();
  return listen(server as Server); // made by the factory
}

/** A NestJS application on Express, with one route a handler. */
async function startNest({ handlers, ...options }: AppOptions): Promise<HttpServer> {
  const app = await NestFactory.create(nestModule(handlers), { logger: false });
  app.use(expressSession(options));
  await app.init();
  return listen(app.getHttpServer());
}

/** A NestJS application on Fastify, with one route a handler. */
async function startNestOnFastify({ handlers, ...options }: AppOptions): Promise<HttpServer> {
  const app = await NestFactory.create<NestFastifyApplication>(
    nestModule(handlers),
    new FastifyAdapter(),
    { logger: false },
  );
  await app.register(fastifyCookie);
  await app.register(fastifySession, fastifySessionOptions(options));
  await app.init();
  await app.getHttpAdapter().getInstance().ready();
  return listen(app.getHttpServer());
}

/** What decorators would say over a class with a method for each handler. */
function nestModule(handlers: Handlers) {
  class Pages {}
  Controller()(Pages);
  for (const [name, handle] of Object.entries(handlers)) {
    const method = { value: (request: AnyRequest) => answer(handle, request) };
    Object.defineProperty(Pages.prototype, name, method);
    Req()(Pages.prototype, name, 0);
    All(name)(Pages.prototype, name, method);
  }
  class App {}
  Module({ controllers: [Pages] })(App);
  return App;
}

function expressSession({ store, maxAge, settings }: Omit<AppOptions, 'handlers'>) {
  return session({
    ...(store && { store }),
    secret: SECRET,
    ...{ resave: false, saveUninitialized: false, ...settings },
    cookie: { ...(maxAge !== undefined && { maxAge }) },
  });
}

function fastifySessionOptions({ store, maxAge, settings }: Omit<AppOptions, 'handlers'>) {
  return {
    ...(store && { store }),
    secret: SECRET,
    ...{ saveUninitialized: false, ...settings },
    cookie: { secure: false, ...(maxAge !== undefined && { maxAge }) },
  };
}

interface AnyRequest {
  session: object;
  readonly query: unknown;
  /** Under express-session alone. */
  readonly sessionID?: string;
}

async function answer(handle: Handlers[string], request: AnyRequest): Promise<unknown> {
  const { sessionID } = request;
  const own = {
    get session() {
      return request.session as AppSession; // another one after `regenerate`
    },
    set session(session: AppSession) {
      request.session = session;
    },
    sid: sessionID ?? (request.session as { sessionId: string }).sessionId,
  };
  return (await handle(own, request.query as Record<string, string>)) ?? {};
}
