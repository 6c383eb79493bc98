import { describe, expect, it, vi } from 'vitest';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import { createDemoApp, type DemoOptions } from '../../src/http/demo/demo-app.ts';
import { SessionService } from '../../src/index.ts';
import { MemoryJournal, MemorySessionRepository } from '../../src/memory.ts';

const html = { Accept: 'text/html' };
const redis = {
  kind: 'redis',
  label: 'Redis at h:1',
  prefix: 's:',
  cli: 'redis-cli -p 1',
} as const;

/** The demo as browsers without JavaScript see it, on a store that can be away and a clock that the test moves. */
function site({ journal = true, ...options }: Partial<DemoOptions> = {}) {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const memory = new MemorySessionRepository(clock);
  const store: { away: 'refused' | 'unknown' | undefined } = { away: undefined };
  const repository = new Proxy(memory, {
    get(real, name) {
      const member: unknown = Reflect.get(real, name, real);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) =>
        store.away
          ? Promise.reject(new StoreUnavailableError(store.away))
          : member.apply(real, args);
    },
  });
  const service = new SessionService({
    ...{ repository, clock, journal: journal ? new MemoryJournal({ clock }) : undefined },
    policy: { maxSessions: 3 },
  });
  const app = createDemoApp({
    ...{ service, store: redis, journal, now: clock.now, secureCookie: false, assets: {} },
    ready: () => Promise.resolve(),
    ...options,
  });
  function browser() {
    let cookie: string | undefined;
    let page = '';
    const ask = async (path: string, init: RequestInit = {}): Promise<string> => {
      const headers = { ...html, ...(cookie && { Cookie: cookie }) };
      const response = await app.request(path, { ...init, headers });
      const [set] = response.headers.getSetCookie();
      if (set) cookie = set.includes('Max-Age=0') ? undefined : set.split(';')[0];
      const location = response.headers.get('Location');
      if (location) return ask(location);
      page = await response.text();
      return page;
    };
    return {
      ask,
      post: (path: string, form: Record<string, string> = {}) =>
        ask(path, { method: 'POST', body: new URLSearchParams(form) }),
      get cookie() {
        return cookie;
      },
      set cookie(value) {
        cookie = value;
      },
    };
  }
  const elapse = (seconds: number) => {
    now += seconds * 1000;
  };
  return { app, service, store, browser, elapse };
}

function text(page: string): string {
  return page.replace(/<[^>]*>/g, ' ').replace(/\s+/g, ' ');
}

function inputValue(page: string, id: string): string | undefined {
  return new RegExp(`<input id="${id}"[^>]* value="([^"]*)"`).exec(page)?.[1];
}

function doneIn(page: string): string[] {
  return [...page.matchAll(/data-step="(\w+)" class="done"/g)].map(([, step]) => step ?? '');
}

