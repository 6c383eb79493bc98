import { describe, expect, it, vi } from 'vitest';
import { SessionError, StoreUnavailableError } from '../../src/domain/errors.ts';
import { createDemoApp } from '../../src/http/demo/demo-app.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const html = { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

/** The demo on the in-memory store, with a clock that the test moves. */
function demo({ secureCookie = false } = {}) {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const repository = new MemorySessionRepository(clock);
  const store = { down: false };
  const service = new SessionService({
    repository: new Proxy(repository, {
      get(real, name) {
        const member: unknown = Reflect.get(real, name, real);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]) =>
          store.down
            ? Promise.reject(new StoreUnavailableError('unknown'))
            : member.apply(real, args);
      },
    }),
    clock,
  });
  const app = createDemoApp({
    service,
    store: { kind: 'memory', label: 'embedded', prefix: 'session:' },
    ready: () =>
      store.down ? Promise.reject(new StoreUnavailableError('unknown')) : Promise.resolve(),
    now: clock.now,
    secureCookie,
    assets: { '/assets/demo.css': { contentType: 'text/css', body: '' } },
  });
  let cookie: string | undefined;
  return {
    app,
    service,
    store,
    elapse: (ms: number) => {
      now += ms;
    },
    get cookie() {
      return cookie;
    },
    set cookie(value: string | undefined) {
      cookie = value;
    },
    async request(path: string, init: RequestInit = {}) {
      const headers = new Headers(init.headers);
      if (cookie) headers.set('Cookie', cookie);
      const response = await app.request(path, { ...init, headers });
      const set = response.headers.getSetCookie();
      expect(set.length).toBeLessThanOrEqual(1);
      if (set[0]) cookie = set[0].includes('Max-Age=0') ? undefined : set[0].split(';')[0];
      return response;
    },
    post(path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) {
      return this.request(path, { method: 'POST', body: new URLSearchParams(form), headers });
    },
    async json(path: string) {
      return (await (await this.request(path)).json()) as Record<string, unknown>;
    },
  };
}

describe('GET /session', () => {
  it('says that nobody is logged in, and sets nothing', async () => {
    const { app } = demo();
    const response = await app.request('/session');
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({ authenticated: false, session: null });
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });

  it('shows the session and slides it, or only peeks if asked to', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada', ttl: '60' });
    site.elapse(10_000);
    expect(await site.json('/session?refresh=false')).toMatchObject({
      ttl: 50,
      configured_ttl: 60,
    });
    expect(await site.json('/session')).toMatchObject({
      authenticated: true,
      session: { username: 'ada', page_views: '1', session_ttl: '60' },
      ttl: 60,
      configured_ttl: 60,
    });
    site.elapse(10_000);
    expect((await site.request('/')).status).toBe(200); // looking at the page keeps nothing alive
    expect(await site.json('/session?refresh=false')).toMatchObject({ ttl: 50 });
  });

  it('says of a cookie that opens nothing that it is lost, and leaves it alone', async () => {
    const site = demo();
    await site.post('/login', { ttl: '5' });
    site.elapse(5000);
    const response = await site.request('/session');
    expect(await response.json()).toEqual({ authenticated: false, session: null, lost: true });
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });

  it.each([
    'sid=%',
    'sid',
    'sid=',
    '=;;=',
    'sid="a"; sid=b',
    `sid=${'A'.repeat(9000)}`,
    'sid=\u00e9',
  ])('survives the cookie %s', async (cookie) => {
    const response = await demo().app.request('/session', { headers: { Cookie: cookie } });
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ authenticated: false, session: null });
  });

  it.each(['x=%', 'x="', 'a=\u0001', '__proto__=1', 'SID=x', '__Host-sid=x', 'xsid=y', ';;;'])(
    'lets no foreign cookie log anybody out: %s',
    async (foreign) => {
      const site = demo();
      await site.post('/login', { username: 'ada' });
      for (const cookie of [`${foreign}; ${site.cookie}`, `${site.cookie}; ${foreign}`]) {
        const response = await site.app.request('/session', { headers: { Cookie: cookie } });
        expect(await response.json()).toMatchObject({ authenticated: true });
        expect(response.headers.has('Set-Cookie')).toBe(false);
      }
    },
  );
});

