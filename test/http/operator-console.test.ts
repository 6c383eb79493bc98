import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import { endAll, type OperatorAct, operatorConsole, RecentFigures } from '../../src/admin.ts';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import type { SessionId } from '../../src/domain/session-token.ts';
import type { ConsoleJournalEntry, OperatorConsoleOptions } from '../../src/http/admin/options.ts';
import { SessionService } from '../../src/index.ts';
import { MemorySessionRepository } from '../../src/memory.ts';

const BIDI = '\u202e';
const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  `ada${BIDI}nimda`,
  '\u001b]0;owned\u0007',
  'a\nb\r\nc\rd',
  ' ada ',
  '&lt;b&gt;',
  '../../etc/passwd?x=1&y=2#z%00%',
  'Zoë 🦊 \u0645\u0631\u062d\u0628\u0627',
  'x'.repeat(256),
];

/** The console on the in-memory store, under /admin of an application whose guard asks for a header. */
function consoleOf(options: Partial<OperatorConsoleOptions> = {}) {
  const repository = new MemorySessionRepository();
  const figures = new RecentFigures({ countSessions: () => repository.count() });
  const service = new SessionService({ repository, observer: figures });
  const audit: OperatorAct[] = [];
  const errors: unknown[] = [];
  const app = new Hono();
  app.route(
    '/admin',
    operatorConsole({
      service,
      repository,
      figures,
      operator: (c) => c.req.header('X-Operator'),
      audit: (act) => audit.push(act),
      store: { label: 'embedded store', prefix: 'session:' },
      async *endAll() {
        yield* endAll(service, pages(repository.ids()));
      },
      onError: (error) => errors.push(error),
      ...options,
    }),
  );
  const request = (path: string, init: RequestInit = {}) => {
    const headers = new Headers({ 'X-Operator': 'grace', Host: 'localhost' });
    for (const [name, value] of new Headers(init.headers)) headers.set(name, value);
    return app.request(`/admin${path}`, { ...init, headers });
  };
  return {
    ...{ app, repository, service, figures, audit, errors, request },
    get: async (path: string) => {
      const response = await request(path);
      return { status: response.status, text: await response.text() };
    },
    post: (path: string, form: Record<string, string> = {}, headers: Record<string, string> = {}) =>
      request(path, { method: 'POST', body: new URLSearchParams(form), headers }),
  };
}

async function* pages<T>(...all: T[]) {
  yield* all;
}

async function sessionOf(service: SessionService, user: string, data = {}) {
  const { token, session } = await service.create(data, {
    user,
    device: { label: 'Firefox on Linux' },
  });
  return { token, id: session.id };
}

describe('who may', () => {
  const paths = ['', '/', '/user?name=ada', '/session?id=x', '/find?q=ada', '/no'];

  it.each(paths)('looks at %j only as an operator', async (path) => {
    const { app, service } = consoleOf();
    await sessionOf(service, 'ada');
    const response = await app.request(`/admin${path}`);
    expect(response.status).toBe(403);
    expect(await response.text()).not.toContain('embedded store');
  });

  it.each([
    ['/end', 'end session'],
    ['/end-user', 'end user'],
    ['/end-all', 'end all'],
    ['/values', 'show values'],
  ])(
    'does %s only as an operator, from a page of this site, and notes what it refused one',
    async (path, did) => {
      const { app, post, service, repository, audit } = consoleOf();
      const { id } = await sessionOf(service, 'ada', { color: 'green' });
      const form = { id, user: 'ada', confirmation: 'session:' };
      const stranger = await app.request(`/admin${path}`, {
        method: 'POST',
        body: new URLSearchParams(form),
      });
      expect(stranger.status).toBe(403);
      for (const headers of [
        { 'Sec-Fetch-Site': 'cross-site' },
        { 'Sec-Fetch-Site': 'same-site' },
        { Origin: 'http://evil.example' },
        { Origin: 'null' },
      ]) {
        const crossSite = await post(path, form, headers);
        expect(crossSite.status).toBe(403);
        expect(await crossSite.text()).not.toContain('green');
      }
      expect(await repository.count()).toBe(1);
      const reason = expect.stringContaining('Cross-site request refused');
      const refused = { by: 'console grace', did, outcome: 'refused', reason };
      expect(audit).toEqual([refused, refused, refused, refused]);
    },
  );

  it('says which setting of the program allows a form that came through a proxy, and none for other sites', async () => {
    const { post, audit } = consoleOf();
    await post(
      '/end-user',
      { user: 'ada' },
      {
        Origin: 'https://console.example',
        'X-Forwarded-Host': 'console.example',
        'X-Forwarded-Proto': 'https',
      },
    );
    await post('/end-user', { user: 'ada' }, { Origin: 'https://evil.example' });
    const [proxied, foreign] = audit.map(({ reason }) => reason);
    expect(proxied).toContain('--trust-proxy (TRUST_PROXY)');
    expect(foreign).toContain('from its own pages only');
    expect(foreign).not.toMatch(/trustedOrigins|trustProxy/);
  });

  it('is asked anew for each request, and may be found out slowly', async () => {
    const { get } = consoleOf({ operator: async () => 'slow' });
    expect((await get('/')).text).toContain('slow');
  });
});

