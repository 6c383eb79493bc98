import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { pinToCore } from './cores.ts';

/** A program of the benchmark in a process of its own, which answers one question at a time. It ends with this process. */
export interface Child {
  readonly pid: number | undefined;
  /** Rejects with what the child threw. */
  ask<Answer>(question: object): Promise<Answer>;
  stop(): void;
}

/** What a child answers. */
export type Reply = { readonly answer?: unknown } | { readonly error: string };

export function startChild(program: URL, args: readonly string[], core: number): Child {
  const child = fork(fileURLToPath(program), args, {
    env: { ...process.env, NODE_ENV: 'production' },
  });
  pinToCore(child.pid, core);
  let stopped = false;
  const exit = once(child, 'exit').then(() => {
    throw new Error(`${args[0] ?? program.pathname} ended by itself`);
  });
  exit.catch(() => {}); // whoever waits for an answer hears of it
  return {
    pid: child.pid,
    async ask<Answer>(question: object) {
      const replied = once(child, 'message');
      child.send(question);
      const [reply] = (await Promise.race([replied, exit])) as [Reply];
      if ('error' in reply) throw new Error(`${args[0]}: ${reply.error}`);
      return reply.answer as Answer;
    },
    stop() {
      if (!stopped) child.disconnect();
      stopped = true;
    },
  };
}