describe('POST /login', () => {
  it('starts a session under the trimmed name and sets the cookie', async () => {
    const site = demo();
    const response = await site.post('/login', { username: '  Ada  ', ttl: '90' });
    expect(response.status).toBe(200);
    expect(response.headers.get('Set-Cookie')).toMatch(
      /^sid=[\w-]{22}\.[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/,
    );
    expect(response.headers.get('Cache-Control')).toBe('no-store');
    expect(await response.json()).toMatchObject({
      authenticated: true,
      session: { username: 'Ada', page_views: '1' },
      configured_ttl: 90,
      ttl: 90,
    });
  });

  it.each([{}, { username: '' }, { username: ' \t ' }])('calls %j Guest', async (form) => {
    const response = await demo().post('/login', form as Record<string, string>);
    expect(await response.json()).toMatchObject({ session: { username: 'Guest' }, ttl: 1800 });
  });

  it('takes names of 64 characters and none of 65', async () => {
    expect((await demo().post('/login', { username: '👋'.repeat(64) })).status).toBe(200);
    const response = await demo().post('/login', { username: '👋'.repeat(65) });
    expect(response.status).toBe(400);
    expect(response.headers.has('Set-Cookie')).toBe(false);
  });

  it('ends the session before, with a new id and a new secret', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const first = site.cookie;
    await site.post('/login', { username: 'grace' });
    const second = site.cookie;
    expect(second?.slice(0, 26)).not.toBe(first?.slice(0, 26));
    site.cookie = first;
    expect(await site.json('/session')).toEqual({
      authenticated: false,
      session: null,
      lost: true,
    });
    site.cookie = second;
    expect(await site.json('/session')).toMatchObject({ session: { username: 'grace' } });
  });

  it('adopts no token that somebody else chose', async () => {
    const site = demo();
    site.cookie = `sid=${'A'.repeat(22)}.${'A'.repeat(43)}`;
    const chosen = site.cookie;
    await site.post('/login', { username: 'ada' });
    expect(site.cookie).not.toContain('A'.repeat(22));
    site.cookie = chosen;
    expect(await site.json('/session')).toMatchObject({ authenticated: false });
  });

  it('uses Secure and the __Host- prefix where the site is on HTTPS', async () => {
    const response = await demo({ secureCookie: true }).post('/login');
    expect(response.headers.get('Set-Cookie')).toMatch(
      /^__Host-sid=[\w.-]+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    );
  });
});

const BAD_TTLS = [
  '0',
  '-1',
  '1.5',
  '1e21',
  'abc',
  '',
  '+5',
  ' 5',
  '5 ',
  '0x10',
  '٣',
  '1_000',
  'NaN',
];

describe('a bad ttl', () => {
  it.each(BAD_TTLS)('of %j is refused by /ttl and /login, and nothing is lost', async (ttl) => {
    const site = demo();
    await site.post('/login', { username: 'ada', ttl: '60' });
    const cookie = site.cookie;
    for (const path of ['/ttl', '/login']) {
      const response = await site.post(path, { ttl });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({
        error: 'TTL must be a whole number greater than 0.',
      });
    }
    expect(site.cookie).toBe(cookie);
    expect(await site.json('/session')).toMatchObject({
      session: { username: 'ada' },
      configured_ttl: 60,
    });
  });

  it.each(['2592001', '99999999999999999999'])(
    'of %s is more than anybody may ask for',
    async (ttl) => {
      const site = demo();
      await site.post('/login');
      const response = await site.post('/ttl', { ttl });
      expect(response.status).toBe(400);
      expect(await response.json()).toEqual({ error: 'TTL must be at most 2592000 seconds.' });
    },
  );
});

