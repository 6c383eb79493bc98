import assert from 'node:assert/strict';
import { Hono } from 'hono';
import { observers, SessionService } from 'sojourn';
import { isReserved } from 'sojourn/adapter';
import { operatorConsole } from 'sojourn/admin';
import { SojournStore } from 'sojourn/express';
import { sessionHandler } from 'sojourn/fetch';
import { sessions } from 'sojourn/hono';
import { MemorySessionRepository } from 'sojourn/memory';
import { openNearCache } from 'sojourn/near-cache';
import { SessionSpans } from 'sojourn/opentelemetry';
import { SessionMetrics } from 'sojourn/prometheus';
import { connectRedis, RedisSessionRepository } from 'sojourn/redis';
import { sessionRepositoryContract } from 'sojourn/testing';

/** One use of each entry point. */
const { REDIS_URL: url = '', PREFIX: prefix = '' } = process.env;
const memory = new MemorySessionRepository();
const metrics = new SessionMetrics({ countSessions: () => memory.count() });
const service = new SessionService({
  repository: memory,
  observer: observers([metrics, new SessionSpans()]),
});
const cookie = { secure: false };

const withSession = sessionHandler({ service, cookie });
const login = await withSession(
  new Request('http://localhost/', { method: 'POST' }),
  async (session) => {
    await session.start('ada', { color: 'green' });
    return new Response('Welcome.');
  },
);
const token = login.headers.get('Set-Cookie')?.split(';')[0] ?? '';

const app = new Hono().use(sessions({ service, cookie }));
app.get('/', (c) => c.text(c.var.session.get('color') ?? ''));
const page = await app.request('/', { headers: { Cookie: token } });
assert.equal(await page.text(), 'green');
assert.match(await metrics.registry.metrics(), /sojourn_sessions_active 1/);

const connection = await connectRedis({ kind: 'url', url });
const repository = new RedisSessionRepository({ client: connection.client, prefix });
const kept = await new SessionService({ repository }).create({ color: 'blue' });
assert.equal((await new SessionService({ repository }).get(kept.token))?.fields.color, 'blue');

const nearCache = openNearCache({ client: connection.client, prefix });
const cached = new SessionService({ repository: nearCache.repository });
assert.equal((await cached.get(kept.token))?.fields.color, 'blue');
await nearCache.close();

const store = new SojournStore({ repository });
const data = { cookie: { originalMaxAge: null }, color: 'red' };
await store.set('an id', data);
assert.equal((await store.get<typeof data>('an id'))?.color, 'red');
await connection.close();

const audit = () => {};
const admin = operatorConsole({ service, repository: memory, operator: () => 'ada', audit });
assert.match(await (await admin.request('/user?name=ada')).text(), /1 alive/);
assert.match(await (await admin.request('/console.js')).text(), /data-live/);

assert.ok(isReserved('session_ttl'));
assert.ok(sessionRepositoryContract.length > 40);
console.log('ok');
