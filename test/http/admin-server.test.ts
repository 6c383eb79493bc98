import { describe, expect, it, vi } from 'vitest';
import type { OperatorAct } from '../../src/admin.ts';
import { createAdminServer } from '../../src/http/admin/admin-server.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const TOKEN = 'correct-horse-battery-staple';
const SESSION_TOKEN = `${'A'.repeat(22)}.${'b'.repeat(42)}A`;
const HOUR = 3_600_000;
const html = { Accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8' };

function adminServer({ token }: { token: string | undefined } = { token: TOKEN }) {
  let now = Date.parse('2026-04-02T12:00:00Z');
  const repository = new MemorySessionRepository();
  const service = new SessionService({ repository });
  const audit: OperatorAct[] = [];
  const app = createAdminServer({
    metrics: { contentType: 'text/plain', metrics: async () => 'sojourn 1\n' },
    ready: async () => {},
    token,
    now: () => now,
    console: { service, repository, audit: (act) => audit.push(act) },
  });
  let cookie: string | undefined;
  const request = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ ...html, Host: 'localhost' });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    if (cookie !== undefined) headers.set('Cookie', cookie);
    const response = await app.request(path, { ...init, headers });
    const [set] = response.headers.getSetCookie();
    if (set !== undefined) cookie = /Max-Age=0/.test(set) ? undefined : set.split(';')[0];
    return response;
  };
  return {
    ...{ audit, service, request },
    post: (path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
      request(path, { method: 'POST', body: new URLSearchParams(form), headers }),
    elapse: (ms: number) => {
      now += ms;
    },
    get cookie() {
      return cookie;
    },
    set cookie(value: string | undefined) {
      cookie = value;
    },
  };
}

