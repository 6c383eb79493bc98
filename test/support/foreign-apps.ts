import { createServer, type Server } from 'node:http';
import fastifyCookie from '@fastify/cookie';
import fastifySession from '@fastify/session';
import { Controller, Get, Module, Req } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
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
    app.get(`/${name}`, async (request, response) => {
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
async function startFastify({ handlers, ...options }: AppOptions): Promise<HttpServer> {
  let server: Server | undefined;
  const app = fastify({
    serverFactory: (handler) => {
      server = createServer(handler);
      return server;
    },
  });
  await app.register(fastifyCookie);
  await app.register(fastifySession, fastifySessionOptions(options));
  for (const [name, handle] of Object.entries(handlers)) {
    app.get(`/${name}`, (request) => answer(handle, request));
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
    Get(name)(Pages.prototype, name, method);
  }
  class App {}
  Module({ controllers: [Pages] })(App);
  return App;
}

function expressSession({ store, maxAge }: Omit<AppOptions, 'handlers'>) {
  const cookie = { ...(maxAge !== undefined && { maxAge }) };
  return session({ store, secret: SECRET, resave: false, saveUninitialized: false, cookie });
}

function fastifySessionOptions({ store, maxAge }: Omit<AppOptions, 'handlers'>) {
  const cookie = { secure: false, ...(maxAge !== undefined && { maxAge }) };
  return { store, secret: SECRET, saveUninitialized: false, cookie };
}

interface AnyRequest {
  readonly session: object;
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
    sid: sessionID ?? (request.session as { sessionId: string }).sessionId,
  };
  return (await handle(own, request.query as Record<string, string>)) ?? {};
}