describe('a session that is over', () => {
  it('is told as expired, with its name, its ttl and what Redis answers', async () => {
    const { browser, elapse } = site();
    const ada = browser();
    await ada.post('/login', { username: 'Ada', ttl: '5' });
    const id = ada.cookie?.slice(4, 26);
    elapse(5);
    const page = await ada.ask('/');
    expect(text(page)).toContain('Session expired It was not used for its idle timeout of 5 s.');
    expect([inputValue(page, 'username'), inputValue(page, 'login-ttl')]).toEqual(['Ada', '5']);
    expect(text(page)).toContain(`redis-cli -p 1 HGETALL s: ${id} `);
    expect(page).toContain('(empty array)');
    expect(text(page)).toMatch(/TTL s: \S+ Copy .* \(integer\) -2/);
    expect(text(page)).toContain('POST /login'); // what it did is still there to be read
  });

  it.each([true, false])('says why, as far as that can be known (journal: %s)', async (journal) => {
    const { browser, elapse, service } = site({ journal });
    const [ada, phone, third] = [browser(), browser(), browser()];
    const login = (who: typeof ada) => who.post('/login', { username: 'Ada', ttl: '60' });
    const titleOf = async (who: typeof ada) =>
      /<h2 id="session-heading"[^>]*>(.*?)<\/h2>(<p id="cause">(.*?)<\/p>)?/s.exec(
        await who.ask('/'),
      );

    await login(ada);
    await login(phone);
    await phone.post('/sessions/end', { id: ada.cookie?.slice(4, 26) ?? '' });
    expect((await titleOf(ada))?.[3]).toBe('It was ended from another browser.');

    await login(ada);
    await service.end(ada.cookie?.slice(4, 26) ?? '', { by: 'cli eve' });
    expect((await titleOf(ada))?.[3]).toBe(
      journal ? 'An operator ended it.' : 'It was ended from another browser.',
    );

    await login(third);
    await third.post('/logout-everywhere');
    if (journal) expect((await titleOf(phone))?.[1]).toBe('Logged out everywhere');

    await login(ada);
    elapse(60);
    expect((await titleOf(ada))?.[1]).toBe('Session expired');
  });

  it('is told to whoever logged out, without a cookie, and to nobody else', async () => {
    const { browser, app } = site();
    const ada = browser();
    await ada.post('/login', { username: 'Ada' });
    const id = ada.cookie?.slice(4, 26) ?? '';
    const page = await ada.post('/logout');
    expect(ada.cookie).toBeUndefined();
    expect(text(page)).toContain('Logged out You ended it in this browser.');
    expect(inputValue(page, 'username')).toBe('Ada');
    expect(text(page)).toContain('POST /logout');
    for (const guess of [id, '', 'x'.repeat(43), '__proto__']) {
      const other = await (await app.request(`/?left=${guess}`)).text();
      expect(other).not.toContain('Ada');
      expect(text(other)).toContain('You have none yet');
    }
  });

  it('is not told as logged out after a logout that failed', async () => {
    const { browser, store, elapse } = site();
    const ada = browser();
    await ada.post('/login', { username: 'Ada', ttl: '60' });
    const end = vi.spyOn(MemorySessionRepository.prototype, 'delete');
    end.mockRejectedValueOnce(new StoreUnavailableError('refused'));
    await ada.post('/logout');
    expect(end).toHaveBeenCalled();
    end.mockRestore();
    expect(store.away).toBeUndefined();
    elapse(60);
    expect(text(await ada.ask('/'))).toContain('Session expired');
  });

  it('is told to each who left, apart', async () => {
    const { app, browser } = site();
    const leave = async (username: string) => {
      const person = browser();
      await person.post('/login', { username });
      const headers = { ...html, Cookie: person.cookie ?? '' };
      const response = await app.request('/logout', { method: 'POST', headers });
      return response.headers.get('Location') ?? '';
    };
    const [ada, eve] = [await leave('Ada'), await leave('Eve')];
    expect(ada).not.toBe(eve);
    expect(inputValue(await (await app.request(ada)).text(), 'username')).toBe('Ada');
    expect(inputValue(await (await app.request(eve)).text(), 'username')).toBe('Eve');
  });

  it('shows what it did to nobody who knows no more than its id', async () => {
    const { browser } = site();
    const [ada, eve] = [browser(), browser()];
    await ada.post('/login', { username: 'Ada Secret' });
    eve.cookie = `${ada.cookie?.slice(0, 27)}${'A'.repeat(43)}`;
    const page = await eve.ask('/');
    expect(text(page)).toContain('Session expired or ended');
    expect(page).not.toContain('Ada Secret');
    expect(page).not.toContain('(empty array)'); // it is there, under another secret
  });

  it('claims no end of a session that another secret opens', async () => {
    const { browser, elapse } = site();
    const [ada, copy] = [browser(), browser()];
    await ada.post('/login', { username: 'Ada' });
    copy.cookie = ada.cookie;
    await copy.ask('/');
    await ada.post('/rotate');
    elapse(11);
    const page = await copy.ask('/');
    expect(text(page)).toContain('Another secret opens this session');
    expect(page).not.toContain('(empty array)');
  });
});

