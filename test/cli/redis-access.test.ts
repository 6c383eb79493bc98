import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it, onTestFailed } from 'vitest';
import { askRedis } from '../support/ask-redis.ts';
import { type Certificate, makeCertificate } from '../support/certificate.ts';
import { Browser } from '../support/http-server.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisCluster } from '../support/redis-cluster.ts';
import { startRedisSentinel } from '../support/redis-sentinel.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { runShell, runSojourn } from '../support/sojourn-command.ts';
import { SojournProcess } from '../support/sojourn-process.ts';
import { startTlsRedis } from '../support/tls-redis.ts';
import { until } from '../support/until.ts';

describeWithServers('the program and a Redis that is protected', { timeout: 90_000 }, () => {
  const ending: (() => Promise<unknown>)[] = [];
  let folder: string;
  let certificate: Certificate;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sojourn-access-'));
    certificate = await makeCertificate(folder, ['DNS:localhost', 'IP:127.0.0.1']);
  });
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });
  afterAll(() => rm(folder, { recursive: true }));

  function stopLater<T extends { stop(): Promise<unknown> }>(started: T): T {
    ending.push(() => started.stop());
    return started;
  }

  async function serve(env: Record<string, string>, ...args: readonly string[]) {
    const server = stopLater(new SojournProcess(['--port', '0', ...args], env));
    onTestFailed(() => console.error(server.stderr));
    return { server, url: await server.url() };
  }

  /** Logs in at one server, and sees the session by every tool. */
  async function worksEverywhere(env: Record<string, string>): Promise<void> {
    const { url } = await serve(env);
    await new Browser(url).post('/login', { username: 'ada' });
    const demo = { ...env, SESSION_PREFIX: 'session:demo:' };
    const stats = await runSojourn(['stats', '--json'], demo);
    expect(stats).toMatchObject({ code: 0, stderr: '' });
    expect(JSON.parse(stats.stdout)).toMatchObject({ sessions: 1, users: 1 });
    const ended = await runSojourn(['end', '--user', 'ada', '--json'], demo);
    expect(JSON.parse(ended.stdout)).toMatchObject({ ended: 1 });
  }

  async function start(): Promise<RedisServer> {
    return stopLater(await startRedisServer({ binary: redisBinary() }));
  }

  async function ready(url: string, status: number): Promise<void> {
    await until(`/readyz answers ${status}`, async () => {
      return (await fetch(`${url}/readyz`)).status === status;
    });
  }

  it('logs in as a user, by TLS, with the password of a file', async () => {
    const redis = stopLater(await startTlsRedis(certificate));
    await askRedis(redis, 'acl setuser ada on >first allkeys allchannels +@all');
    await askRedis(redis, 'acl setuser default off');
    await writeFile(join(folder, 'password'), 'first\n');
    await worksEverywhere({
      REDIS_PORT: String(redis.tlsPort),
      REDIS_USERNAME: 'ada',
      REDIS_PASSWORD_FILE: join(folder, 'password'),
      REDIS_CA: certificate.cert,
    });
  });

  it('reads a password from a pipe once', async () => {
    const redis = await start();
    await askRedis(redis, 'config set requirepass first');
    const line =
      'mkfifo "$PIPE"; echo first > "$PIPE" & timeout 60 "$NODE" "$MAIN" ls --redis-password-file "$PIPE"';
    const env = { PIPE: join(folder, 'pipe'), REDIS_PORT: String(redis.port) };
    expect(await runShell(line, env)).toMatchObject({ code: 0, stderr: '' });
  });

  it('reaches a cluster by password and TLS, which its nodes ask for', async () => {
    const args = ['--cluster-enabled', 'yes', '--tls-cluster', 'yes'];
    const nodes = [
      stopLater(await startTlsRedis(certificate, args)),
      stopLater(await startTlsRedis(certificate, args)),
    ] as const;
    const [one, two] = nodes;
    await askRedis(one, 'cluster addslotsrange 0 8191');
    await askRedis(two, 'cluster addslotsrange 8192 16383');
    await askRedis(one, `cluster meet ${two.host} ${two.tlsPort}`);
    for (const node of nodes) {
      await until('the node serves', async () =>
        /cluster_state:ok/.test(String(await askRedis(node, 'cluster info'))),
      );
      await askRedis(node, 'config set requirepass first');
    }
    await worksEverywhere({
      REDIS_CLUSTER: `localhost:${one.tlsPort}`,
      REDIS_PASSWORD: 'first',
      REDIS_CA: certificate.cert,
    });
  });

  it('reaches a master behind sentinels that ask for a password and TLS of their own', async () => {
    const redis = stopLater(await startTlsRedis(certificate));
    await askRedis(redis, 'config set requirepass first');
    const sentinel = stopLater(
      await startTlsRedis(certificate, ['--sentinel', '--tls-replication', 'yes']),
    );
    await askRedis(sentinel, `sentinel monitor main 127.0.0.1 ${redis.tlsPort} 1`);
    await askRedis(sentinel, 'sentinel set main auth-pass first');
    await askRedis(sentinel, 'acl setuser default resetpass >second');
    const env = {
      REDIS_SENTINEL: `localhost:${sentinel.tlsPort}`,
      REDIS_MASTER: 'main',
      REDIS_PASSWORD: 'first',
      REDIS_SENTINEL_PASSWORD: 'second',
      REDIS_CA: certificate.cert,
    };
    await worksEverywhere(env);
    const { code, stderr } = await runSojourn(['ls'], { ...env, REDIS_SENTINEL_PASSWORD: 'no' });
    expect(code).toBe(1);
    expect(stderr).toMatch(/^sojourn: cannot use Redis at main \(by sentinel\): /);
  });

  it('reads the password anew when it has been changed, and keeps the last one while it cannot', async () => {
    const redis = await start();
    const path = join(folder, 'rotated');
    await writeFile(path, 'first');
    await askRedis(redis, 'config set requirepass first');
    const { server, url } = await serve(
      { REDIS_PORT: String(redis.port), REDIS_PASSWORD_FILE: path },
      '--near-cache',
    );
    const browser = new Browser(url);
    await browser.post('/login', { username: 'ada' });

    const change = async (from: string, to: string) => {
      await askRedis({ ...redis, password: from }, ['config', 'set', 'requirepass', to]);
      await disconnect({ ...redis, password: to });
    };
    await change('first', 'second-secret');
    await ready(url, 503);
    await writeFile(path, 'second-secret\n');
    await ready(url, 200);
    expect(await (await browser.request('/session')).json()).toMatchObject({ authenticated: true });

    await rm(path);
    await disconnect({ ...redis, password: 'second-secret' });
    await until('the log says that the file cannot be read', async () =>
      server.stderr.includes('REDIS_PASSWORD_FILE names a file that cannot be read'),
    );
    await ready(url, 200);

    await writeFile(path, 'third-secret\n');
    await change('second-secret', 'third-secret');
    await ready(url, 200);
    expect(server.stderr).toContain(
      'the password file of Redis cannot be read; the last password is used',
    );
    expect(server.stderr).not.toMatch(/(second|third)-secret/);
  });

  it("reads an ACL user's password anew on a cluster", async () => {
    const cluster = stopLater(await startRedisCluster({ binary: redisBinary() }));
    const path = join(folder, 'of-cluster');
    const change = async (password: string) => {
      await writeFile(path, password);
      for (const node of cluster.nodes) {
        const rights = ['on', 'resetpass', `>${password}`, 'allkeys', 'allchannels', '+@all'];
        await askRedis(node, ['acl', 'setuser', 'ada', ...rights]);
      }
    };
    await change('first');
    const nodes = cluster.addresses.map(({ host, port }) => `${host}:${port}`).join();
    const { url } = await serve({
      REDIS_CLUSTER: nodes,
      REDIS_USERNAME: 'ada',
      REDIS_PASSWORD_FILE: path,
    });
    const browsers = Array.from({ length: 12 }, () => new Browser(url));
    const logIn = () => Promise.all(browsers.map((one) => one.post('/login')));
    const statuses = async () => new Set((await logIn()).map(({ status }) => status));
    expect(await statuses()).toEqual(new Set([200]));
    await change('second');
    for (const node of cluster.nodes) await askRedis(node, 'client kill user ada');
    await expect.poll(statuses).toEqual(new Set([200])); // logins reach every node again
  });

  it('reads the passwords of a master and of its sentinels anew', async () => {
    const watched = stopLater(await startRedisSentinel({ binary: redisBinary() }));
    const [own, ofSentinels] = [join(folder, 'of-master'), join(folder, 'of-sentinels')];
    const change = async (path: string, servers: readonly RedisServer[], password: string) => {
      await writeFile(path, password);
      for (const server of servers) {
        const rights = ['on', 'resetpass', `>${password}`, 'allkeys', 'allchannels', '+@all'];
        await askRedis(server, ['acl', 'setuser', 'ada', ...rights]);
      }
    };
    await change(own, watched.servers, 'first');
    await change(ofSentinels, watched.sentinels, 'one');
    const { url } = await serve({
      REDIS_SENTINEL: watched.addresses.map(({ host, port }) => `${host}:${port}`).join(),
      REDIS_MASTER: watched.master,
      REDIS_USERNAME: 'ada',
      REDIS_PASSWORD_FILE: own,
      REDIS_SENTINEL_USERNAME: 'ada',
      REDIS_SENTINEL_PASSWORD_FILE: ofSentinels,
    });
    await ready(url, 200);
    await change(own, watched.servers, 'second');
    await change(ofSentinels, watched.sentinels, 'two');
    for (const server of [...watched.sentinels, ...watched.servers]) {
      await askRedis(server, 'client kill user ada');
    }
    const browser = new Browser(url);
    await until('logins succeed again', async () => (await browser.post('/login')).status === 200);
    await watched.failOver();
    await until(
      'logins reach the new master',
      async () => (await browser.post('/login')).status === 200,
    );
  });
});

/** Ends all connections but the one that asks. */
async function disconnect(redis: RedisServer & { readonly password: string }): Promise<void> {
  for (const type of ['normal', 'pubsub']) {
    await askRedis(redis, `client kill type ${type} skipme yes`);
  }
}
