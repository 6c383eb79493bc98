import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Browser } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { freePort } from '../support/nginx.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runSojourn } from '../support/sojourn-command.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { until } from '../support/until.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (...path: string[]) => readFile(join(root, ...path), 'utf8');

const FILES = ['redis.conf', 'replicated.conf', 'users.acl'];

/** Copies the files there and sets the passwords, by the commands of the operations guide. */
async function setUp(folder: string): Promise<void> {
  const guide = await read('docs', 'operations.md');
  const commands = /```sh\n(cp ops\/redis\/[^`]*)```/.exec(guide)?.[1] ?? '';
  expect(commands).toContain('/etc/redis');
  const here = commands.replaceAll('/etc/redis', folder);
  await promisify(execFile)('sh', ['-e', '-c', here], { cwd: root });
  for (const name of FILES) {
    const file = join(folder, name);
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('/etc/redis/', `${folder}/`));
  }
}

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
    await setUp(folder);
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

  const passwordOf = async (user: string) =>
    (await readFile(join(folder, `${user}.password`), 'utf8')).trim();

  async function loggedIn(port: number, user: string): Promise<Redis> {
    const password = await passwordOf(user);
    const client = new Redis({ port, username: user, password, enableReadyCheck: false });
    client.on('error', () => {}); // whoever asks hears of it
    closing.push(async () => client.disconnect());
    return client;
  }

  const operator = (port: number) => loggedIn(port, 'operator');

  function startSojourn(redisPort: number): SojournProcess {
    const server = new SojournProcess(['--port', '0', '--redis-port', String(redisPort)], {
      REDIS_USERNAME: 'sojourn',
      REDIS_PASSWORD_FILE: join(folder, 'sojourn.password'),
    });
    closing.push(() => server.stop());
    return server;
  }

  it.each(['redis.conf', 'replicated.conf'])('has what %s says', async (file) => {
    const redis = await operator((await start(file)).port);
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
    const redis = await operator(port);
    const server = startSojourn(port);
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

  it('refuses logins while no replica follows, and takes them once one does', async () => {
    const primary = await start('replicated.conf');
    const redis = await operator(primary.port);
    await expect(redis.set('session:x', '1', 'EX', 10)).rejects.toThrow('NOREPLICAS');
    const browser = new Browser(await startSojourn(primary.port).url());
    expect((await browser.post('/login')).status).toBe(503);
    const follow = ['--replicaof', `${primary.host} ${primary.port}`];
    const replica = await operator((await start('replicated.conf', ...follow)).port);
    await until('a replica follows', async () => {
      const info = await replica.info();
      // Until it has written its first file a Redis refuses to stop.
      return [
        'master_link_status:up',
        'aof_rewrite_in_progress:0',
        'aof_rewrite_scheduled:0',
      ].every((it) => info.includes(it));
    });
    await until('a login works', async () => (await browser.post('/login')).status === 200);
    expect(await redis.call('ACL', 'LOG')).toEqual([]);
  });

  it('lets a replica copy the data and do nothing else', async () => {
    const redis = await loggedIn((await start('replicated.conf')).port, 'replica');
    for (const command of ['GET session:x', 'KEYS *', 'CONFIG GET *', 'ACL LIST', 'INFO']) {
      const [name = '', ...args] = command.split(' ');
      await expect(redis.call(name, ...args), command).rejects.toThrow('NOPERM');
    }
  });

  it('does not start until the passwords are set', async () => {
    await writeFile(join(folder, 'users.acl'), await read('ops', 'redis', 'users.acl'));
    const error = await start('redis.conf').catch(String);
    for (const line of [2, 3, 4]) {
      expect(error).toContain(`users.acl:${line}: The password hash must be exactly 64 characters`);
    }
  });

  it('lets the operator run what the runbook and the guide name', async () => {
    const { port } = await start('redis.conf');
    const redis = await operator(port);
    const [, maxmemory = ''] = (await redis.config('GET', 'maxmemory')) as string[];
    const commands = [
      ...['SLOWLOG GET', 'CLIENT LIST', `CONFIG SET maxmemory ${maxmemory}`, 'ACL LIST', 'ACL LOG'],
      ...['INFO commandstats', 'INFO server', 'INFO replication', 'INFO stats', 'INFO memory'],
      ...['INFO persistence', 'INFO keyspace', 'SCRIPT FLUSH', 'ACL SETUSER sojourn >new'],
      ...['ACL SETUSER sojourn <new', 'ACL SAVE', 'CLUSTER INFO', 'CLUSTER FAILOVER'],
      'REPLICAOF NO ONE',
    ];
    const texts = await Promise.all(
      ['runbook', 'operations'].map((it) => read('docs', `${it}.md`)),
    );
    const named = texts.join('\n').match(/(?<=`)(?:ACL|CLIENT|CONFIG|INFO|SCRIPT|SLOWLOG) \w+/g);
    expect(named?.length).toBeGreaterThan(10);
    for (const command of new Set(named)) {
      if (/TRACKING|SETNAME/.test(command)) continue; // what Sojourn sends
      expect(commands.map((tried) => tried.split(' ', 2).join(' '))).toContain(command);
    }
    for (const command of commands) {
      const [name = '', ...args] = command.split(' ');
      const error = await redis.call(name, ...args).then(
        () => '',
        ({ message }: Error) => message,
      );
      const isOfCluster = name === 'CLUSTER'; // permitted, but this is no cluster
      expect([command, error]).toEqual([
        command,
        isOfCluster ? expect.stringContaining('cluster support disabled') : '',
      ]);
    }
    const stats = await runSojourn(['stats', '--redis-port', String(port), '--json'], {
      REDIS_USERNAME: 'operator',
      REDIS_PASSWORD_FILE: join(folder, 'operator.password'),
    });
    expect([stats.code, stats.stderr]).toEqual([0, '']);
  });

  it('starts by the command of the compose file, with the password of the secret', async () => {
    const { services } = parse(await read('ops', 'docker', 'compose.yml'), { merge: true });
    const [shell, flag, script] = services.redis.command;
    expect([shell, flag]).toEqual(['sh', '-c']);
    const port = await freePort();
    await writeFile(join(folder, 'users.acl'), await read('ops', 'redis', 'users.acl'));
    await writeFile(join(folder, 'redis-password'), 'of-the-secret');
    await writeFile(join(folder, 'redis-operator-password'), 'of-the-other');
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
    const people = new Redis({ port, username: 'operator', password: 'of-the-other' });
    people.on('error', () => {});
    closing.push(async () => people.disconnect());
    const users = (await people.call('ACL', 'USERS')) as string[];
    expect(users.sort()).toEqual(['default', 'operator', 'sojourn']);
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
