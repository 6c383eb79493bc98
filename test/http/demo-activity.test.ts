import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../src/domain/errors.ts';
import { createDemoApp } from '../../src/http/demo/demo-app.ts';
import { type SessionJournal, SessionService } from '../../src/index.ts';
import { MemoryJournal, MemorySessionRepository } from '../../src/memory.ts';

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0';

function demo(journal: SessionJournal | undefined) {
  const repository = new MemorySessionRepository();
  const service = new SessionService({ repository, journal, onJournalFailure: () => {} });
  const app = createDemoApp({
    service,
    store: { kind: 'memory', label: 'embedded', prefix: 'session:' },
    journal: journal !== undefined,
    ready: () => Promise.resolve(),
    now: Date.now,
    secureCookie: false,
    assets: {},
  });
  return {
    service,
    /** Logs in, and answers what reads the page and the browser's cookie. */
    async login(username: string) {
      const body = new URLSearchParams({ username });
      const headers = { 'User-Agent': FIREFOX };
      const response = await app.request('/login', { method: 'POST', body, headers });
      const cookie = response.headers.getSetCookie()[0]?.split(';')[0] ?? '';
      return {
        post: (path: string, form: Record<string, string> = {}) =>
          app.request(path, {
            ...{ method: 'POST', body: new URLSearchParams(form) },
            headers: { Cookie: cookie },
          }),
        async page() {
          const headers = { Cookie: cookie, Accept: 'text/html' };
          const page = await app.request('/', { headers });
          expect(page.status).toBe(200);
          return page.text();
        },
      };
    },
  };
}

/** What the list says, newest first. */
function activityIn(page: string): string[] {
  const list = /Recent activity<\/h2><\/div><div[^>]*><ul[^>]*>(.*?)<\/ul>/s.exec(page)?.[1] ?? '';
  return [...list.matchAll(/<strong>(.*?)<\/strong><p class="hint">(.*?)</g)].map(
    ([, what, device]) => `${what}: ${device}`,
  );
}

describe('recent activity on the page', () => {
  it('tells what happened to the sessions of that name, and who ended them', async () => {
    const { login, service } = demo(new MemoryJournal());
    const ada = await login('ada');
    const other = await login('ada');
    await login('eve');
    await other.post('/rotate');
    await ada.page();
    await other.post('/logout');
    await login('ada');
    const [, last] = await service.list('ada');
    await ada.post('/sessions/end', { id: last?.id ?? '' });
    await service.end((await service.create({}, { user: 'ada' })).session.id, { by: 'cli eve' });
    expect(activityIn(await ada.page())).toEqual([
      'Ended by an operator: ',
      'Logged in: ',
      'Ended from the list of sessions: Firefox on Linux, ',
      'Logged in: Firefox on Linux, ',
      'Logged out: Firefox on Linux, ',
      'Renewed: Firefox on Linux, ',
      'Logged in: Firefox on Linux, ',
      'Logged in: Firefox on Linux, ',
    ]);
    await ada.post('/logout-everywhere');
    const after = activityIn(await (await login('ada')).page());
    expect(after[1]).toBe('Logged out everywhere: ');
  });

  it('escapes whatever a journal holds', async () => {
    const journal = new MemoryJournal();
    const { login, service } = demo(journal);
    const ada = await login('ada');
    const label = '<script>alert(1)</script>"\u202e';
    const { session } = await service.create({}, { user: 'ada', device: { label } });
    await service.end(session.id, { by: '<img src=x>' });
    const page = await ada.page();
    expect(page).toContain('Logged in</strong><p class="hint">&lt;script&gt;alert(1)');
    expect(page).not.toContain('<script>alert');
    expect(page).not.toContain('<img');
  });

  it('is left out where no journal is kept, and is said to be missing where it cannot be read', async () => {
    expect(await (await demo(undefined).login('ada')).page()).not.toContain('Recent activity');
    const fails = () => Promise.reject(new StoreUnavailableError('refused'));
    const page = await (
      await demo({ append: fails, read: fails, erase: fails }).login('ada')
    ).page();
    expect(page).toContain('It cannot be read now. Your sessions are not affected.');
    expect(page).toContain('Log out everywhere');
  });
});
