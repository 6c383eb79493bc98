import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';
import { SimulatedBrowser } from '../support/simulated-browser.ts';

/** Deliberately not multiples of one another, so that over many rounds polls meet the login in every order. */
const NETWORKS = [
  { oneWayMs: 20, pollEveryMs: 10 },
  { oneWayMs: 50, pollEveryMs: 500 },
  { oneWayMs: 7, pollEveryMs: 3 },
];
const ROUNDS = 40;
const ACT_AT_MS = 1000;

function application() {
  const clock = { at: Date.parse('2026-04-02T00:00:00Z'), now: () => clock.at };
  const service = new SessionService({ repository: new MemorySessionRepository(clock), clock });
  const app = new Hono<SessionsEnv>();
  app.use(sessions({ service, cookie: { secure: false } }));
  app.post('/login', async (c) => {
    await c.var.session.start('ada');
    return c.text('');
  });
  app.post('/rotate', async (c) => c.json(await c.var.session.required().rotate()));
  app.post('/renew', async (c) => c.json(await c.var.session.required().rotate({ grace: 10 })));
  app.get('/poll', (c) => c.json(c.var.session.user ?? null));
  app.post('/poll', (c) => {
    const { session } = c.var;
    if (session.id !== undefined) session.required().set('seen', 'yes');
    return c.json(session.user ?? null);
  });
  app.post('/count', async (c) => {
    const { session } = c.var;
    return c.json(session.id === undefined ? null : await session.required().increment('n'));
  });
  app.post('/logout', async (c) => c.json(await c.var.session.end()));
  app.post('/overtaken-logout', async (c) => {
    await service.rotate(c.req.header('Cookie')?.slice('sid='.length) ?? ''); // another request was faster
    return c.json(await c.var.session.end());
  });
  return { app, clock, service };
}

describe.each(NETWORKS)('with $oneWayMs ms one way and a poll every $pollEveryMs ms', (network) => {
  describe.each(['/login', '/rotate', '/renew'])('POST %s', (act) => {
    it.each([
      ['GET', '/poll'],
      ['POST', '/poll'],
      ['POST', '/count'],
    ])('loses no session to answers of %s %s that arrive late', async (method, path) => {
      const lost: number[] = [];
      for (let round = 0; round < ROUNDS; round += 1) {
        const { app, clock, service } = application();
        const beganAt = clock.at;
        const browser = new SimulatedBrowser(
          (request) => {
            clock.at = beganAt + browser.now;
            return app.fetch(request);
          },
          { oneWayMs: network.oneWayMs },
        );
        browser.send(0, '/login', { method: 'POST' });
        browser.send(ACT_AT_MS, act, { method: 'POST' });
        const around = 4 * network.oneWayMs + network.pollEveryMs;
        const offset = (round * network.pollEveryMs) / ROUNDS;
        for (let ms = offset - around; ms < around; ms += network.pollEveryMs) {
          browser.send(ACT_AT_MS + ms, path, { method });
        }
        await browser.run();
        const response = await app.request('/poll', { headers: { Cookie: browser.cookie } });
        if ((await response.json()) !== 'ada') lost.push(round);
        expect(await service.list('ada')).toHaveLength(1);
      }
      expect(lost).toEqual([]);
    });
  });
});

it('a logout reaches a session that was rotated while the logout was under way', async () => {
  const { app, service } = application();
  const login = await app.request('/login', { method: 'POST' });
  const cookie = login.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  const response = await app.request('/overtaken-logout', {
    method: 'POST',
    headers: { Cookie: cookie },
  });
  expect(await response.json()).toBe(true);
  expect(response.headers.get('Set-Cookie')).toContain('sid=; Max-Age=0');
  expect(await service.list('ada')).toEqual([]);
});

it('a logout with a token that opens nothing leaves the cookie to the login that may be under way', async () => {
  const { app, service } = application();
  const login = await app.request('/login', { method: 'POST' });
  const cookie = login.headers.get('Set-Cookie')?.split(';')[0] ?? '';
  await service.deleteAll('ada');
  const response = await app.request('/logout', { method: 'POST', headers: { Cookie: cookie } });
  expect(await response.json()).toBe(false);
  expect(response.headers.has('Set-Cookie')).toBe(false);
});
