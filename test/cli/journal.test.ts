import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SessionService } from '../../src/index.ts';
import { RedisJournal, RedisSessionRepository } from '../../src/redis.ts';
import { Browser } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { until } from '../support/until.ts';

const HOSTILE = 'ada\u001b[2J\r\nroot\u009b31m\u202e<b>';
const ORDERS = /[^\P{Cc}\n]|\p{Cf}/u;
const KEY = 'session:demo:journal:ada';

describeWithServers('the journal, from a server to the command line', { timeout: 60_000 }, () => {
  let redis: RedisServer;
  let client: Redis;
  const servers: SojournProcess[] = [];

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    client = new Redis(redis.url);
  });
  beforeEach(async () => {
    await client.flushall();
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  async function serve(args: readonly string[] = [], url = redis.url) {
    const server = new SojournProcess([
      '--port',
      '0',
      '--admin-port',
      '0',
      '--redis-url',
      url,
      ...args,
    ]);
    servers.push(server);
    return { server, url: await server.url() };
  }

  async function login(url: string, username = 'ada', form: Record<string, string> = {}) {
    const browser = new Browser(url);
    const response = await browser.post('/login', { username, ...form });
    expect(response.status).toBe(200);
    const { session_id: id } = (await response.json()) as { session_id: string };
    return { browser, id };
  }

  function sojourn(command: string, ...args: string[]) {
    const env = { REDIS_URL: redis.url, SESSION_PREFIX: 'session:demo:' };
    return runSojourn([command, ...args], env);
  }

  /** What the command tells of a user, newest first. */
  async function journal(...args: string[]): Promise<Record<string, unknown>[]> {
    const { code, stdout, stderr } = await sojourn('journal', '--json', ...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
  }

  /** The entry is written beside the request, so it may come a little later than the answer. */
  async function endOf(id: string): Promise<Record<string, unknown> | undefined> {
    let found: Record<string, unknown> | undefined;
    await until('the journal tells of the end', async () => {
      const entries = await journal('--user', 'ada', '--limit', '200');
      found = entries.find(({ event, sessionId }) => event === 'ended' && sessionId === id);
      return found !== undefined && found.why !== 'expired';
    });
    return found;
  }

  it('tells of every end why and by whom, and of each start where', async () => {
    const { url } = await serve();
    const devicesPage = await login(url);
    const [logout, replaced, one] = [await login(url), await login(url), await login(url)];

    await logout.browser.post('/logout');
    expect(await endOf(logout.id)).toMatchObject({ why: 'logout', by: 'user' });

    await replaced.browser.post('/login', { username: 'ada' });
    expect(await endOf(replaced.id)).toMatchObject({ why: 'logout', by: 'user' });

    await devicesPage.browser.post('/sessions/end', { id: one.id });
    const byUser = { why: 'revoked', by: 'user', everywhere: false };
    expect(await endOf(one.id)).toMatchObject(byUser);

    await devicesPage.browser.post('/logout-everywhere');
    expect(await endOf(devicesPage.id)).toMatchObject({ ...byUser, everywhere: true });

    const [byId, byName, oneOfAll] = [await login(url), await login(url), await login(url)];
    expect((await sojourn('end', byId.id, '--operator', 'eve')).code).toBe(0);
    expect(await endOf(byId.id)).toMatchObject({ why: 'revoked', by: 'cli eve' });
    const sudo = { REDIS_URL: redis.url, SESSION_PREFIX: 'session:demo:', SUDO_USER: 'bob' };
    await runSojourn(['end', byName.id], { ...sudo, USER: 'root' });
    expect(await endOf(byName.id)).toMatchObject({ by: 'cli bob' });
    await sojourn('end', '--all', '--yes', '--operator', 'carl');
    expect(await endOf(oneOfAll.id)).toMatchObject({ why: 'revoked', by: 'cli carl' });

    const oldest = await login(url);
    for (let i = 0; i < 50; i += 1) await login(url);
    expect(await endOf(oldest.id)).toMatchObject({ why: 'evicted', by: 'policy' });
    await sojourn('end', '--user', 'ada', '--operator', 'dora');
    const [last] = await journal('--user', 'ada', '--limit', '1');
    expect(last).toMatchObject({ why: 'revoked', by: 'cli dora', everywhere: true });

    const shortLived = await login(url, 'ada', { ttl: '1' });
    await until('it ran out', async () => {
      const [newest] = await journal('--user', 'ada', '--limit', '1');
      return newest?.why === 'expired' && newest.sessionId === shortLived.id;
    });
    const ranOut = { event: 'ended', why: 'expired', by: 'store', device: null, requestId: null };
    expect((await journal('--user', 'ada', '--limit', '1'))[0]).toMatchObject(ranOut);

    const { token, id } = await reusedToken(client);
    expect(token).toBeDefined();
    expect(await journal('--user', 'ada', '--limit', '4')).toMatchObject([
      { event: 'ended', sessionId: id, why: 'reused', by: 'policy' },
      { event: 'reused', sessionId: id, why: null },
      { event: 'rotated', sessionId: id, why: null },
      { event: 'started', sessionId: id, device: { label: 'Phone', address: '192.0.2.1' } },
    ]);
  });

  it('names the request as the log does, and no token', async () => {
    const { server, url } = await serve(['--log-level', 'info']);
    const browser = new Browser(url);
    const response = await browser.post('/login', { username: 'ada' });
    const requestId = response.headers.get('X-Request-Id');
    await until('it is there', async () => (await client.exists(KEY)) === 1);
    expect(await journal('--user', 'ada')).toMatchObject([{ event: 'started', requestId }]);
    expect(server.stderr).toContain(`"requestId":"${requestId}"`);
    const secret = /sid=[\w-]{22}\.([\w-]{43})/.exec(response.headers.get('Set-Cookie') ?? '')?.[1];
    expect(secret).toBeDefined();
    expect(JSON.stringify(await client.xrange(KEY, '-', '+'))).not.toContain(secret);
    expect(await client.pttl(KEY)).toBeGreaterThan(29 * 24 * 3600 * 1000);
  });

  it('is a table for people, in which one look finds why she was logged out', async () => {
    const { url } = await serve();
    const { browser, id } = await login(url);
    await browser.post('/logout-everywhere');
    await endOf(id);
    const { stdout } = await sojourn('journal', '--user', 'ada');
    const [head, ended, started] = stdout.trimEnd().split('\n');
    expect(head).toMatch(/^TIME +EVENT +WHY +BY +SESSION +REQUEST +DEVICE$/);
    expect(ended).toMatch(
      new RegExp(`^\\d{4}-\\d\\d-\\d\\d [\\d:]{8} +ended +revoked, everywhere +user +${id} +\\S+`),
    );
    expect(started).toMatch(new RegExp(` started +- +- +${id} `));
  });

  it('answers what happened since then', async () => {
    const { url } = await serve();
    const { id } = await login(url);
    await sojourn('end', id);
    await endOf(id);
    const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
    for (const [since, entries] of [
      ['1h', 2],
      ['2020-01-01', 2],
      ['2020-01-01 14:03', 2],
      ['2020-01-01T14:03:05+02:00', 2],
      [tomorrow, 0],
      ['0s', 0],
    ] as const) {
      expect(await journal('--user', 'ada', '--since', since), since).toHaveLength(entries);
    }
  });

  it('is not kept by a server that is told so, and added to by no tool then', async () => {
    const { url } = await serve(['--journal', 'off']);
    const { browser, id } = await login(url);
    const page = await (await browser.request('/', { headers: { Accept: 'text/html' } })).text();
    expect(page).not.toContain('Recent activity');
    await sojourn('end', id);
    expect(await client.keys('*journal*')).toEqual([]);
    expect(await journal('--user', 'ada')).toEqual([]);
  });

  it('is kept for as many days as the server is told', async () => {
    const { url } = await serve(['--journal-days', '2']);
    const { id } = await login(url);
    await until('it is there', async () => (await client.exists(KEY)) === 1);
    const left = await client.pttl(KEY);
    expect(left).toBeGreaterThan(47 * 3600 * 1000);
    expect(left).toBeLessThanOrEqual(48 * 3600 * 1000);
    await client.pexpire(KEY, 1_000_000);
    await sojourn('end', id);
    expect(await client.xlen(KEY)).toBe(2);
    expect(await client.pttl(KEY)).toBeLessThanOrEqual(1_000_000); // the tool knows of no days
  });

  it.each([
    ['in the place of which is another key', 'WRONGTYPE'],
    ['for which the user of Redis has no permission', 'NOPERM'],
    ['whose Redis has no memory left', 'OOM'],
  ])('%s disturbs no session, is counted, and logged once', async (_why, reason) => {
    let of = redis.url;
    if (reason === 'WRONGTYPE') await client.set(KEY, 'mine');
    if (reason === 'NOPERM') {
      await client.call('acl', 'setuser', 'narrow', 'on', '>pw', '~*', '&*', '+@all', '-@stream');
      of = redis.url.replace('//', '//narrow:pw@');
    }
    const { server, url } = await serve([], of);
    const { browser, id } = await login(url);
    if (reason === 'OOM') {
      await browser.post('/rotate');
      await until('it is there', async () => (await client.exists(KEY)) === 1);
      await client.config('SET', 'maxmemory', '1');
    }
    try {
      const touched = await (await browser.request('/session')).json();
      expect(touched).toMatchObject({ authenticated: true, session_id: id });
      const page = await browser.request('/', { headers: { Accept: 'text/html' } });
      expect([page.status, await page.text()]).toEqual([
        200,
        expect.stringContaining('Recent activity'),
      ]);
      await browser.post('/logout');
      const again = await (await browser.request('/session')).json();
      expect(again).toMatchObject({ authenticated: false });
      const admin = await server.adminUrl();
      await until('it is counted', async () =>
        /^sojourn_journal_failures_total [1-9]/m.test(
          await (await fetch(`${admin}/metrics`)).text(),
        ),
      );
      expect(server.stderr.match(/the journal cannot be written/g)).toHaveLength(1);
      expect(server.stderr).toMatch(
        new RegExp(reason === 'NOPERM' ? '"failure":"denied"' : reason),
      );
      if (reason === 'WRONGTYPE') expect(await client.get(KEY)).toBe('mine');
    } finally {
      await client.config('SET', 'maxmemory', '0');
    }
    const env = { REDIS_URL: of, SESSION_PREFIX: 'session:demo:' };
    const { code, stdout, stderr } = await runSojourn(['journal', '--user', 'ada'], env);
    if (reason === 'OOM') expect(code).toBe(0);
    else {
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
      expect(stderr).toMatch(
        /^sojourn: Redis failed: .*(WRONGTYPE|NOPERM|permission|can't run).*\n$/,
      );
    }
    const { id: other } = await login(url);
    const ended = await runSojourn(['end', other], env);
    expect(ended).toMatchObject({ code: 0, stdout: `Ended ${other}.\n` });
    if (reason !== 'OOM') expect(ended.stderr).toContain('the journal could not be written: ');
  });

  it('passes over what a newer version wrote, and what nobody can read', async () => {
    const { session } = await serviceOf(client).create({}, { user: 'ada' });
    await until('it is there', async () => (await client.exists(KEY)) === 1);
    const add = (...fields: string[]) => client.xadd(KEY, '*', ...fields);
    const known = ['at', '1775133296789', 'session', session.id];
    await add(...known, 'event', 'rotated', 'colour', 'green', 'at', '1775133296790');
    await add(...known, 'event', 'merged');
    await add('at', 'noon', 'event', 'started', 'session', session.id);
    await add('at', '1', 'event', 'started', 'session', 'no id');
    for (const at of ['8640000000000001', '-1', '1e3', 'Infinity', '']) {
      await add('at', at, 'event', 'rotated', 'session', session.id);
    }
    await add(...known, 'event', 'rotated', 'ends_at', '9007199254740991');
    await add('colour', 'green');
    await add(...known, 'event', 'ended', 'why', 'boredom', 'by', HOSTILE);
    const entries = await journal('--user', 'ada');
    expect(entries.map(({ event, why, by }) => [event, why, by])).toEqual([
      ['ended', null, HOSTILE],
      ['rotated', null, null],
      ['rotated', null, null],
      ['started', null, null],
    ]);
  });

  it('shows hostile names, operators and devices without obeying them', async () => {
    const app = serviceOf(client);
    const device = { label: HOSTILE, userAgent: HOSTILE, address: HOSTILE };
    const { session } = await app.create({ [HOSTILE]: HOSTILE }, { user: HOSTILE, device });
    await app.create({}, { user: HOSTILE, device });
    await app.journalWritten();
    await sojourn('end', session.id, '--operator', HOSTILE);
    const calls: readonly (readonly [string, ...string[]])[] = [
      ['journal', '--user', HOSTILE],
      ['journal', '--user', HOSTILE, '--json'],
      ['export', '--user', HOSTILE],
      ['ls'],
      ['erase', '--user', HOSTILE],
    ];
    for (const args of calls) {
      const { code, stdout, stderr } = await sojourn(...args);
      expect(code).toBe(0);
      expect(stdout + stderr).not.toMatch(ORDERS);
      expect(stdout).toContain('\\u001b[2J');
    }
    expect(await client.dbsize()).toBe(0);
  });

  it('says that there is more where the default limit has cut it, and only there', async () => {
    const { session } = await serviceOf(client).create({}, { user: 'ada' });
    const add = (event: string) =>
      client.xadd(KEY, '*', 'at', '1775133296789', 'event', event, 'session', session.id);
    await until('it is there', async () => (await client.exists(KEY)) === 1);
    for (let i = 0; i < 99; i += 1) await add('rotated');
    expect(await journal('--user', 'ada')).toHaveLength(100);
    await add('rotated');
    for (const more of [[], ['--json'], ['--since', '2020-01-01']]) {
      const { code, stdout, stderr } = await sojourn('journal', '--user', 'ada', ...more);
      expect(code).toBe(0);
      expect(stdout.trimEnd().split('\n')).toHaveLength(more.includes('--json') ? 100 : 101);
      expect(stderr).toMatch(
        /^sojourn: there are older entries.* 100.*--limit N.*--since TIME.*\n$/,
      );
    }
    expect(await journal('--user', 'ada', '--limit', '100')).toHaveLength(100); // as asked for
    expect(await journal('--user', 'ada', '--limit', '200')).toHaveLength(101);
  });

  it('is a table of a bounded size, whatever others wrote into an entry', async () => {
    const { session } = await serviceOf(client).create({}, { user: 'ada' });
    const add = (...fields: string[]) =>
      client.xadd(KEY, '*', 'at', '1775133296789', 'session', session.id, ...fields);
    const long = '\u{1f36a}'.repeat(1_000_000);
    for (let i = 0; i < 50; i += 1) await add('event', 'rotated');
    await add('event', 'rotated', 'by', long, 'request', long);
    const { code, stdout } = await sojourn('journal', '--user', 'ada');
    expect(code).toBe(0);
    expect(stdout).toContain('\u{1f36a}…');
    expect(stdout.length).toBeLessThan(50_000);
    const [newest] = await journal('--user', 'ada', '--limit', '1');
    expect(newest?.by).toBe(long);
  });

  it('that holds 10 MB is read', async () => {
    const { session } = await serviceOf(client).create({}, { user: 'ada' });
    const pipeline = client.pipeline();
    for (let i = 0; i < 2000; i += 1) {
      const fields = ['at', String(1e12 + i), 'event', 'rotated', 'session', session.id];
      pipeline.xadd(KEY, '*', ...fields, 'by', 'x'.repeat(5000));
    }
    await pipeline.exec();
    expect(await journal('--user', 'ada', '--limit', '100')).toHaveLength(100);
    const { stdout } = await sojourn('export', '--user', 'ada');
    expect(JSON.parse(stdout).journal.length).toBeGreaterThanOrEqual(2000);
    expect((await sojourn('journal', '--user', 'ada')).stdout.split('\n')[1]).toContain('rotated');
    const erased = await sojourn('erase', '--user', 'ada', '--json');
    expect(JSON.parse(erased.stdout)).toMatchObject({ user: 'ada', ended: 1 });
    expect(await client.exists(KEY)).toBe(0);
  });

  describe('all that is kept of a user', () => {
    it('is one JSON object: the sessions with their fields, and the journal', async () => {
      const app = serviceOf(client);
      const { session, token } = await app.create({ cart: '3 books' }, { user: 'ada' });
      const other = await app.create({}, { user: 'ada' });
      await app.create({ secret: 'of eve' }, { user: 'eve' });
      await app.delete(other.token);
      await app.journalWritten();
      const { code, stdout, stderr } = await sojourn('export', '--user', 'ada');
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({
        user: 'ada',
        prefix: 'session:demo:',
        exported_at: expect.any(String),
        sessions: [
          expect.objectContaining({
            ...{ id: session.id, user: 'ada' },
            record: expect.objectContaining({ cart: '3 books', session_user: 'ada' }),
          }),
        ],
        journal: [
          expect.objectContaining({ event: 'ended', why: 'logout' }),
          expect.objectContaining({ event: 'started' }),
          expect.objectContaining({ event: 'started' }),
        ],
      });
      for (const secret of ['of eve', token.split('.')[1]]) expect(stdout).not.toContain(secret);
      expect(stdout).not.toContain('session_secret');
      const nobody = JSON.parse((await sojourn('export', '--user', 'nobody')).stdout);
      expect(nobody).toMatchObject({ sessions: [], journal: [] });
    });

    it('can be erased, and nothing of others is', async () => {
      const app = serviceOf(client);
      const tokens: string[] = [];
      for (let i = 0; i < 3; i += 1) {
        tokens.push((await app.create({}, { user: 'ada' })).token);
      }
      const eve = await app.create({}, { user: 'eve' });
      await app.journalWritten();
      const { code, stdout, stderr } = await sojourn('erase', '--user', 'ada');
      expect(code).toBe(0);
      expect(stdout).toBe('Ended 3 sessions of ada, and removed 6 journal entries.\n');
      expect(stderr.trimEnd().split('\n')).toHaveLength(3); // for the log, as of every end
      for (const token of tokens) expect(await app.peek(token)).toBeUndefined();
      expect(await app.peek(eve.token)).toBeDefined();
      expect((await client.keys('*')).filter((key) => key.includes('ada'))).toEqual([]);
      expect((await sojourn('erase', '--user', 'ada')).stdout).toBe(
        'Ended 0 sessions of ada, and removed 0 journal entries.\n',
      );
    });
  });
});

function serviceOf(client: Redis, policy = {}): SessionService {
  const where = { client, prefix: 'session:demo:' };
  const repository = new RedisSessionRepository(where);
  return new SessionService({ repository, journal: new RedisJournal(where), policy });
}

/** The demo lets a replaced token be; an application may end the session. */
async function reusedToken(client: Redis): Promise<{ token: string; id: string }> {
  const app = serviceOf(client, { endOnReuse: true });
  const device = { label: 'Phone', address: '192.0.2.1' };
  const { token, session } = await app.create({}, { user: 'ada', device });
  await app.rotate(token);
  await app.get(token);
  await app.journalWritten();
  return { token, id: session.id };
}