describe('the pages', () => {
  it('carry headers that let no script in and keep them out of caches and frames', async () => {
    const { request } = consoleOf();
    for (const path of ['/', '/user?name=ada', '/no', '/session?id=x']) {
      const { headers } = await request(path);
      const policy = headers.get('Content-Security-Policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).not.toContain('unsafe');
      expect(headers.get('Cache-Control')).toBe('no-store');
      expect(headers.get('X-Frame-Options')).toBe('DENY');
      expect(headers.get('Referrer-Policy')).toBe('same-origin');
    }
  });

  it('hold no inline script and no inline style, which the policy would block', async () => {
    const { get, service } = consoleOf();
    const { id } = await sessionOf(service, 'ada', { color: 'green' });
    for (const path of ['/', '/user?name=ada', `/session?id=${id}`, '/no']) {
      const { text } = await get(path);
      expect(text).not.toMatch(/<style|<[^>]* style=|<[^>]* on\w+=/);
      expect(text.match(/<script[^>]*>/g)).toEqual([
        expect.stringMatching(/^<script type="module" src="(\.\.?\/)+console\.js">$/),
      ]);
    }
  });

  it('link to each other by relative paths, so that they can be mounted anywhere', async () => {
    const { request, get } = consoleOf();
    const bare = await request('?hours=1');
    expect([bare.status, bare.headers.get('Location')]).toEqual([302, './admin/?hours=1']);
    const { status, text } = await get('/?hours=1');
    expect(status).toBe(200);
    expect(text).toContain('href="./console.css"');
    expect(text).not.toMatch(/(?:href|action|src)="\//);
    const deep = await get('/a/b/c');
    expect(deep.status).toBe(404);
    expect(deep.text).toContain('href="./../../console.css"');
    expect((await request('/console.css')).headers.get('Content-Type')).toMatch(/^text\/css/);
  });

  it('draw what was seen, with a title, a sentence and a table for each chart', async () => {
    const { get, service, figures } = consoleOf();
    await sessionOf(service, 'ada');
    const { token } = await sessionOf(service, 'ada');
    await service.delete(token);
    await figures.sample();
    const { text } = await get('/?hours=1');
    const charts = text.match(/<svg.*?<\/svg>/gs) ?? [];
    expect(charts.length).toBe(5);
    for (const chart of charts) {
      expect(chart).toMatch(/role="img" aria-labelledby="(\w+)-title \1-desc"/);
      expect(chart).toMatch(/<title id="\w+-title">[^<]+<\/title><desc id="\w+-desc">[^<]+\./);
    }
    expect(text).toContain('logins: 2 in all.');
    expect(text).toContain('logged out: 1 in all.');
    expect(text).toContain('sessions: last 1, from 1 to 1.');
    expect(text.match(/<table>/g)).toHaveLength(charts.length);
  });

  it('are there without charts, without a journal, and without a way to end all', async () => {
    const repository = new MemorySessionRepository();
    const service = new SessionService({ repository });
    const app = operatorConsole({ service, repository, operator: () => 'ada', audit: () => {} });
    const { id } = await sessionOf(service, 'ada');
    const first = await (await app.request('/')).text();
    expect(first).not.toContain('<svg');
    expect(first).not.toContain('End all');
    expect((await app.request('/end-all', { method: 'POST' })).status).toBe(404);
    for (const path of ['/user?name=ada', `/session?id=${id}`]) {
      expect(await (await app.request(path)).text()).not.toContain('Journal');
    }
  });
});

describe('finding', () => {
  const id = 'AAAAAAAAAAAAAAAAAAAAAA';

  it.each([
    ['ada', './user?name=ada'],
    [' ada ', './user?name=ada'],
    [id, `./session?id=${id}`],
    [`session:${id}`, `./session?id=${id}`],
    ['', './'],
    ['   ', './'],
    ['a&b=c#d', './user?name=a%26b%3Dc%23d'],
  ])('%j leads to %s', async (text, target) => {
    const { request } = consoleOf();
    const response = await request(`/find?${new URLSearchParams({ q: text })}`);
    expect([response.status, response.headers.get('Location')]).toEqual([303, target]);
  });

  it('takes of a token that somebody pasted the id alone', async () => {
    const { request, service } = consoleOf();
    const session = await sessionOf(service, 'ada');
    const { token } = session;
    for (const text of [
      token,
      `session:${token}`,
      `sid=${token}`,
      `Cookie: a=b; __Host-sid=${token}; c=d`,
      `sid%3D${token.replace('.', '%2E')}`,
      `{"token":"${token}"}`,
      `Bearer ${token}`,
      `it says ${token}`,
    ]) {
      const response = await request(`/find?${new URLSearchParams({ q: text })}`);
      expect(response.headers.get('Location')).toBe(`./session?id=${session.id}`);
      expect(await response.text()).not.toContain(token.split('.')[1]);
    }
  });

  it.each([id, 'V1StGXR8_Z5jdHi6B-myTA'])(
    'leads to a user whose name looks like an id: %s',
    async (user) => {
      const { request, get, service } = consoleOf();
      await sessionOf(service, user);
      const found = (await request(`/find?q=${user}`)).headers.get('Location') ?? '';
      const { status, text } = await get(found.slice(1));
      expect(status).toBe(404);
      const [, href = ''] = /href="\.(\/user[^"]*)"/.exec(text) ?? [];
      expect((await get(href)).text).toContain('1 alive');
    },
  );

  it('takes nothing of what only looks like a token', async () => {
    const response = await consoleOf().request(`/find?q=s:${'x'.repeat(32)}.${'y'.repeat(43)}`);
    expect(response.headers.get('Location')).toBe('./session?id=');
  });
});

