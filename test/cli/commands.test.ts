import { readFile } from 'node:fs/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../../src/index.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runShell, runSojourn } from '../support/sojourn-command.ts';
import { until } from '../support/until.ts';

const HOSTILE = 'ada\u001b[2J\r\nroot\u009b31m\u202e';
/** Of half an hour, after the little while that a slow machine takes. */
const LEFT = '(30m|29m \\d+s)';
const NOBODY = 'A'.repeat(22);

describeWithServers('the commands', () => {
  let redis: RedisServer;
  let client: Redis;
  let service: SessionService;

  beforeAll(async () => {
    redis = await startRedisServer({ binary: redisBinary() });
    client = new Redis(redis.url);
    service = serviceAt('session:');
  });
  beforeEach(async () => {
    await client.flushall();
  });
  afterAll(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  function serviceAt(prefix: string): SessionService {
    return new SessionService({ repository: new RedisSessionRepository({ client, prefix }) });
  }

  function sojourn(...args: string[]) {
    return runSojourn(args, { REDIS_URL: redis.url });
  }

  /** What a command prints for people, line by line. */
  async function lines(...args: string[]): Promise<string[]> {
    const { code, stdout, stderr } = await sojourn(...args);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    return stdout.trimEnd().split('\n');
  }

  /** What it prints for programs. */
  async function json(...args: string[]): Promise<Record<string, unknown>[]> {
    const printed = await lines(...args, '--json');
    return printed.filter((line) => line !== '').map((line) => JSON.parse(line));
  }

  describe('ls', () => {
    it('lists the sessions of a prefix, and nothing else', async () => {
      const ada = await service.create({}, { user: 'ada' });
      const nobody = await service.create();
      await serviceAt('session:shop:').create({}, { user: 'eve' });
      await client.hset(`session:${NOBODY}`, 'no', 'session');
      await client.set(`session:${'B'.repeat(21)}A`, 'no hash');
      const [head, ...rows] = await lines('ls');
      expect(head).toMatch(/^ID {22}LEFT {5}IDLE {5}AGE {6}DEVICE {18}USER$/);
      expect(rows).toHaveLength(2);
      expect(rows).toContainEqual(
        expect.stringMatching(new RegExp(`^${ada.session.id}  ${LEFT} +\\d+s +\\d+s +- +ada$`)),
      );
      expect(rows).toContainEqual(
        expect.stringMatching(new RegExp(`^${nobody.session.id}  ${LEFT} +\\d+s +\\d+s +- +-$`)),
      );
    });

    it('reads the settings of the server, and no others', async () => {
      const { session } = await serviceAt('session:shop:').create({}, { user: 'eve' });
      const env = {
        ...{ REDIS_HOST: redis.host, REDIS_PORT: String(redis.port), SESSION_TTL: 'nonsense' },
        SESSION_PREFIX: 'session:shop:',
      };
      const { code, stdout } = await runSojourn(['ls', '--json'], env);
      expect(code).toBe(0);
      expect(JSON.parse(stdout)).toMatchObject({ key: `session:shop:${session.id}`, user: 'eve' });
      expect((await runSojourn(['ls', '--prefix', 'other:', '--json'], env)).stdout).toBe('');
    });

    it('prints an object a line for programs, always of one shape and without a secret', async () => {
      const device = { label: 'Firefox', userAgent: 'Mozilla', address: '192.0.2.1' };
      const full = await service.create({ cart: 'x' }, { user: 'ada', device, persistent: true });
      expect(await json('ls')).toEqual([
        {
          id: full.session.id,
          key: `session:${full.session.id}`,
          user: 'ada',
          created_at: full.session.createdAt,
          last_accessed_at: full.session.lastAccessedAt,
          authenticated_at: full.session.authenticatedAt,
          configured_ttl: 2_592_000,
          ttl: expect.closeTo(2_592_000, -2),
          ends_at: new Date(full.session.endsAt ?? 0).toISOString(),
          persistent: true,
          device: { label: 'Firefox', user_agent: 'Mozilla', address: '192.0.2.1' },
        },
      ]);
      await client.flushall();
      await service.create();
      const [bare] = await json('ls');
      expect(bare).toMatchObject({
        ...{ user: null, authenticated_at: null, persistent: false },
        device: { label: null, user_agent: null, address: null },
      });
    });

    it("lists a user's sessions, the oldest first, and as many as are asked for", async () => {
      const ids: string[] = [];
      for (const label of ['laptop', 'phone', 'fridge']) {
        ids.push((await service.create({}, { user: 'ada', device: { label } })).session.id);
      }
      await service.create({}, { user: 'eve' });
      const [, ...rows] = await lines('ls', '--user', 'ada');
      expect(rows.map((row) => row.slice(0, 22))).toEqual(ids);
      expect(rows[1]).toMatch(/ phone +ada$/);
      expect(await json('ls', '--user', 'ada', '--limit', '2')).toMatchObject(
        ids.slice(0, 2).map((id) => ({ id })),
      );
      expect(await json('ls', '--limit', '3')).toHaveLength(3);
      expect(await json('ls', '--user', 'nobody')).toEqual([]);
    });

    it('lists those that meet every filter', async () => {
      let now = Date.now() - 3 * 3600 * 1000;
      const repository = new RedisSessionRepository({ client });
      const past = new SessionService({ repository, clock: { now: () => now } });
      const start = async (label: string, userAgent: string, address: string) => {
        const device = { label, userAgent, address };
        return past.create({}, { user: 'ada', ttl: 86_400, device });
      };
      const laptop = await start('Firefox on Linux', 'Mozilla Firefox/130', '192.0.2.7');
      const phone = await start('Chrome on Android', 'Pixel 8', '2001:db8::7');
      now += 2 * 3600 * 1000;
      await past.get(phone.token);
      const tv = await start('TV', '', 'living room');
      const names = new Map([
        [laptop.session.id, 'laptop'],
        [phone.session.id, 'phone'],
        [tv.session.id, 'tv'],
      ]);
      const found = async (...args: string[]) =>
        (await json('ls', ...args)).map(({ id }) => names.get(id as never)).toSorted();
      expect(await found('--older-than', '2h')).toEqual(['laptop', 'phone']);
      expect(await found('--older-than', '1d')).toEqual([]);
      expect(await found('--idle', '120m')).toEqual(['laptop']);
      expect(await found('--idle', '1')).toEqual(['laptop', 'phone', 'tv']);
      expect(await found('--address', '192.0.2.7')).toEqual(['laptop']);
      expect(await found('--address', '192.0.2.0/24')).toEqual(['laptop']);
      expect(await found('--address', '2001:DB8:0::/48')).toEqual(['phone']);
      expect(await found('--address', '2001::/16')).toEqual(['phone']);
      expect(await found('--address', '198.51.100.0/24')).toEqual([]);
      expect(await found('--address', 'living room')).toEqual(['tv']);
      expect(await found('--device', 'FIREFOX')).toEqual(['laptop']);
      expect(await found('--device', 'pixel')).toEqual(['phone']);
      expect(await found('--device', 'on', '--older-than', '2h', '--idle', '2h')).toEqual([
        'laptop',
      ]);
      expect(await found('--user', 'ada', '--device', 'tv', '--limit', '1')).toEqual(['tv']);
      const [, ...rows] = await lines('ls', '--device', 'Chrome on Android');
      expect(rows).toEqual([expect.stringMatching(/ Chrome on Android {7}ada$/)]);
    });

    it('finds every one of many, once, and ends quietly when nobody reads on', async () => {
      const created = Array.from({ length: 3000 }, (_, i) =>
        service.create({}, { user: `user ${i}` }),
      );
      const ids = (await Promise.all(created)).map(({ session }) => session.id).sort();
      expect((await json('ls')).map(({ id }) => id).sort()).toEqual(ids);
      const { stdout, stderr } = await runShell('{ sojourn ls; echo "code $?" >&2; } | head -n 1', {
        REDIS_URL: redis.url,
      });
      expect(stdout).toMatch(/^ID .*\n$/);
      expect(stderr).toBe('code 0\n');
    });
  });

  describe('inspect', () => {
    it('shows what Redis holds but for the hashes, the ttl, and what to type to see it', async () => {
      const { token, session } = await service.create({ cart: 'three books' }, { user: 'ada' });
      await service.rotate(token, { grace: 60 });
      const { session_secret, session_previous_secret, session_previous_until, ...record } =
        await client.hgetall(`session:${session.id}`);
      const [shown] = await json('inspect', session.id);
      expect(shown).toMatchObject({ id: session.id, user: 'ada', configured_ttl: 1800, record });
      expect(shown?.record).toEqual(record);
      const all = (await lines('inspect', session.id)).join('\n');
      for (const [name, value] of Object.entries(record)) {
        expect(all).toMatch(new RegExp(`^${name} +${value.replaceAll('+', '\\+')}$`, 'm'));
      }
      expect(all).toMatch(new RegExp(`^session:${session.id}\nTTL 1[78]\\d\\d\n`));
      for (const hash of [session_secret, session_previous_secret]) {
        expect(hash).toMatch(/^[\w-]{43}$/);
        expect(all + JSON.stringify(shown)).not.toContain(hash);
      }
      const typed = all.split('\n').filter((line) => line.startsWith('redis-cli '));
      expect(typed).toEqual(shown?.commands);
      const cli = `redis-cli -h 127.0.0.1 -p ${redis.port}`;
      expect(typed).toEqual([
        `${cli} HGETALL session:${session.id}`,
        `${cli} PTTL session:${session.id}`,
      ]);
      expect(await client.ttl(`session:${session.id}`)).toBeLessThanOrEqual(1800);
    });

    it('shows a session that somebody broke, and says that it is none and how to remove it', async () => {
      const { token, session } = await service.create({ cart: 'x' }, { user: 'ada' });
      const key = `session:${session.id}`;
      const secret = (await client.hget(key, 'session_secret')) ?? '';
      for (const ttl of ['nan', '-5', '1e3']) {
        await client.hset(key, 'session_ttl', ttl);
        const { code, stdout, stderr } = await sojourn('inspect', session.id);
        expect(code).toBe(3);
        expect(stdout).toMatch(new RegExp(`^session_ttl +${ttl}$`, 'm'));
        expect(stdout).toMatch(/^cart +x$/m);
        expect(stderr).toContain(`${key} is not a valid session`);
        expect(stdout + stderr).not.toContain(secret);
      }
      const printed = await sojourn('inspect', session.id, '--json');
      expect(JSON.parse(printed.stdout)).toMatchObject({ key, record: { session_ttl: '1e3' } });
      expect(await lines('ls')).toHaveLength(1); // its head
      expect((await sojourn('end', session.id)).stdout).toBe(`Ended ${session.id}.\n`);
      expect(await client.exists(key)).toBe(0);
      expect(await service.get(token)).toBeUndefined();
    });

    it('takes the id as it is, with a dash in front, or as the whole key', async () => {
      const { session } = await service.create();
      const dashed = `-${'A'.repeat(21)}`;
      await client.rename(`session:${session.id}`, `session:${dashed}`);
      for (const given of [dashed, `session:${dashed}`]) {
        expect(await json('inspect', given)).toMatchObject([{ id: dashed }]);
      }
      expect((await lines('inspect', '--', dashed))[0]).toBe(`session:${dashed}`);
    });

    it('writes a line for the shell whatever the prefix, and none with a password', async () => {
      const { session } = await serviceAt("it's $HOME:").create();
      await client.call('acl', 'setuser', 'ops', 'on', '>open-sesame', '~*', '+@all');
      const url = `redis://ops:open-sesame@127.0.0.1:${redis.port}/0`;
      const args = ['inspect', session.id, '--prefix', "it's $HOME:", '--redis-url', url];
      const { code, stdout } = await runSojourn(args);
      expect(code).toBe(0);
      expect(stdout).not.toContain('open-sesame');
      expect(stdout).toContain(
        `-p ${redis.port} --user ops --askpass PTTL 'it'\\''s $HOME:${session.id}'`,
      );
    });

    it('prints commands that the documented rights are sufficient for', async () => {
      const { session } = await service.create({ cart: 'x' });
      const [, rights = ''] =
        /^user sojourn (.*)$/m.exec(await readFile('ops/redis/users.acl', 'utf8')) ?? [];
      const withPassword = rights.replace(/#\S+/, '>change-me').split(' ');
      await client.call('acl', 'setuser', 'sojourn', ...withPassword);
      const url = redis.url.replace('//', '//sojourn:change-me@');
      const { code, stdout } = await runSojourn(['inspect', session.id, '--json'], {
        REDIS_URL: url,
      });
      expect(code).toBe(0);
      const narrow = new Redis(url);
      try {
        const answers = JSON.parse(stdout).commands.map((command: string) => {
          const [name = '', key = ''] = command.split(' ').slice(-2);
          return narrow.call(name, key);
        });
        expect(answers).toHaveLength(2);
        await Promise.all(answers);
      } finally {
        narrow.disconnect();
      }
    });
  });

  describe('end', () => {
    /** What it prints, for people or for programs, and which sessions it logs as ended. */
    async function end(...args: string[]) {
      const { code, stdout, stderr } = await sojourn('end', ...args);
      expect(code).toBe(0);
      const logged = stderr
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line));
      for (const { time, sessionId, ...line } of logged) {
        expect(line).toMatchObject({
          ...{ level: 'info', msg: 'session', event: 'ended', why: 'revoked' },
          ...{ user: expect.any(String), by: expect.stringMatching(/^cli ./) },
        });
        expect(Date.parse(time)).toBeCloseTo(Date.now(), -5);
      }
      return { stdout, ended: logged.map(({ sessionId }) => sessionId).toSorted() };
    }

    it('ends one session, for its browser and in the list of its user', async () => {
      const { token, session } = await service.create({}, { user: 'ada' });
      const other = await service.create({}, { user: 'ada' });
      expect(await end(session.id)).toEqual({
        stdout: `Ended ${session.id}.\n`,
        ended: [session.id],
      });
      expect(await service.get(token)).toBeUndefined();
      expect(await client.zrange('session:user:ada', 0, -1)).toEqual([other.session.id]);
      const { stdout } = await end(other.session.id, '--json');
      expect(JSON.parse(stdout)).toEqual({ id: other.session.id, user: null, ended: 1 });
      expect(await client.dbsize()).toBe(0);
    });

    it("ends all of a user's, says how many, and logs which", async () => {
      const ada = await Promise.all([1, 2, 3].map(() => service.create({}, { user: 'ada' })));
      const eve = await service.create({}, { user: 'eve' });
      const { stdout, ended } = await end('--user', 'ada', '--json');
      expect(JSON.parse(stdout)).toEqual({ id: null, user: 'ada', ended: 3 });
      expect(ended).toEqual(ada.map(({ session }) => session.id).toSorted());
      expect(await end('--user', 'ada')).toEqual({
        stdout: 'Ended 0 sessions of ada.\n',
        ended: [],
      });
      expect((await end('--user', 'eve')).stdout).toBe('Ended 1 session of eve.\n');
      expect(await service.get(eve.token)).toBeUndefined();
    });
  });

  describe('end --all', () => {
    it('ends every session of the prefix, and no other key', async () => {
      const created = await Promise.all(
        Array.from({ length: 250 }, (_, i) => service.create({}, { user: `user ${i % 7}` })),
      );
      await service.create();
      const other = await serviceAt('shop:').create({}, { user: 'ada' });
      await client.set('session:mine', '1');
      const { code, stdout, stderr } = await sojourn('end', '--all', '--yes');
      expect({ code, stdout }).toEqual({ code: 0, stdout: 'Ended 251 sessions.\n' });
      expect(stderr.trimEnd().split('\n')).toHaveLength(251);
      for (const { token } of created.slice(0, 5))
        expect(await service.peek(token)).toBe(undefined);
      expect(await serviceAt('shop:').peek(other.token)).toBeDefined();
      expect((await client.keys('session:*')).toSorted()).toEqual(['session:mine']);
      const again = await sojourn('end', '--all', '--yes', '--json', '--prefix', 'shop:');
      expect(JSON.parse(again.stdout)).toEqual({ id: null, user: null, prefix: 'shop:', ended: 1 });
    });

    it('ends nothing where nobody can be asked', async () => {
      await service.create();
      const { code, stderr } = await sojourn('end', '--all');
      expect([code, stderr]).toEqual([
        2,
        'sojourn: end --all needs --yes if there is no terminal to ask on\n',
      ]);
      expect(await lines('ls')).toHaveLength(2);
    });

    it('says what has ended where Redis fails on the way, and goes on when it is said again', async () => {
      await Promise.all(Array.from({ length: 300 }, () => service.create()));
      await client.call('acl', 'setuser', 'tool', 'on', '>pw', '~*', '&*', '+@all');
      const url = redis.url.replace('//', '//tool:pw@');
      const ending = runSojourn(['end', '--all', '--yes'], { REDIS_URL: url });
      await until('some have ended', async () => (await client.dbsize()) < 300);
      await client.call('acl', 'setuser', 'tool', '-evalsha', '-eval');
      const { code, stderr } = await ending;
      expect(code).toBe(1);
      const [, ended = ''] =
        /and (\d+) sessions? (?:has|have) ended, others may have ended too/.exec(stderr) ?? [];
      expect(await client.dbsize()).toBe(300 - Number(ended));
      const rest = await sojourn('end', '--all', '--yes', '--json');
      expect(JSON.parse(rest.stdout)).toMatchObject({ ended: 300 - Number(ended) });
    });
  });

  it.each(['inspect', 'end'])('%s exits 3 where there is no such session', async (command) => {
    const { code, stdout, stderr } = await sojourn(command, NOBODY);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toBe(`sojourn: no session session:${NOBODY}\n`);
  });

  describe('where the prefix holds nothing', () => {
    const elsewhere =
      'no session has the prefix session:; there are sessions with --prefix session:demo:, shop:';

    beforeEach(async () => {
      // What looks like a session of another prefix and is none.
      await client.hset(`profile:${NOBODY}`, 'name', 'ada');
      await client.set(`lock:${NOBODY}`, '1');
    });

    it.each([
      [['ls'], 1],
      [['ls', '--json'], 1],
      [['ls', '--user', 'ada'], 1],
      [['ls', '--idle', '1h'], 1],
      [['stats'], 1],
      [['stats', '--json'], 1],
      [['journal', '--user', 'ada'], 1],
      [['export', '--user', 'ada'], 1],
      [['erase', '--user', 'ada'], 1],
      [['end', '--user', 'ada'], 1],
      [['end', '--all', '--yes'], 1],
      [['inspect', NOBODY], 3],
      [['end', NOBODY], 3],
    ])('%j names the prefixes that do hold sessions, on stderr, and fails', async (args, exit) => {
      for (const prefix of ['session:demo:', 'shop:']) {
        await serviceAt(prefix).create({}, { user: 'ada' });
      }
      const { code, stderr } = await sojourn(...args);
      expect(code).toBe(exit);
      const asked = exit === 3 ? `no session session:${NOBODY}: ` : '';
      expect(stderr).toBe(`sojourn: ${asked}${elsewhere}\n`);
    });

    it('names none where there are none, and none beside sessions of its own', async () => {
      expect((await sojourn('ls')).stderr).toBe('');
      await serviceAt('shop:').create();
      await service.create({}, { user: 'eve' });
      expect((await sojourn('ls', '--user', 'ada')).stderr).toBe('');
      expect((await sojourn('inspect', NOBODY)).stderr).toBe(
        `sojourn: no session session:${NOBODY}\n`,
      );
    });

    it('says that there may be more prefixes than it names', async () => {
      const prefixes = Array.from({ length: 11 }, (_, i) => `app-${i}:`);
      for (const prefix of prefixes) await serviceAt(prefix).create();
      const { code, stderr } = await sojourn('ls');
      expect(code).toBe(1);
      expect(stderr).toMatch(
        /^sojourn: no session was found with the prefix session:; there are sessions with --prefix (app-\d+:, ){10}and perhaps others: only about 100,000 of all keys were looked at\n$/,
      );
      expect((await sojourn('ls', '--prefix', 'app-10:')).stderr).toBe('');
    });

    it.each([
      [['ls'], 0, ''],
      [['journal', '--user', 'ada'], 0, ''],
      [['inspect', NOBODY], 3, `no session session:${NOBODY}: `],
    ])('%j says that it has not looked at every key', async (args, exit, asked) => {
      const fill = `for i = 1, 150000 do redis.call('SET', 'page:' .. i, '') end`;
      await client.eval(fill, 0);
      const { code, stderr } = await sojourn(...args);
      expect(code).toBe(exit);
      expect(stderr).toBe(
        `sojourn: ${asked}no sessions were found under other prefixes; only about 100,000 of all keys were looked at\n`,
      );
    });

    it('says nothing of what the user of Redis may not read', async () => {
      await serviceAt('shop:').create();
      await client.call('acl', 'setuser', 'narrow', 'on', '>pw', '~session:*', '+@all');
      const url = redis.url.replace('//', '//narrow:pw@');
      expect(await runSojourn(['ls', '--json'], { REDIS_URL: url })).toEqual({
        ...{ code: 0, stdout: '', stderr: '' },
      });
      await client.call('acl', 'setuser', 'narrow', '-scan');
      expect(await runSojourn(['end', NOBODY], { REDIS_URL: url })).toMatchObject({
        ...{ code: 3, stderr: `sojourn: no session session:${NOBODY}\n` },
      });
    });
  });

  it('tells which prefix the key has that it was given as an ID', async () => {
    const { code, stderr } = await sojourn('inspect', `session:demo:${NOBODY}`);
    expect([code, stderr]).toEqual([
      2,
      'sojourn: ID is a key with another prefix: add --prefix session:demo:\n',
    ]);
  });

  it.each([
    [['ls'], 'Redis failed: '],
    [
      ['end', NOBODY],
      'Redis failed, and the sessions may or may not have ended: run the command again. ',
    ],
    [
      ['end', '--user', 'ada'],
      'Redis failed, and the sessions may or may not have ended: run the command again. ',
    ],
  ])('%j exits 1 with one line where Redis stops answering', async (args, said) => {
    await service.create({}, { user: 'ada' });
    await client.call('CLIENT', 'PAUSE', '60000', 'WRITE'); // connections are accepted, scripts wait
    try {
      const { code, stderr } = await sojourn(...args, '--timeout', '500');
      expect(code).toBe(1);
      expect(stderr).toBe(`sojourn: ${said}Command timed out\n`);
    } finally {
      await client.call('CLIENT', 'UNPAUSE');
    }
  });

  it('shows hostile names and values without obeying them', async () => {
    const { session } = await service.create(
      { [HOSTILE]: HOSTILE },
      { user: HOSTILE, device: { label: HOSTILE } },
    );
    const calls = [
      ['ls'],
      ['ls', '--user', HOSTILE],
      ['inspect', session.id],
      ['stats'],
      ['journal', '--user', HOSTILE],
      ['export', '--user', HOSTILE],
      ['end', '--user', HOSTILE],
      ['erase', '--user', HOSTILE],
    ];
    const orders = /[^\P{Cc}\n]|\p{Cf}/u;
    for (const args of calls) {
      const { stdout } = await sojourn(...args);
      expect(stdout).not.toMatch(orders);
      if (!['stats', 'journal', 'export'].includes(args[0] ?? ''))
        expect(stdout).toContain('ada\\u001b[2J\\u000d\\u000aroot\\u009b31m');
    }
    await service.create({}, { user: HOSTILE });
    const { stdout } = await sojourn('ls', '--json');
    expect(stdout).not.toMatch(orders);
    expect(JSON.parse(stdout)).toMatchObject({ user: HOSTILE });
  });

  it('survives fields that hold anything', async () => {
    const { session } = await service.create({}, { user: 'ada' });
    await client.hset(`session:${session.id}`, {
      created_at: 'yesterday',
      last_accessed_at: '',
      session_deadline: String(Number.MAX_SAFE_INTEGER), // no Date goes so far
    });
    expect((await lines('ls'))[1]).toMatch(/ \? +\? +- +ada$/);
    expect(await json('inspect', session.id)).toMatchObject([{ ends_at: null }]);
    expect(await json('stats')).toMatchObject([{ sample: { sessions: 1, age: null, idle: null } }]);
  });

  describe('stats', () => {
    it('counts sessions and users, and describes a sample', async () => {
      for (let i = 0; i < 4; i += 1) await service.create({}, { user: i < 3 ? 'ada' : 'eve' });
      await service.create({}, { ttl: 60, persistent: true });
      await serviceAt('session:shop:').create({}, { user: 'mallory' });
      const [stats] = await json('stats');
      const same = (seconds: number) =>
        Object.fromEntries(
          ['min', 'p25', 'p50', 'p75', 'max'].map((name) => [name, expect.closeTo(seconds, -2)]),
        );
      expect(stats).toEqual({
        prefix: 'session:',
        sessions: 5,
        users: 2,
        sample: {
          sessions: 5,
          with_user: 4,
          persistent: 1,
          ttl: { ...same(1800), min: expect.closeTo(60, -2) },
          idle: same(0),
          age: same(0),
          configured_ttl: { ...same(1800), min: 60 },
        },
        servers: [
          {
            server: `127.0.0.1:${redis.port}`,
            version: expect.stringMatching(/^(redis|valkey) \d+\.\d+/),
            role: 'master',
            uptime: expect.any(Number),
            replicas: 0,
            used_memory: expect.any(Number),
            maxmemory: 0,
            maxmemory_policy: 'noeviction',
            evicted_keys: 0,
          },
        ],
        warnings: [],
      });
      expect(await json('stats', '--sample', '2')).toMatchObject([
        { sessions: 5, sample: { sessions: 2 } },
      ]);
    });

    it('says the same to people, also where there is nothing', async () => {
      expect((await lines('stats'))[1]).toMatch(/^session: +0 +0$/);
      await service.create({}, { user: 'ada' });
      const shown = (await lines('stats')).join('\n');
      expect(shown).toMatch(/^session: +1 +1$/m);
      expect(shown).toMatch(/^1 +1 \(100%\) +0 \(0%\)$/m);
      expect(shown).toMatch(/^idle timeout +30m +30m +30m +30m +30m$/m);
      expect(shown).toMatch(/^127\.0\.0\.1:\d+ .* none +noeviction +0$/m);
      expect(shown).not.toContain('WARNING');
    });

    it('warns first of all where Redis may end sessions at random, and where it has', async () => {
      await client.config('SET', 'maxmemory', '100mb');
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      try {
        const [first] = await lines('stats');
        expect(first).toMatch(/^WARNING 127\.0\.0\.1:\d+: .* allkeys-lru and must be noeviction$/);
        expect(await json('stats')).toMatchObject([{ warnings: [{ code: 'evictable' }] }]);
        await client.set('filler', 'x'.repeat(1000));
        await client.config('SET', 'maxmemory', '1');
        await client.set('more', 'x').catch(() => {});
        const [stats] = await json('stats');
        expect(stats?.warnings).toMatchObject([
          { code: 'evictable' },
          { code: 'evicted' },
          { code: 'memory' },
        ]);
      } finally {
        await client.config('SET', 'maxmemory', '0');
        await client.config('SET', 'maxmemory-policy', 'noeviction');
        await client.config('RESETSTAT');
      }
    });
  });
});