describe('while the store is away', () => {
  it.each([
    ['refused', '“Add a page view” was not done.'],
    ['unknown', '“Add a page view” got no answer in time, so it may have been done or not.'],
  ] as const)('a form says what became of it, and can be sent again: %s', async (away, words) => {
    const { browser, store } = site();
    const ada = browser();
    await ada.post('/login', { username: 'Ada' });
    store.away = away;
    const page = await ada.post('/increment');
    expect(text(page)).toContain(words);
    expect(page).toContain('<form method="post" action="./increment">');
    store.away = undefined;
    expect(text(await ada.post('/increment'))).toContain('2 page views');
  });

  it('repeats what was typed, from wherever the form was sent', async () => {
    const { browser, store } = site();
    const ada = browser();
    store.away = 'unknown';
    const login = await ada.post('/login', { username: '"><b>', ttl: '7' });
    expect(login).toContain('<input type="hidden" name="username" value="&quot;&gt;&lt;b&gt;"/>');
    expect(login).toContain('<input type="hidden" name="ttl" value="7"/>');
    expect(text(login)).toContain('You have no session, and lose nothing by waiting.');
    store.away = undefined;
    await ada.post('/login', { username: 'Ada' });
    store.away = 'unknown';
    const deep = await ada.post('/sessions/end', { id: 'x' });
    expect(deep).toContain('action="../sessions/end"');
    expect(deep).toContain('href="../assets/demo.css"');
    expect(deep).toContain('<a class="button" href="../">');
  });

  it('claims nothing of what it holds, and is not shown as answering', async () => {
    const { browser, store } = site();
    const ada = browser();
    expect(await ada.ask('/')).toContain('class="badge unasked"'); // nobody has asked it yet
    await ada.post('/login', { username: 'Ada' });
    expect(await ada.ask('/')).toContain('class="badge answers"');
    store.away = 'unknown';
    const page = await ada.ask('/');
    expect(page).toContain('class="badge away"');
    expect(text(page)).toContain('so nothing is said here of what it holds');
    expect(page).not.toMatch(/No key|costs Redis nothing|No cookie yet/);
  });
});

describe('a form that is refused', () => {
  it.each([
    ['/login', 'login-ttl', { ttl: '1e3' }, 'TTL must be a whole number greater than 0.'],
    ['/login', 'login-ttl', { ttl: '2592001' }, 'TTL must be at most 2592000 seconds.'],
    ['/login', 'username', { username: 'x'.repeat(65) }, 'The name must be at most 64'],
    ['/ttl', 'ttl', { ttl: '٣' }, 'TTL must be a whole number greater than 0.'],
  ] as const)('marks its field and says why beside it: %s %s %j', async (path, id, form, why) => {
    const { browser } = site();
    const ada = browser();
    if (path === '/ttl') await ada.post('/login');
    const page = await ada.post(path, form);
    const input = new RegExp(`<input id="${id}"[^>]*>`).exec(page)?.[0];
    expect(input).toContain('aria-invalid="true"');
    expect(input).toMatch(new RegExp(`aria-describedby="${id}-error`));
    expect(page).toContain(`<p class="error" id="${id}-error">${why}`);
    expect(page.match(/aria-invalid/g)).toHaveLength(1);
  });
});

