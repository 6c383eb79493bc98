import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Browser } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { freePort } from '../support/nginx.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

/** The default user is off; somebody has to look. */
const ADMIN = 'user admin on nopass ~* &* +@all\n';

/** The settings of a file, each with what it says. */
const settingsOf = (text: string) =>
  text.split('\n').flatMap((line) => {
    const [, name = '', value = ''] = /^([a-z][\w-]*) +(.*)$/.exec(line) ?? [];
    return name === '' ? [] : [[name, value] as const];
  });

describeWithServers('Redis as configured in ops', () => {
  const closing: (() => Promise<unknown>)[] = [];
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sojourn-redis-conf-'));
    for (const name of ['redis.conf', 'replicated.conf', 'users.acl']) {
      const text = (await read('ops', 'redis', name)).replaceAll('/etc/redis/', `${folder}/`);
      await writeFile(join(folder, name), name === 'users.acl' ? text + ADMIN : text);
    }
  });
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close();
    await rm(folder, { recursive: true });
  });

  async function start(file: string, ...more: string[]): Promise<RedisServer> {
    const port = await freePort();
    const args = ['--include', join(folder, file), '--port', String(port), ...more];
    const server = await startRedisServer({ binary: redisBinary(), args, proposePort: () => port });
    closing.push(() => server.stop());
    return server;
  }

  function admin(port: number): Redis {
    const client = new Redis({ port, username: 'admin', password: 'any', lazyConnect: true });
    client.on('error', () => {}); // whoever asks hears of it
    closing.push(async () => client.disconnect());
    return client;
  }

  it.each(['redis.conf', 'replicated.conf'])('has what %s says', async (file) => {
    const redis = admin((await start(file)).port);
    const settings = settingsOf(await readFile(join(folder, file), 'utf8'));
    expect(settings.length).toBeGreaterThan(3);
    for (const [name, value] of settings) {
      if (name === 'port' || name === 'include') continue; // the test takes a free one
      const [, held] = (await redis.config('GET', name)) as [string, string];
      const said = value.replace(/^""$/, '').replace(/^(\d+)gb$/, (_, n) => String(n * 2 ** 30));
      const sorted = (text: string) => [...text].sort().join(''); // the order of event letters is Redis' own
      expect([name, sorted(held)]).toEqual([name, sorted(said)]);
    }
    for (const [name, value] of [
      ['maxmemory-policy', 'noeviction'],
      ['appendonly', 'yes'],
      ['min-replicas-to-write', file === 'redis.conf' ? '0' : '1'],
    ] as const) {
      expect(await redis.config('GET', name)).toEqual([name, value]);
    }
  });

  it('lets Sojourn do all its work as the user of users.acl, and nobody else in', async () => {
    const { port, url } = await start('redis.conf');
    const redis = admin(port);
    const server = new SojournProcess(['--port', '0', '--redis-port', String(port)], {
      REDIS_USERNAME: 'sojourn',
      REDIS_PASSWORD: 'change-me',
    });
    closing.push(() => server.stop());
    const browser = new Browser(await server.url());
    for (const path of ['/login', '/increment', '/rotate', '/logout-everywhere']) {
      expect([path, (await browser.post(path)).status]).toEqual([path, 200]);
    }
    await browser.post('/login', { ttl: '1' });
    expect(await redis.call('ACL', 'LOG')).toEqual([]);
    expect(server.stderr).toBe('');
    const nobody = new Redis(url, { lazyConnect: true });
    nobody.on('error', () => {});
    await expect(nobody.ping()).rejects.toThrow('NOAUTH');
    nobody.disconnect();
  });

  it('refuses writes while no replica follows, and takes them once one does', async () => {
    const primary = await start('replicated.conf');
    const redis = admin(primary.port);
    await expect(redis.set('session:x', '1', 'EX', 10)).rejects.toThrow('NOREPLICAS');
    const follow = ['--replicaof', `${primary.host} ${primary.port}`];
    const access = ['--masteruser', 'admin', '--masterauth', 'any'];
    const replica = admin((await start('replicated.conf', ...follow, ...access)).port);
    await until('a replica follows', async () => {
      const info = await replica.info();
      // Until it has written its first file a Redis refuses to stop.
      return [
        'master_link_status:up',
        'aof_rewrite_in_progress:0',
        'aof_rewrite_scheduled:0',
      ].every((it) => info.includes(it));
    });
    await until(
      'it is heard of',
      async () => (await redis.set('session:x', '1', 'EX', 10)) === 'OK',
    );
  });

  it('starts by the command of the compose file, with the password of the secret', async () => {
    const { services } = parse(await read('ops', 'docker', 'compose.yml'), { merge: true });
    const [shell, flag, script] = services.redis.command;
    expect([shell, flag]).toEqual(['sh', '-c']);
    const port = await freePort();
    await writeFile(join(folder, 'redis-password'), 'of-the-secret');
    const here = script
      .replaceAll('$$', '$') // as compose reads it
      .replaceAll('/run/secrets', folder)
      .replaceAll('/etc/redis', folder)
      .replaceAll('/tmp/users.acl', join(folder, 'made.acl'))
      .replace('--bind 0.0.0.0 --dir /data', `--bind 127.0.0.1 --dir ${folder} --port ${port}`)
      .replace('exec redis-server', `exec ${redisBinary()}`);
    const server = spawn('sh', ['-c', here], { stdio: 'ignore' });
    closing.push(async () => {
      const exited = once(server, 'exit');
      server.kill();
      await exited;
    });
    const redis = new Redis({ port, username: 'sojourn', password: 'of-the-secret' });
    redis.on('error', () => {}); // not up yet
    closing.push(async () => redis.disconnect());
    await until('it lets the user in', async () => (await redis.ping()) === 'PONG');
    const old = new Redis({ port, username: 'sojourn', password: 'change-me', lazyConnect: true });
    old.on('error', () => {});
    await expect(old.ping()).rejects.toThrow();
    old.disconnect();
  });
});

it('the user of users.acl has the rights that the documentation lists, and no others', async () => {
  const document = await read('docs', 'operations.md');
  const chapter =
    document.split('## A user with no more rights than needed')[1]?.split('\n## ')[0] ?? '';
  const [block = ''] = /ACL SETUSER [^`]*/.exec(chapter) ?? [];
  const rows = ['scanSessions', 'shareCount', 'durably', 'watchExpiry', 'RedisJournal'].map(
    (name) => new RegExp(`^\\| .*\`${name}\`.*$`, 'm').exec(chapter)?.[0] ?? '',
  );
  const rights = (text: string) => new Set(text.match(/(?:[+&~][\w@*:|]+|-@all)/g));
  const user = (await read('ops', 'redis', 'users.acl')).split('\n')[1] ?? '';
  expect(rights(user)).toEqual(rights([block, ...rows].join(' ')));
});
