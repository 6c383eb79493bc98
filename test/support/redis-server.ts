import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

export interface RedisServerOptions {
  /** `redis-server` or `valkey-server`. */
  readonly binary: string;
  /** After, and stronger than, the defaults: no persistence, 127.0.0.1 only. `['--sentinel', ...]` makes a sentinel. */
  readonly args?: readonly string[];
  /** Proposes ports until one is free. */
  readonly proposePort?: () => number;
}

/** A Redis of one's own, to be filled, frozen and killed at will. */
export interface RedisServer {
  readonly host: '127.0.0.1';
  /** The same for life, also across restarts. */
  readonly port: number;
  readonly url: string;
  /** Its `--dir`; removed by `stop`. */
  readonly directory: string;
  /** Until it was stopped or killed. A paused one runs. */
  readonly running: boolean;
  /** Ends it in an orderly way and removes its files. For good; also after `kill`. */
  stop(): Promise<void>;
  /** The power cut: SIGKILL. Its files stay for `restart`; `stop` is still due. */
  kill(): Promise<void>;
  /** Freezes it: connections stay open, nobody answers. */
  pause(): void;
  resume(): void;
  /** Ends it in an orderly way, unless it is dead already, and starts it again: same port, same files, same arguments. */
  restart(): Promise<void>;
}

type ServerProcess = ChildProcessByStdio<null, Readable, Readable>;

const READY = /Ready to accept connections|Sentinel ID is/;
const PORT_TAKEN = /Address already in use/;

/**
 * Starts a server and resolves when it accepts connections. It dies with this process, however this process ends.
 * Rejects with what the server printed when it does not come up.
 */
export async function startRedisServer({
  binary,
  args = [],
  proposePort = () => randomInt(10_000, 22_000),
}: RedisServerOptions): Promise<RedisServer> {
  // These ports, and a cluster's bus 10000 above, are below the range from which systems take client ports: nobody
  // sits down on one by chance between a kill and a restart.
  const directory = await mkdtemp(join(tmpdir(), 'sojourn-redis-'));
  const config = join(directory, 'redis.conf');
  await writeFile(config, '');
  const launch = (port: number) => {
    const defaults = `--bind 127.0.0.1 --port ${port} --dir ${directory} --appendonly no --save`;
    return launchServer(binary, [config, ...defaults.split(' '), '', ...args], directory);
  };

  let port = proposePort();
  let server: ServerProcess;
  try {
    let launched = await launch(port);
    while (launched === 'port taken') {
      port = proposePort();
      launched = await launch(port);
    }
    server = launched;
  } catch (error) {
    await rm(directory, { recursive: true });
    throw error;
  }

  return {
    host: '127.0.0.1',
    port,
    url: `redis://127.0.0.1:${port}`,
    directory,
    get running() {
      return isRunning(server);
    },
    async stop() {
      await end(server, 'SIGTERM');
      await rm(directory, { recursive: true, force: true });
    },
    kill: () => end(server, 'SIGKILL'),
    pause: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async restart() {
      await end(server, 'SIGTERM');
      const launched = await launch(port);
      if (launched === 'port taken') throw new Error(`Somebody took port ${port} meanwhile`);
      server = launched;
    },
  };
}

async function launchServer(
  binary: string,
  args: readonly string[],
  directory: string,
): Promise<ServerProcess | 'port taken'> {
  const server = spawn(binary, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(server, 'close'); // rejects when the binary cannot be run
  if (server.pid !== undefined) endWithThisProcess(server, server.pid, directory);
  let output = '';
  const collect = (chunk: Buffer) => {
    output += chunk;
  };
  server.stderr.on('data', collect);
  server.stdout.on('data', collect);
  // Its own word, not an answer at the port: there another server may be listening.
  const ready = new Promise<'ready'>((resolve) => {
    server.stdout.on('data', () => READY.test(output) && resolve('ready'));
  });
  if ((await Promise.race([ready, ended])) !== 'ready') {
    if (PORT_TAKEN.test(output)) return 'port taken';
    throw new Error(`${binary} ended at once:\n${output}`);
  }
  server.stdout.removeAllListeners('data').resume();
  server.stderr.removeAllListeners('data').resume();
  return server;
}

async function end(server: ServerProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (!isRunning(server)) return;
  const exited = once(server, 'exit');
  server.kill(signal);
  server.kill('SIGCONT'); // a frozen process would keep SIGTERM waiting
  await exited;
}

function isRunning({ exitCode, signalCode }: ServerProcess): boolean {
  return exitCode === null && signalCode === null;
}

/**
 * A shell that reads from a pipe: a line says that the server has ended, the end of the pipe without a line says that
 * this process has, by whatever cause. No exit handler can promise that: SIGKILL and a crash run none.
 */
function endWithThisProcess(server: ServerProcess, pid: number, directory: string): void {
  const script = 'read -r _ || { kill -9 "$0"; rm -rf "$1"; }';
  const guard = spawn('/bin/sh', ['-c', script, String(pid), directory], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true, // Ctrl-C at the terminal must not reach it
  });
  guard.unref();
  server.once('exit', () => guard.stdin.end('ended\n'));
}