describe('a user', () => {
  it.each(HOSTILE)('is shown harmlessly and ended exactly, by whatever name: %j', async (user) => {
    const { get, post, service, audit } = consoleOf();
    await sessionOf(service, user);
    await sessionOf(service, 'bystander');
    const { status, text } = await get(`/user?${new URLSearchParams({ name: user })}`);
    expect(status).toBe(200);
    expect(text).toContain('1 alive');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is the point
    expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202a-\u202e\u2066-\u2069]/);
    expect(text).not.toMatch(/<img|<script>/);
    const [, hidden = ''] = /name="user" value="([^"]*)"/.exec(text) ?? [];
    const ended = await post('/end-user', { user: asBrowsersSend(hidden) });
    expect(ended.status).toBe(303);
    expect(await service.list(user)).toEqual([]);
    expect(await service.list('bystander')).toHaveLength(1);
    expect(audit).toEqual([
      { by: 'console grace', did: 'end user', user, ended: 1, outcome: 'done' },
    ]);
    const after = await get(`/${(ended.headers.get('Location') ?? '').slice(2)}`);
    expect(after.text).toContain('1 session ended.');
  });

  it('has sessions page by page, oldest first, and none is left out', async () => {
    const { get, service } = consoleOf();
    const ids: string[] = [];
    for (let i = 0; i < 120; i++) ids.push((await sessionOf(service, 'ada')).id);
    const seen: string[] = [];
    let path = '/user?name=ada';
    for (let page = 0; page < 3; page++) {
      const { text } = await get(path);
      seen.push(...[...text.matchAll(/session\?id=([\w-]{22})/g)].map(([, id = '']) => id));
      const next = /href="\.(\/user[^"]*)">Next page/.exec(text)?.[1];
      if (page === 2) expect(next).toBeUndefined();
      path = (next ?? '').replaceAll('&amp;', '&');
    }
    expect(seen).toEqual(ids);
  });

  it.each(['', '\ud800', 'x'.repeat(5000)])('that can be none is refused: %j', async (name) => {
    const { request, errors } = consoleOf();
    const { status } = await request(`/user?name=${encodeURIComponent(name.toWellFormed())}`);
    expect(status).toBe(name === '\ud800' ? 200 : 400);
    expect(errors).toEqual([]);
  });

  it('with a page that is none is refused', async () => {
    const { get } = consoleOf();
    expect((await get('/user?name=ada&after=x')).status).toBe(400);
  });

  it('has a journal, newest first, whatever stands in it', async () => {
    const sessionId = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;
    const entries: ConsoleJournalEntry[] = [
      {
        at: 1_775_131_380_000,
        event: 'ended',
        sessionId,
        why: 'logout',
        by: 'user',
        requestId: 'r-7',
      },
      {
        at: 1_775_131_370_000,
        event: 'ended',
        sessionId,
        why: 'revoked',
        by: `console ${BIDI}<b>`,
      },
      { at: 1_775_131_360_000, event: 'ended', sessionId, why: 'a new reason' },
      { at: Number.NaN, event: 'rotated', sessionId },
      { at: 1e300, event: 'reused', sessionId },
      {
        at: 0,
        event: 'started',
        sessionId,
        device: { label: '<img src=x>', address: '\u001b[2J' },
      },
    ];
    const { get } = consoleOf({ journal: async () => entries });
    const { status, text } = await get('/user?name=ada');
    expect(status).toBe(200);
    expect(text).toContain('2026-04-02 12:03:00 UTC');
    expect(text.indexOf('Logged out')).toBeLessThan(text.indexOf('Revoked'));
    expect(text).toContain('Ended: a new reason');
    expect(text).toContain('&lt;img src=x&gt;');
    expect(text).not.toMatch(/<img|<b>/);
    expect(text).toContain('r-7');
  });

  it('has a page of the journal, however much a journal answers', async () => {
    const sessionId = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;
    const long = 'x'.repeat(100_000);
    const entry = { at: 0, event: 'started', sessionId, by: long, requestId: long } as const;
    const { get } = consoleOf({
      journal: async () =>
        new Array(1000).fill({ ...entry, device: { label: long, address: long } }),
    });
    const { text } = await get('/user?name=ada');
    expect(text.length).toBeLessThan(200_000);
    expect(text).toContain('There are older entries');
    expect(text).toMatch(/sojourn journal [^<]*--limit 1000/);
  });

  it.each([
    [100, 'None of the latest entries of this user is about this session.', true],
    [99, 'The journal has no entries for these sessions.', false],
  ])('with %i entries of other sessions says of one: %s', async (count, sentence, more) => {
    const sessionId = 'AAAAAAAAAAAAAAAAAAAAAA' as SessionId;
    const entries = new Array(count).fill({ at: 0, event: 'rotated', sessionId });
    const { get, service } = consoleOf({ journal: async () => entries });
    const { id } = await sessionOf(service, 'ada');
    const { text } = await get(`/session?id=${id}`);
    expect(text).toContain(sentence);
    expect(text.includes('There are older entries of this user')).toBe(more);
  });

  it('is shown without the journal where that cannot be read', async () => {
    const { get, service } = consoleOf({
      journal: () =>
        Promise.reject(new StoreUnavailableError('refused', { cause: new Error('NOPERM <b>') })),
    });
    await sessionOf(service, 'ada');
    const { status, text } = await get('/user?name=ada');
    expect(status).toBe(200);
    expect(text).toContain('1 alive');
    expect(text).toContain('The journal cannot be read: NOPERM &lt;b&gt;');
  });
});