describe('POST /increment, /ttl and /logout', () => {
  it('count, change and end', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada', ttl: '60' });
    const [second, third] = [await site.post('/increment'), await site.post('/increment')];
    expect(await second.json()).toMatchObject({
      authenticated: true,
      page_views: 2,
      session: { page_views: '2' },
    });
    expect(await third.json()).toMatchObject({ page_views: 3 });
    expect(third.headers.has('Set-Cookie')).toBe(false);
    expect(await (await site.post('/ttl', { ttl: '5' })).json()).toMatchObject({
      ttl: 5,
      configured_ttl: 5,
    });
    const cookie = site.cookie;
    const logout = await site.post('/logout');
    expect(logout.status).toBe(200);
    expect(await logout.json()).toEqual({ authenticated: false });
    expect(site.cookie).toBeUndefined();
    site.cookie = cookie;
    expect(await site.json('/session')).toEqual({
      authenticated: false,
      session: null,
      lost: true,
    });
  });

  it.each(['/increment', '/touch', '/ttl', '/rotate'])(
    '%s answers 401 without a session, and with an expired one',
    async (path) => {
      const site = demo();
      const anonymous = await site.post(path, { ttl: '60' });
      expect(anonymous.status).toBe(401);
      expect(await anonymous.json()).toEqual({ error: 'No active session' });
      await site.post('/login', { ttl: '5' });
      site.elapse(5000);
      const expired = await site.post(path, { ttl: '60' });
      expect(expired.status).toBe(401);
      expect(await expired.json()).toEqual({ error: 'Session expired' });
      expect(expired.headers.has('Set-Cookie')).toBe(false);
    },
  );

  it('lets another tab in with the secret that was replaced, for ten seconds', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const before = site.cookie;
    expect((await site.post('/rotate')).status).toBe(200);
    expect(site.cookie).not.toBe(before);
    site.cookie = before;
    site.elapse(9999);
    expect(await site.json('/session')).toMatchObject({ authenticated: true });
    site.elapse(1);
    expect(await site.json('/session')).toMatchObject({ authenticated: false, lost: true });
  });

  it('logs out whoever is not logged in, without complaint', async () => {
    expect(await (await demo().post('/logout')).json()).toEqual({ authenticated: false });
  });
});

describe("a user's sessions", () => {
  it('are listed on the page, ended one by one, and all at once', async () => {
    const site = demo();
    await site.post(
      '/login',
      { username: 'ada' },
      { 'User-Agent': 'Mozilla/5.0 (X11; Linux) Firefox/140.0' },
    );
    const laptop = site.cookie;
    site.cookie = undefined;
    await site.post('/login', { username: 'ada' }, { 'User-Agent': 'curl/8.0' });
    const page = await (await site.request('/')).text();
    expect(page).toContain('Firefox on Linux');
    const id = laptop?.slice(4, 26) ?? '';
    expect((await site.post('/sessions/end', { id: 'nonsense' })).status).toBe(404);
    expect((await site.post('/sessions/end', { id })).status).toBe(200);
    expect(await (await site.request('/')).text()).not.toContain('Firefox on Linux');
    const everywhere = await site.post('/logout-everywhere');
    expect(await everywhere.json()).toEqual({ authenticated: false, ended: 1 });
    expect(site.cookie).toBeUndefined();
  });

  it('of somebody else cannot be ended', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const ada = site.cookie;
    site.cookie = undefined;
    await site.post('/login', { username: 'mallory' });
    const response = await site.post('/sessions/end', { id: ada?.slice(4, 26) ?? '' });
    expect(response.status).toBe(404);
    site.cookie = ada;
    expect(await site.json('/session')).toMatchObject({ authenticated: true });
  });
});

describe('a plain form', () => {
  it.each([
    ['/login', { username: 'ada' }, '/'],
    ['/increment', {}, '/'],
    ['/ttl', { ttl: '60' }, '/'],
    ['/ttl', { ttl: 'abc' }, '/?notice=ttl'],
    ['/touch', {}, '/'],
    ['/logout', {}, '/?left='],
    ['/logout-everywhere', {}, '/?left='],
  ])('at %s %j is answered 303 to %s', async (path, form, location) => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const response = await site.post(path, form as Record<string, string>, html);
    expect(response.status).toBe(303);
    // What was left behind is told to who left, by a number that nobody else can know.
    expect(response.headers.get('Location')?.replace(/=[\w-]{43}$/, '=')).toBe(location);
  });

  it('is told on the page what went wrong, and only in our own words', async () => {
    const site = demo();
    const page = await (await site.request('/?notice=ttl')).text();
    expect(page).toContain('TTL must be a whole number greater than 0.');
    for (const notice of ['<script>', 'constructor', '__proto__', 'toString']) {
      const other = await (await site.request(`/?notice=${encodeURIComponent(notice)}`)).text();
      expect(other).not.toContain('role="status">&');
      expect(other).not.toContain(notice === '<script>' ? '<script>"' : 'function');
    }
  });
});

