import { once } from 'node:events';
import { connect, createServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const service = new SessionService({ repository: new MemorySessionRepository() });
const app = new Hono<SessionsEnv>();
app.use(sessions({ service, cookie: { secure: false } }));
app.post('/login', async (c) => {
  await c.var.session.start('ada');
  return c.text('');
});

const server = createAdaptorServer({ fetch: app.fetch, createServer });

beforeAll(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(async () => {
  server.close();
  await once(server, 'close');
});

it.each([
  ['http://shop.example', 200],
  ['https://shop.example', 200], // a proxy may have ended TLS
  ['http://evil.example', 403],
  ['http://shop.example:8080', 403],
])('a POST by HTTP/2, which has no Host, from %s is answered %d', async (origin, status) => {
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const request = session.request({
    ...{ ':method': 'POST', ':path': '/login', ':authority': 'shop.example', origin },
  });
  request.end();
  const [headers] = await once(request, 'response');
  request.resume();
  await once(request, 'close');
  session.close();
  expect(headers[':status']).toBe(status);
});
