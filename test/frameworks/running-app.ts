import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { until } from '../support/until.ts';

export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface RunningApp {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Starts a server that listens on `PORT` of `HOST`, and resolves when it answers. Rejects with what it printed where it
 * does not.
 */
export async function startApp({ command, args, cwd, env }: Launch): Promise<RunningApp> {
  const port = String(await freePort());
  const url = `http://127.0.0.1:${port}`;
  const child = spawn(
    command,
    args.map((arg) => arg.replace('$PORT', port)),
    {
      cwd,
      env: {
        ...process.env,
        NODE_ENV: 'production',
        HOST: '127.0.0.1',
        PORT: port,
        PROTOCOL_HEADER: 'x-forwarded-proto',
        ...env,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (piece) => {
      printed += piece;
    });
  }
  const exited = once(child, 'exit');
  const answers = until('it answers', async () => {
    if (child.exitCode !== null) return true;
    return (await fetch(url)).status > 0;
  });
  try {
    await answers;
    if (child.exitCode !== null) throw new Error(`It ended with ${child.exitCode}`);
  } catch (error) {
    child.kill('SIGKILL');
    throw new Error(`${command} ${args.join(' ')} did not start:\n${printed}`, { cause: error });
  }
  return {
    url,
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
