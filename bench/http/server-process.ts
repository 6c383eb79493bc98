import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pinToCore } from '../measure/cores.ts';

export interface ServerProcess {
  readonly name: string;
  readonly port: number;
  /** Microseconds of CPU that it has used so far. */
  cpuUs(): Promise<number>;
  stop(): void;
}

/** Starts one contender on that core; it ends with this process. */
export async function startServer(
  name: string,
  redisUrl: string,
  core: number,
): Promise<ServerProcess> {
  const child = fork(fileURLToPath(new URL('./server.js', import.meta.url)), [name, redisUrl], {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  pinToCore(child.pid, core);
  const exit = once(child, 'exit').then(() => {
    throw new Error(`${name} ended by itself`);
  });
  exit.catch(() => {}); // whoever waits for an answer hears of it
  const answer = async () => {
    const [message] = await Promise.race([once(child, 'message'), exit]);
    return message as number;
  };
  const port = await answer();
  return {
    name,
    port,
    cpuUs() {
      const cpu = answer();
      child.send('cpu');
      return cpu;
    },
    stop: () => child.disconnect(),
  };
}