describe('signing in', () => {
  it('is asked for by a form that needs no script, and leads to where one wanted to go', async () => {
    const site = adminServer();
    const asked = await site.request('/user?name=ada%20l&after=3');
    expect([asked.status, asked.headers.get('WWW-Authenticate')]).toEqual([
      401,
      'Bearer realm="Sojourn"',
    ]);
    const page = await asked.text();
    expect(page).toContain('action="./sign-in"');
    expect(page).toContain('name="next" value="user?name=ada%20l&amp;after=3"');
    const form = { name: 'grace', token: TOKEN, next: 'user?name=ada%20l' };
    const response = await site.post('/sign-in', form);
    expect([response.status, response.headers.get('Location')]).toEqual([
      303,
      './user?name=ada%20l',
    ]);
    expect(await (await site.request('/user?name=ada')).text()).toContain('grace');
    expect(await (await site.request('/metrics')).text()).toBe('sojourn 1\n');
    expect(site.audit).toEqual([{ by: 'console grace', did: 'sign in', outcome: 'done' }]);
  });

  it('gives a cookie that no script and no other site gets, and that does not hold the token', async () => {
    const site = adminServer();
    const plain = await site.post('/sign-in', { name: 'grace', token: TOKEN });
    const [cookie = ''] = plain.headers.getSetCookie();
    expect(cookie).toMatch(/; HttpOnly/);
    expect(cookie).toMatch(/; SameSite=Strict/);
    expect(cookie).not.toMatch(/Secure/);
    expect(decodeURIComponent(cookie)).not.toContain(TOKEN);
    const form = { name: 'grace', token: TOKEN };
    const origin = { Origin: 'https://localhost', 'Sec-Fetch-Site': 'same-origin' };
    const secure = await site.post('/sign-in', form, origin);
    expect(secure.headers.getSetCookie()[0]).toMatch(/; Secure/);
  });

  it.each(['', 'x', `${TOKEN}x`, TOKEN.slice(0, -1), TOKEN.toUpperCase()])(
    'is refused with %j, noted, and can be tried again',
    async (token) => {
      const site = adminServer();
      const response = await site.post('/sign-in', { name: '<b>', token });
      expect(response.status).toBe(401);
      expect(response.headers.getSetCookie()).toEqual([]);
      const page = await response.text();
      expect(page).toContain('That is not the token.');
      expect(page).toContain('value="&lt;b&gt;"');
      expect(site.audit).toEqual([{ by: 'console <b>', did: 'sign in', outcome: 'refused' }]);
      expect((await site.post('/sign-in', { name: 'grace', token: TOKEN })).status).toBe(303);
    },
  );

  it('is refused to other sites, whatever they know, which is noted', async () => {
    const site = adminServer();
    const form = { name: 'grace', token: TOKEN };
    for (const path of ['/sign-in', '/sign-out']) {
      const response = await site.post(path, form, { 'Sec-Fetch-Site': 'cross-site' });
      expect([response.status, response.headers.getSetCookie()]).toEqual([403, []]);
    }
    const reason = expect.stringContaining('Cross-site request refused');
    const refused = { by: 'console unnamed', outcome: 'refused', reason };
    expect(site.audit).toEqual([
      { ...refused, did: 'sign in' },
      { ...refused, did: 'sign out' },
    ]);
  });

  it.each([
    '//evil.example',
    'https://evil.example',
    '/user',
    '../x',
    'user?x=\r\nSet-Cookie: a=b',
    'end',
  ])('leads nowhere else: %j', async (next) => {
    const site = adminServer();
    const response = await site.post('/sign-in', { name: 'grace', token: TOKEN, next });
    expect(response.headers.get('Location')).toBe('./');
  });

  it.each([
    `find?q=${SESSION_TOKEN}`,
    `find?q=sid%3D${SESSION_TOKEN}`,
    `user?name=${SESSION_TOKEN.replace('.', '%2E')}`,
    `session?id=${SESSION_TOKEN}`,
    `?q=${SESSION_TOKEN}`,
  ])('repeats no token that was asked with, and leads to the first page then: %s', async (next) => {
    const site = adminServer();
    const secret = SESSION_TOKEN.slice(23);
    const asked = await site.request(`/${next}`);
    expect(asked.status).toBe(401);
    expect(await asked.text()).not.toContain(secret);
    const wrong = await site.post('/sign-in', { name: 'grace', token: 'x', next });
    expect(await wrong.text()).not.toContain(secret);
    const right = await site.post('/sign-in', { name: 'grace', token: TOKEN, next });
    expect(right.headers.get('Location')).toBe('./');
  });

  it.each([TOKEN, ` ${TOKEN} `, `sid=${SESSION_TOKEN}`, 'q2+/'.repeat(11)])(
    'neither notes nor repeats a secret that was typed for a name: %j',
    async (name) => {
      const site = adminServer();
      const response = await site.post('/sign-in', { name, token: 'grace' });
      expect(await response.text()).toMatch(/<input id="name" name="name" value=""/);
      expect(site.audit).toEqual([{ by: 'console unnamed', did: 'sign in', outcome: 'refused' }]);
    },
  );

  it('lasts for eight hours, and ends with a sign-out', async () => {
    const site = adminServer();
    await site.post('/sign-in', { name: 'grace', token: TOKEN });
    site.elapse(8 * HOUR - 1);
    expect((await site.request('/')).status).toBe(200);
    site.elapse(1);
    expect((await site.request('/')).status).toBe(401);
    await site.post('/sign-in', { name: 'grace', token: TOKEN });
    expect((await site.post('/sign-out')).status).toBe(303);
    expect(site.cookie).toBeUndefined();
    expect((await site.request('/')).status).toBe(401);
    expect(site.audit.at(-1)).toMatchObject({ by: 'console grace', did: 'sign out' });
  });

  it('ends with a sign-out for a cookie that was kept as well, and for no other', async () => {
    const site = adminServer();
    const signIn = async () => {
      await site.post('/sign-in', { name: 'grace', token: TOKEN });
      return site.cookie;
    };
    const [copied, other] = [await signIn(), await signIn()];
    site.cookie = copied;
    await site.post('/sign-out');
    const status = async (cookie: string | undefined) => {
      site.cookie = cookie;
      return (await site.request('/')).status;
    };
    expect([await status(copied), await status(other)]).toEqual([401, 200]);
    site.cookie = copied;
    const again = await site.post('/sign-out');
    expect(again.headers.getSetCookie()[0]).toMatch(/Max-Age=0/);
    expect(site.audit.filter(({ did }) => did === 'sign out')).toHaveLength(1);
    expect([await status(await signIn()), await status(other)]).toEqual([200, 200]);
  });

  it('that was ended stays so, however many are', { tags: ['slow'] }, async () => {
    const site = adminServer();
    const cookies: (string | undefined)[] = [];
    for (let i = 0; i < 1100; i++) {
      await site.post('/sign-in', { name: 'grace', token: TOKEN });
      cookies.push(site.cookie);
      await site.post('/sign-out');
      site.elapse(1);
    }
    for (const cookie of cookies) {
      site.cookie = cookie;
      expect((await site.request('/')).status).toBe(401);
    }
    site.cookie = undefined;
    await site.post('/sign-in', { name: 'grace', token: TOKEN });
    expect((await site.request('/')).status).toBe(200);
  });

  it('is not had by a cookie that was changed, or that another token signed', async () => {
    const [site, other] = [adminServer(), adminServer({ token: 'another' })];
    await other.post('/sign-in', { name: 'grace', token: 'another' });
    await site.post('/sign-in', { name: 'grace', token: TOKEN });
    const own = site.cookie ?? '';
    const [name = '', value = ''] = own.split('=');
    const text = decodeURIComponent(value);
    for (const forged of [
      other.cookie,
      `${name}=${encodeURIComponent(text.replace('grace', 'admin'))}`,
      `${name}=${encodeURIComponent(text.replace(/^\d+/, '99999999999999'))}`,
      `${name}=`,
      `${name}=%`,
      `${name}=x.y`,
    ]) {
      site.cookie = forged;
      expect((await site.request('/')).status).toBe(401);
    }
    site.cookie = own;
    expect((await site.request('/')).status).toBe(200);
  });

  it.each([
    ['', 'unnamed'],
    ['  ', 'unnamed'],
    [' grace ', 'grace'],
    ['a; Path=/; x', 'a; Path=/; x'],
    ['a\nb', 'a\nb'],
    ['Zoë 🦊', 'Zoë 🦊'],
    ['abc '.repeat(50), 'abc '.repeat(16)],
    [TOKEN, 'unnamed'],
    [` ${TOKEN}\n`, 'unnamed'],
    [`sid=${SESSION_TOKEN}`, 'unnamed'],
    ['q2+/'.repeat(11), 'unnamed'],
  ])('takes for a name whatever was typed, cut where it is long: %j', async (typed, name) => {
    const site = adminServer();
    const { id } = (await site.service.create({}, { user: 'ada' })).session;
    await site.post('/sign-in', { name: typed, token: TOKEN });
    await site.post('/end', { id });
    expect(site.audit.at(-1)).toMatchObject({ by: `console ${name}`, did: 'end session' });
  });
});

