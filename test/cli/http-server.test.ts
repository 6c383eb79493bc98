import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Hono } from 'hono';
import { afterEach, expect, it } from 'vitest';
import {
  type ConnectionLimits,
  connectionLimits,
  createHttpServer,
} from '../../src/cli/http-server.ts';
import { type HttpServer, listen } from '../support/http-server.ts';
import { until } from '../support/until.ts';

const servers: HttpServer[] = [];
const sockets: Socket[] = [];
const logged: unknown[] = [];

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const server of servers.splice(0)) await server.close();
  logged.length = 0;
});

async function serve(limits: Partial<ConnectionLimits> = {}): Promise<string> {
  const app = new Hono();
  app.get('/', (c) => c.text('hello'));
  app.post('/', async (c) => c.text(await c.req.text().catch(() => 'gone')));
  app.get('/endless', (c) => {
    const begun = new TextEncoder().encode('begun');
    return c.body(new ReadableStream({ start: (controller) => controller.enqueue(begun) }));
  });
  const server = createHttpServer({
    fetch: app.fetch,
    allowsHost: () => true,
    headers: { 'X-Everywhere': 'yes' },
    log: { during: (_id, work) => work(), answered: (request) => logged.push(request) },
    limits: { ...connectionLimits, connectionsCheckingInterval: 20, ...limits },
  });
  const listening = await listen(server);
  servers.push(listening);
  return listening.url;
}

/** A connection, and what came over it so far. */
async function open(url: string) {
  const socket = connect(Number(new URL(url).port), '127.0.0.1');
  sockets.push(socket);
  const state = { socket, answer: '', closed: false };
  socket.on('data', (chunk) => {
    state.answer += chunk;
  });
  socket.on('close', () => {
    state.closed = true;
  });
  socket.on('error', () => {});
  await once(socket, 'connect');
  return state;
}

const closed = (connection: { readonly closed: boolean }) =>
  until('it is closed', async () => connection.closed, { timeoutMs: 5000 });

it.each([
  ['that says nothing', ''],
  ['whose head is never complete', 'GET / HTTP/1.1\r\nHost: x\r\nX: '],
])('closes a connection %s, and says why', async (_name, bytes) => {
  const connection = await open(await serve({ headersTimeout: 100 }));
  connection.socket.write(bytes);
  await closed(connection);
  expect(connection.answer).toMatch(/^HTTP\/1\.1 408 Request Timeout\r\nX-Everywhere: yes\r\n/);
});

it('closes a connection whose body is never complete', async () => {
  const connection = await open(await serve({ headersTimeout: 100, requestTimeout: 100 }));
  connection.socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf');
  await closed(connection);
  expect(connection.answer).toMatch(/^HTTP\/1\.1 408 /);
});

it('keeps a connection between two requests for longer than a head may take', async () => {
  const url = await serve({ headersTimeout: 50, requestTimeout: 50, keepAliveTimeout: 60_000 });
  const connection = await open(url);
  const ask = async () => {
    const before = connection.answer.length;
    connection.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await until('it answers', async () => connection.answer.slice(before).endsWith('hello'));
  };
  await ask();
  const slow = await open(url);
  await closed(slow); // by then the time for a head is over
  await ask();
  expect(connection.closed).toBe(false);
});

it('closes the connection that was idle for longest where there are too many, and none that is at work', async () => {
  const url = await serve({ connections: 3 });
  const [atWork, first, second] = [await open(url), await open(url), await open(url)];
  atWork.socket.write(
    'POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nha',
  );
  first.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the first was served', async () => first.answer.endsWith('hello'));
  const third = await open(url);
  await closed(second);
  expect(first.closed).toBe(false);
  const fourth = await open(url);
  await closed(first);
  expect([third.closed, fourth.closed, atWork.closed]).toEqual([false, false, false]);
  atWork.socket.write('lf');
  await closed(atWork);
  expect(atWork.answer).toMatch(/^HTTP\/1\.1 200 .*half$/s);
});

it.each(['localhost:', '[::1]:', 'LOCALHOST:80', 'x.localhost.'])(
  'serves the host %s, which is well-formed',
  async (host) => {
    const connection = await open(await serve());
    connection.socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    await closed(connection);
    expect(connection.answer).toMatch(/^HTTP\/1\.1 200 .*hello$/s);
  },
);

it('takes no connection for idle where the first of two requests that were sent together is answered', async () => {
  const url = await serve({ connections: 1 });
  const both = await open(url);
  both.socket.write(
    'GET / HTTP/1.1\r\nHost: x\r\n\r\nPOST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 4\r\n\r\nha',
  );
  await until('the first was answered', async () => both.answer.endsWith('hello'));
  const other = await open(url);
  other.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the other was served', async () => other.answer.endsWith('hello'));
  both.socket.write('lf');
  await closed(both);
  expect(both.answer).toMatch(/HTTP\/1\.1 200 .*half$/s);
});

it('counts connections that are open, and closes no other in the place of one that has gone', async () => {
  const url = await serve({ connections: 2 });
  const [first, second] = [await open(url), await open(url)];
  first.socket.destroy();
  await closed(first);
  const third = await open(url);
  third.socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('the third was served', async () => third.answer.endsWith('hello'));
  expect(second.closed).toBe(false);
  await open(url);
  await closed(second);
  expect(third.closed).toBe(false);
});

it('closes a new connection where there are too many at work', async () => {
  const url = await serve({ connections: 2, maxConnections: 2 });
  const atWork = [await open(url), await open(url)];
  for (const { socket } of atWork) socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
  for (const one of atWork) {
    await until('it has begun', async () => one.answer.includes('begun'));
  }
  await closed(await open(url));
  expect(atWork.map((one) => one.closed)).toEqual([false, false]);
});

it.each([
  ['a path that is not plain', 404, 'GET /%6detrics?key=secret HTTP/1.1\r\nHost: x', '/%6detrics'],
  ['no host', 400, 'GET /a?key=secret HTTP/1.1', '/a'],
  ['what it cannot do', 417, 'POST /b?key=secret HTTP/1.1\r\nHost: x\r\nExpect: tea', '/b'],
])(
  'answers %s itself, with its headers, and logs why without the query',
  async (_what, status, head, path) => {
    const connection = await open(await serve());
    connection.socket.write(`${head}\r\nContent-Length: 0\r\n\r\n`);
    await closed(connection);
    expect(connection.answer).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} .*X-Everywhere: yes\r\n`, 's'),
    );
    expect(logged).toEqual([
      expect.objectContaining({ path, status, reason: expect.stringMatching(/\w{3}/) }),
    ]);
  },
);

it('writes no second answer into one that is under way', async () => {
  const connection = await open(await serve());
  connection.socket.write('GET /endless HTTP/1.1\r\nHost: x\r\n\r\n');
  await until('it has begun', async () => connection.answer.includes('begun'));
  connection.socket.write('nonsense\r\n\r\n');
  await closed(connection);
  expect(connection.answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200']);
});
