/** What stands around an excerpt of a program, by the excerpt's first line. It is compiled, and not run. */
export const excerpts: ReadonlyMap<string, string> = new Map(
  Object.entries({
    'await app.register(fastifyCookie);': `
      import fastifyCookie from '@fastify/cookie';
      import fastifySession from '@fastify/session';
      import fastify from 'fastify';
      import type { SojournStore } from 'sojourn/express';
      const app = fastify();
      declare const store: SojournStore;`,
    "app.addHook('onSend', async (_request, reply) => {": `
      import fastify from 'fastify';
      const app = fastify();`,
    "const { answer, durable } = await service.durably((sessions) => sessions.deleteAll('ada'));": `
      import { SessionService } from 'sojourn';
      declare const service: SessionService;`,
    'const service = new SessionService({': `
      import { AsyncLocalStorage } from 'node:async_hooks';
      import { type SessionId, SessionService } from 'sojourn';
      import { type RedisClient, RedisJournal, RedisSessionRepository } from 'sojourn/redis';
      declare const client: RedisClient;
      declare const id: SessionId;
      const requestIds = new AsyncLocalStorage<string>();`,
    // A server calls what it declares.
    "import { type Session, SessionEndings, SessionService } from 'sojourn';": '',
    'new Redis({': `
      import { Cluster, type ClusterNode, Redis } from 'ioredis';
      declare const nodes: ClusterNode[];`,
    // It opens two places at once, and test/adapters/carry-over runs what it says.
    "import { carryOver, type SessionRepository, SessionService } from 'sojourn';": '',
    // It prints how far it is, and test/adapters/express-carry-over runs what it does.
    '// move-the-rest.ts': '',
    // It is a test file; test/examples.test.ts runs one like it.
    "import { test } from 'node:test';": '',
  }),
);

/** The excerpt with what stands around it; `undefined` where it is a whole program. */
export function completed(code: string): string | undefined {
  const before = excerpts.get(code.split('\n')[0] ?? '');
  return before === undefined ? undefined : `${before}\n${code}`;
}

/** The program with this Redis in place of the one on the reader's machine. */
export function connectedTo(url: string, code: string): string {
  const { hostname, port } = new URL(url);
  return code
    .replaceAll("'redis://127.0.0.1:6379'", JSON.stringify(url))
    .replaceAll("host: 'localhost', port: 6379", `host: '${hostname}', port: ${port || 6379}`);
}