describe('a session', () => {
  it('is shown without the values that the application keeps, until somebody asks, who is noted', async () => {
    const { get, post, service, audit } = consoleOf();
    const secret = 'green & <b>';
    const { id, token } = await sessionOf(service, 'ada', { color: secret });
    const { text } = await get(`/session?id=${id}`);
    expect(text).toContain('color');
    expect(text).not.toContain('green');
    expect(audit).toEqual([]);
    const shown = await (await post('/values', { id })).text();
    expect(shown).toContain('green &amp; &lt;b&gt;');
    expect(audit).toEqual([
      { by: 'console grace', did: 'show values', sessionId: id, user: 'ada', outcome: 'done' },
    ]);
    for (const page of [text, shown]) expect(page).not.toContain(token.split('.')[1]);
    expect((await service.peek(token))?.lastAccessedAt).toBeDefined();
  });

  it.each(['1', '999999999', '-1', '', 'x'])(
    'is not said to have ended because a link says so: %j',
    async (ended) => {
      const { get, post, service } = consoleOf();
      const { id } = await sessionOf(service, 'ada');
      await post('/end', { id });
      for (const page of [`/user?name=ada&ended=${ended}`, `/?ended=${ended}`]) {
        expect((await get(page)).text).not.toMatch(/sessions? ended\./);
      }
    },
  );

  it('is ended, which leads back to its user', async () => {
    const { get, post, service, audit } = consoleOf();
    const { id, token } = await sessionOf(service, 'ada');
    const response = await post('/end', { id });
    const [, page = ''] =
      /^\.(\/user\?name=ada&ended=[\w-]{36})$/.exec(response.headers.get('Location') ?? '') ?? [];
    expect(response.status).toBe(303);
    expect((await get(page)).text).toContain('1 session ended.');
    expect(await service.peek(token)).toBeUndefined();
    expect(audit).toEqual([
      { by: 'console grace', did: 'end session', sessionId: id, ended: 1, outcome: 'done' },
    ]);
    expect((await post('/end', { id })).status).toBe(404);
    expect(audit.at(-1)).toMatchObject({ sessionId: id, ended: 0 });
  });

  it.each([
    '',
    'x',
    '<script>',
    '../x',
    'A'.repeat(23),
    `${'A'.repeat(21)}B`,
    '*',
    'A'.repeat(4000),
  ])('that is none is not found: %j', async (id) => {
    const { get, post, errors, audit } = consoleOf();
    const { status, text } = await get(`/session?id=${encodeURIComponent(id)}`);
    expect(status).toBe(404);
    expect(text).not.toContain('<script>');
    expect((await post('/end', { id })).status).toBe(404);
    expect((await post('/values', { id })).status).toBe(404);
    expect([errors, audit]).toEqual([[], []]);
  });
});