describe('a program', () => {
  it('brings the token in each request', async () => {
    const site = adminServer();
    const headers = { Authorization: `Bearer ${TOKEN}`, Accept: '*/*' };
    expect((await site.request('/metrics', { headers })).status).toBe(200);
    const { id } = (await site.service.create({}, { user: 'ada' })).session;
    expect((await site.post('/end', { id }, headers)).status).toBe(303);
    expect(site.audit).toMatchObject([{ by: 'console token' }]);
  });

  it('with a wrong token is noted, once a minute at most, with how often it came, also if no more come', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const site = adminServer();
      const ask = async (token: string) =>
        (await site.request('/metrics', { headers: { Authorization: `Bearer ${token}` } })).status;
      for (let i = 0; i < 30; i++) expect(await ask(`wrong-${i}`)).toBe(401);
      expect(await ask(TOKEN)).toBe(200);
      const noted = { by: 'console token', did: 'sign in', outcome: 'refused' };
      const first = { ...noted, reason: 'wrong bearer token' };
      expect(site.audit).toEqual([first]);
      vi.advanceTimersByTime(60_000);
      const second = { ...noted, reason: 'wrong bearer token, 29 times' };
      expect(site.audit).toEqual([first, second]);
      vi.advanceTimersByTime(600_000);
      await ask('wrong');
      expect(site.audit).toEqual([first, second, first]);
    } finally {
      vi.useRealTimers();
    }
  });

  it('is told in JSON what is missing', async () => {
    for (const path of ['/', '/metrics', '/user?name=ada']) {
      const response = await adminServer().request(path, { headers: { Accept: '*/*' } });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ error: expect.stringContaining('admin token') });
    }
  });
});

it('needs no sign-in where there is no token, and offers none', async () => {
  const site = adminServer({ token: undefined });
  const response = await site.request('/');
  expect(response.status).toBe(200);
  expect(await response.text()).not.toContain('Sign out');
  expect((await site.post('/sign-in', { name: 'grace', token: '' })).status).toBe(404);
  const { id } = (await site.service.create({}, { user: 'ada' })).session;
  await site.post('/end', { id });
  expect(site.audit).toMatchObject([{ by: 'console on loopback' }]);
});