describe('the server', () => {
  it.each([
    ['/', 'GET, HEAD'],
    ['/index.html', 'GET, HEAD'],
    ['/session', 'GET, HEAD'],
    ['/login', 'POST'],
    ['/increment', 'POST'],
    ['/touch', 'POST'],
    ['/ttl', 'POST'],
    ['/logout', 'POST'],
    ['/sessions/end', 'POST'],
    ['/logout-everywhere', 'POST'],
    ['/healthz', 'GET, HEAD'],
    ['/readyz', 'GET, HEAD'],
    ['/assets/demo.css', 'GET, HEAD'],
  ])('answers a wrong method on %s with 405 and Allow', async (path, allow) => {
    for (const method of ['PUT', 'DELETE', 'PATCH', allow === 'POST' ? 'GET' : 'POST']) {
      const response = await demo().app.request(path, { method });
      expect(response.status).toBe(405);
      expect(response.headers.get('Allow')).toBe(allow);
    }
  });

  it('answers 404, 413, 415 and 400 where they are due', async () => {
    const { app } = demo();
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const post = (body: string | Uint8Array, headers: Record<string, string> = form) =>
      app.request('/login', { method: 'POST', body, headers });
    expect((await app.request('/nothing')).status).toBe(404);
    expect((await post(`username=${'x'.repeat(10_000)}`)).status).toBe(413);
    expect((await post('{}', { 'Content-Type': 'application/json' })).status).toBe(415);
    expect((await post('username=x', { 'Content-Type': 'text/plain' })).status).toBe(415);
    expect(
      (await post('x', { 'Content-Type': 'application/x-www-form-urlencoded; charset=latin1' }))
        .status,
    ).toBe(415);
    expect((await post(new Uint8Array([0x75, 0x3d, 0xff]))).status).toBe(400);
    expect((await post('username=%ff')).status).toBe(400);
    expect((await post('username=100%')).status).toBe(400);
    expect(
      (
        await post('username=x', {
          'Content-Type': 'application/x-www-form-urlencoded; charset=UTF-8',
        })
      ).status,
    ).toBe(200);
  });

  it.each([
    [{ 'Sec-Fetch-Site': 'cross-site' }, 403],
    [{ 'Sec-Fetch-Site': 'same-site' }, 403],
    [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'http://localhost' }, 403],
    [{ 'Sec-Fetch-Site': 'same-origin', Origin: 'https://evil.example' }, 200],
    [{ 'Sec-Fetch-Site': 'none' }, 200],
    [{ Origin: 'https://evil.example' }, 403],
    [{ Origin: 'null' }, 403],
    [{ Origin: 'nonsense' }, 403],
    [{ Origin: 'http://localhost:81' }, 403],
    [{ Origin: 'http://localhost' }, 200],
    [{}, 200],
  ])('answers a login with %j with %d', async (headers, status) => {
    const response = await demo().app.request('/login', {
      method: 'POST',
      body: new URLSearchParams(),
      headers: { Host: 'localhost', ...headers } as Record<string, string>,
    });
    expect(response.status).toBe(status);
    expect(response.headers.has('Set-Cookie')).toBe(status === 200);
  });

  it.each(['/', '/session', '/healthz', '/nothing'])(
    'sends the security headers with %s',
    async (path) => {
      const { headers } = await demo().app.request(path);
      expect(Object.fromEntries(headers)).toMatchObject({
        'content-security-policy':
          "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
          "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'same-origin',
        'cache-control': 'no-store',
        'x-frame-options': 'DENY',
        'cross-origin-opener-policy': 'same-origin',
      });
      expect(headers.has('Strict-Transport-Security')).toBe(false);
    },
  );

  it('lets nobody keep what it says to anybody but the assets', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    for (const response of [
      await site.request('/'),
      await site.app.request('/'),
      await site.app.request('/session'),
      await site.post('/ttl', { ttl: 'x' }),
      await site.app.request('/ttl', { method: 'POST' }),
      await site.app.request('/login'),
      await site.app.request('/nothing'),
    ]) {
      expect(response.headers.get('Cache-Control')).toBe('no-store');
    }
    const asset = await site.app.request('/assets/demo.css');
    expect(asset.headers.get('Cache-Control')).toBe('no-cache');
  });

  it('demands HTTPS for a year where the site is on HTTPS', async () => {
    const { headers } = await demo({ secureCookie: true }).app.request('/');
    expect(headers.get('Strict-Transport-Security')).toBe('max-age=31536000');
  });

  it('tells life and readiness apart', async () => {
    const site = demo();
    expect((await site.request('/healthz')).status).toBe(200);
    expect((await site.request('/readyz')).status).toBe(200);
    site.store.down = true;
    expect((await site.request('/healthz')).status).toBe(200);
    expect((await site.request('/readyz')).status).toBe(503);
  });

  it('keeps the cookie and answers 503 while the store is down, and says so on the page', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const cookie = site.cookie;
    site.store.down = true;
    for (const response of [
      await site.request('/session'),
      await site.post('/increment'),
      await site.post('/logout'),
      await site.post('/login', { username: 'grace' }),
      await site.request('/', { headers: html }),
      await site.post('/logout', {}, html),
    ]) {
      expect(response.status).toBe(503);
      expect(response.headers.get('Retry-After')).toBe('1');
      expect(response.headers.has('Set-Cookie')).toBe(false);
      expect(await response.text()).toMatch(/unavailable|cannot be reached/);
    }
    site.store.down = false;
    expect(site.cookie).toBe(cookie);
    expect(await site.json('/session')).toMatchObject({ session: { username: 'ada' } });
  });

  it.each(['revoked', 'too_many_sessions'] as const)(
    'answers 409 to a login that others of the same name overtook: %s',
    async (code) => {
      const site = demo();
      vi.spyOn(site.service, 'create').mockRejectedValue(new SessionError(code, 'Too late.'));
      const response = await site.post('/login');
      expect(response.status).toBe(409);
      expect(response.headers.has('Set-Cookie')).toBe(false);
    },
  );

  it('lists the newest sessions of a user and the own one, and counts the rest', async () => {
    const site = demo();
    const headers = (i: number) => ({ 'User-Agent': `Firefox/1 (Windows)${i}` });
    await site.post('/login', { username: 'ada' }, { 'User-Agent': 'curl/8.0' });
    const { cookie } = site;
    for (let i = 0; i < 30; i += 1) {
      site.cookie = undefined;
      await site.post('/login', { username: 'ada' }, headers(i));
    }
    const newest = await (await site.request('/')).text();
    expect(newest.match(/action="\.\/sessions\/end"/g)).toHaveLength(19);
    expect(newest).toContain('and 11 older');
    site.cookie = cookie;
    const oldest = await (await site.request('/')).text();
    expect(oldest.match(/action="\.\/sessions\/end"/g)).toHaveLength(20);
    expect(oldest).toContain('This browser');
    expect(oldest).toContain('and 10 older');
  });

  it('escapes whatever is in a field', async () => {
    const site = demo();
    const username = `"><img src=x onerror=alert(1)><script>`;
    await site.post('/login', { username });
    const page = await (await site.request('/')).text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img');
  });

  it('has no inline script or style on the page, and nothing from elsewhere', async () => {
    const site = demo();
    await site.post('/login', { username: 'ada' });
    const page = await (await site.request('/')).text();
    expect(page).not.toMatch(/<style|style=|<script(?![^>]* src="\.\/)| on[a-z]+=/);
    expect(page).not.toMatch(/(src|href|action)="(?!\.\/)/);
  });
});