describe('ending all', () => {
  it.each([undefined, '', 'session', 'SESSION:', 'session:x'])(
    'is not done for the confirmation %j, which is noted',
    async (confirmation) => {
      const { post, service, repository, audit } = consoleOf();
      await sessionOf(service, 'ada');
      const response = await post('/end-all', confirmation === undefined ? {} : { confirmation });
      expect(response.status).toBe(400);
      expect(await response.text()).toContain('Nothing was ended');
      const refused = { by: 'console grace', did: 'end all', outcome: 'refused' };
      expect(await repository.count()).toBe(1);
      expect(audit).toEqual([{ ...refused, reason: 'wrong confirmation' }]);
    },
  );

  it('answers at once and goes on; how far it is stands on the first page', async () => {
    let goOn = () => {};
    const gate = new Promise<void>((resolve) => {
      goOn = resolve;
    });
    let runs = 0;
    const { get, post, audit } = consoleOf({
      async *endAll() {
        runs += 1;
        yield 100;
        await gate;
        yield 23;
      },
    });
    const begun = { by: 'console grace', did: 'end all', outcome: 'begun' };
    for (const operator of ['grace', 'ada', 'grace']) {
      const form = { confirmation: ' session: ' };
      const response = await post('/end-all', form, { 'X-Operator': operator });
      expect([response.status, response.headers.get('Location')]).toEqual([303, './']);
    }
    const reason = 'already under way, started by console grace';
    const refused = { ...begun, outcome: 'refused', reason };
    const noted = [begun, { ...refused, by: 'console ada' }, refused];
    expect([runs, audit]).toEqual([1, noted]);
    await expect.poll(async () => (await get('/')).text).toContain('100 sessions ended so far');
    goOn();
    await expect.poll(async () => (await get('/')).text).toContain('All sessions were ended: 123');
    expect(audit).toEqual([...noted, { ...begun, outcome: 'done', ended: 123 }]);
  });

  it('says how far it came where the store failed, and can be said again', async () => {
    let runs = 0;
    const { get, post, audit, errors } = consoleOf({
      async *endAll() {
        runs += 1;
        yield 7;
        throw new StoreUnavailableError('unknown', { cause: new Error('connection lost') });
      },
    });
    await post('/end-all', { confirmation: 'session:' });
    await expect.poll(async () => (await get('/')).text).toContain('7 sessions ended');
    expect((await get('/')).text).toContain('Not all sessions were ended');
    expect(audit.at(-1)).toMatchObject({ outcome: 'failed', ended: 7, reason: 'connection lost' });
    await post('/end-all', { confirmation: 'session:' });
    expect([runs, errors]).toEqual([2, []]);
  });
});

