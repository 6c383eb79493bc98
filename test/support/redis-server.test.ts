import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it, onTestFinished } from 'vitest';
import { askRedis } from './ask-redis.ts';
import { describeWithServers, redisBinary } from './live-redis.ts';
import { type RedisServer, type RedisServerOptions, startRedisServer } from './redis-server.ts';

describeWithServers('a Redis server of our own', () => {
  it('answers, until it is stopped and its files are gone', async () => {
    const server = await start();
    expect(await askRedis(server, 'ping')).toBe('PONG');
    expect(existsSync(server.directory)).toBe(true);
    await server.stop();
    await expect(askRedis(server, 'ping')).rejects.toThrow('ECONNREFUSED');
    expect(existsSync(server.directory)).toBe(false);
  });

  it('may be stopped twice', async () => {
    const server = await start();
    await server.stop();
    await server.stop();
  });

  it('keeps nothing across a restart, but its port', async () => {
    const server = await start();
    await askRedis(server, 'set a 1');
    await server.restart();
    expect(await askRedis(server, 'get a')).toBeNull();
  });

  it('keeps what its arguments say across a kill', async () => {
    const server = await start({ args: ['--appendonly', 'yes', '--appendfsync', 'always'] });
    await askRedis(server, 'set a 1');
    await server.kill();
    await expect(askRedis(server, 'ping')).rejects.toThrow('ECONNREFUSED');
    await server.restart();
    expect(await askRedis(server, 'get a')).toBe('1');
  });

  it('accepts connections but does not answer while it is paused', async () => {
    const server = await start();
    server.pause();
    await expect(askRedis(server, 'ping', { timeoutMs: 200 })).rejects.toThrow('Command timed out');
    server.resume();
    expect(await askRedis(server, 'ping')).toBe('PONG');
  });

  it('can be stopped while it is paused', async () => {
    const server = await start();
    server.pause();
    await server.stop();
    expect(existsSync(server.directory)).toBe(false);
  });

  it('takes another port when somebody listens at the first one', async () => {
    const first = await start();
    const ports = [first.port, first.port];
    const free = await start();
    await free.stop();
    const second = await start({ proposePort: () => ports.pop() ?? free.port });
    expect(second.port).toBe(free.port);
    expect(await askRedis(second, 'ping')).toBe('PONG');
  });

  it('can be a sentinel', async () => {
    const master = await start();
    const sentinel = await start({
      args: `--sentinel --sentinel monitor main ${master.host} ${master.port} 1`.split(' '),
    });
    expect(await askRedis(sentinel, 'sentinel get-master-addr-by-name main')).toEqual([
      master.host,
      `${master.port}`,
    ]);
  });

  it('says in the words of Redis why it does not start', async () => {
    await expect(start({ args: ['--no-such-setting', '1'] })).rejects.toThrow('no-such-setting');
  });

  it('rejects when the binary cannot be run', async () => {
    await expect(start({ binary: '/nonexistent/redis-server' })).rejects.toThrow('ENOENT');
  });

  it('dies with the process that started it, even by SIGKILL', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'sojourn-parent-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    await writeFile(join(directory, 'redis-server.mjs'), await compiledServerModule());
    const script = `import { startRedisServer } from './redis-server.mjs';
      const { port, directory } = await startRedisServer({ binary: process.argv[1] });
      console.log(JSON.stringify({ port, directory }));`;
    const parent = spawn(
      process.execPath,
      ['--input-type=module', '--eval', script, '--', redisBinary()],
      { cwd: directory, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    const [line] = await once(parent.stdout, 'data');
    const server = JSON.parse(String(line)) as { port: number; directory: string };
    const connection = connect(server.port, '127.0.0.1');
    connection.write('PING\r\n'); // a connection that is still waiting to be accepted would end in a reset
    await once(connection, 'data');
    parent.kill('SIGKILL');
    await once(connection, 'close');
    await expect.poll(() => existsSync(server.directory)).toBe(false);
  });
});

async function start(options: Partial<RedisServerOptions> = {}): Promise<RedisServer> {
  const server = await startRedisServer({ binary: redisBinary(), ...options });
  onTestFinished(() => server.stop());
  return server;
}

async function compiledServerModule(): Promise<string> {
  const source = await readFile('test/support/redis-server.ts', 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2023, module: ts.ModuleKind.ESNext },
  });
  return outputText;
}