describe('the steps', () => {
  it('tick themselves off without a script, and outlast the session that ran out', async () => {
    const { browser, elapse } = site();
    const [ada, second] = [browser(), browser()];
    expect(doneIn(await ada.ask('/'))).toEqual([]);
    expect(doneIn(await ada.post('/login', { username: 'Ada', ttl: '5' }))).toEqual(['start']);
    expect(doneIn(await ada.post('/touch'))).toEqual(['start', 'use']);
    elapse(5);
    expect(doneIn(await ada.ask('/'))).toEqual(['start', 'use', 'expire']);
    await second.post('/login', { username: 'Ada' });
    const all = ['start', 'use', 'expire', 'second'];
    expect(doneIn(await ada.post('/login', { username: 'Ada' }))).toEqual(all);
    expect(doneIn(await ada.post('/logout-everywhere'))).toEqual([...all, 'everywhere']);
  });

  it('do not send anybody to a Redis that is not there', async () => {
    const { browser } = site({ store: { kind: 'memory', label: 'embedded', prefix: 's:' } });
    const ada = browser();
    for (const page of [await ada.ask('/'), await ada.post('/login'), await ada.post('/logout')]) {
      expect(text(page)).not.toMatch(/Redis|redis-cli|EVAL/);
    }
  });
});

describe('what crossed', () => {
  it('is listed newest first, with the commands, round trips and time of each', async () => {
    let asked = 0;
    const { browser } = site({
      trace: {
        async during(work) {
          asked += 1;
          const cost = { commands: [`COMMAND ${asked}`], roundTrips: asked, waitedMs: asked };
          return { answer: await work(), cost };
        },
      },
    });
    const ada = browser();
    await ada.post('/login');
    await ada.ask('/'); // a look is not listed
    await ada.post('/ttl', { ttl: '60' });
    const page = await ada.post('/rotate'); // nor is it forgotten when the secret changes
    const log = /<ol data-part="log">(.*?)<\/ol>/s.exec(page)?.[1] ?? '';
    expect(text(log).trim()).toBe(
      '12:34:56 POST /rotate 3 round trips 3.0 ms COMMAND 3 ' +
        '12:34:56 POST /ttl 2 round trips 2.0 ms COMMAND 2 ' +
        '12:34:56 POST /login 1 round trip 1.0 ms COMMAND 1',
    );
  });
});

describe('the hash', () => {
  it('begins with the fields of the application, and explains each of its own', async () => {
    const { browser } = site();
    const page = await browser().post('/login', { username: 'Ada' });
    const fields = [...page.matchAll(/<td data-field="(\w+)">/g)].map(([, name]) => name);
    expect(fields.slice(0, 2)).toEqual(['username', 'page_views']);
    const rows = page.match(/<tbody class="reserved">(.*?)<\/tbody>/s)?.[1] ?? '';
    const explained = rows.match(/<\/code><span class="hint">[^<]+<\/span>/g);
    expect(explained).toHaveLength(fields.length - 2);
    expect(text(page)).toContain('1775738096000 2026-04-09 12:34:56 UTC');
  });
});

describe('below a path', () => {
  const below = { basePath: '/a/demo' };

  it('answers what a proxy passes on, and what it has taken the path away from', async () => {
    const { app } = site(below);
    for (const path of ['/a/demo/', '/a/demo/session', '/', '/session', '/a/demo/healthz']) {
      expect((await app.request(path)).status).toBe(200);
    }
    for (const path of ['/a/', '/a/demox/', '/demo/', '/a/demo/a/demo/']) {
      expect((await app.request(path)).status).toBe(404);
    }
    const bare = await app.request('/a/demo');
    expect([bare.status, bare.headers.get('Location')]).toEqual([301, 'demo/']);
  });

  it('leads back below it, and links by relative paths', async () => {
    const { app } = site(below);
    const login = await app.request('/a/demo/login', { method: 'POST', headers: html });
    expect([login.status, login.headers.get('Location')]).toEqual([303, '/a/demo/']);
    expect(login.headers.get('Set-Cookie')).toContain('; Path=/;');
    const refused = await app.request('/a/demo/ttl', { method: 'POST', headers: html });
    expect(refused.headers.get('Location')).toBe('/a/demo/?notice=ttl');
    const page = await (await app.request('/a/demo/', { headers: html })).text();
    expect(page).not.toMatch(/(?:href|src|action)="(?!\.\/)/);
  });
});