describe('a store that is away', () => {
  const away = () =>
    Promise.reject(
      new StoreUnavailableError('refused', {
        failure: 'connection',
        cause: new Error('ECONNREFUSED <b>'),
      }),
    );
  const down = () =>
    consoleOf({
      service: { list: away, end: away, deleteAll: away } as unknown as SessionService,
      repository: { find: away },
      store: { label: 'Redis', prefix: 'session:', ready: away },
    });
  const id = 'AAAAAAAAAAAAAAAAAAAAAA';

  it('is told of on the first page, which still shows what was seen', async () => {
    const { get } = down();
    const { status, text } = await get('/');
    expect(status).toBe(200);
    expect(text).toContain('The store does not answer: ECONNREFUSED &lt;b&gt;');
    expect(text).toContain('<svg');
  });

  it.each(['/user?name=ada', `/session?id=${id}`])('answers 503 to %s', async (path) => {
    const response = await down().request(path);
    expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '1']);
    expect(await response.text()).toContain('Nothing was changed.');
  });

  it.each(['/', '/user?name=ada', '/no'])(
    'answers 503 without a reason to %s where the guard could not tell who asks',
    async (path) => {
      const cause = new Error('connect ECONNREFUSED 10.0.0.5:6379');
      const { request } = consoleOf({
        operator: () => Promise.reject(new StoreUnavailableError('refused', { cause })),
      });
      const response = await request(path);
      expect([response.status, response.headers.get('Retry-After')]).toEqual([503, '1']);
      const text = await response.text();
      expect(text).toContain('The store did not answer.');
      expect(text).not.toMatch(/ECONNREFUSED|10\.0\.0\.5|embedded store/);
    },
  );

  it('fails every act with 503, and each is noted as failed', async () => {
    const { post, audit } = down();
    expect((await post('/end-user', { user: 'ada' })).status).toBe(503);
    expect((await post('/end', { id })).status).toBe(503);
    expect(audit.pop()).toMatchObject({ did: 'end session', sessionId: id, outcome: 'failed' });
    expect(audit).toEqual([
      {
        by: 'console grace',
        did: 'end user',
        user: 'ada',
        outcome: 'failed',
        reason: 'ECONNREFUSED <b>',
      },
    ]);
  });

  it('says how many had ended when it failed half-way', async () => {
    const { post, audit } = consoleOf({
      service: {
        deleteAll: () =>
          Promise.reject(new StoreUnavailableError('unknown', { ended: 300, failure: 'timeout' })),
      } as unknown as SessionService,
    });
    const response = await post('/end-user', { user: 'ada' });
    expect(response.status).toBe(503);
    expect(await response.text()).toContain('300 sessions ended, others may have');
    expect(audit).toMatchObject([{ ended: 300, outcome: 'failed' }]);
  });
});

describe('bad requests', () => {
  it.each([
    ['POST', '/', 'GET, HEAD'],
    ['DELETE', '/user', 'GET, HEAD'],
    ['GET', '/end', 'POST'],
    ['PUT', '/end-all', 'POST'],
    ['POST', '/console.css', 'GET, HEAD'],
  ])('%s %s is 405 and says what is allowed', async (method, path, allow) => {
    const response = await consoleOf().request(path === '/' ? '' : path, { method });
    expect([response.status, response.headers.get('Allow')]).toEqual([405, allow]);
  });

  it.each([
    ['too large', 413, { body: 'x'.repeat(9000), type: 'application/x-www-form-urlencoded' }],
    ['JSON', 415, { body: '{}', type: 'application/json' }],
    ['no UTF-8', 400, { body: 'user=%ff', type: 'application/x-www-form-urlencoded' }],
    ['no encoded name', 400, { body: 'user=%25zz', type: 'application/x-www-form-urlencoded' }],
    ['empty', 400, { body: '', type: 'application/x-www-form-urlencoded' }],
  ])('a form that is %s is %i', async (_name, status, { body, type }) => {
    const { request, errors, audit } = consoleOf();
    const response = await request('/end-user', {
      method: 'POST',
      body,
      headers: { 'Content-Type': type },
    });
    expect(response.status).toBe(status);
    expect([errors, audit.filter(({ outcome }) => outcome === 'done')]).toEqual([[], []]);
  });

  it('an error that nobody foresaw is told to the application alone', async () => {
    const { get, errors } = consoleOf({
      operator: () => {
        throw new Error('hidden words');
      },
    });
    const { status, text } = await get('/');
    expect(status).toBe(500);
    expect(text).not.toContain('hidden words');
    expect(errors).toHaveLength(1);
  });
});

/** What becomes of a value on its way through a form: characters are unescaped, and line ends become CR LF. */
function asBrowsersSend(value: string): string {
  return value
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&')
    .replace(/\r\n|\r|\n/g, '\r\n');
}
