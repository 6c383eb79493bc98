import { type Child, startChild } from '../measure/child-process.ts';
import { PROGRAM_CORE } from '../measure/cores.ts';
import type { Cpu } from '../measure/cpu.ts';
import type { Latency, Throughput } from '../measure/latency.ts';
import type { Contender } from './contender.ts';

export type StoreQuestion =
  | { readonly do: 'open'; readonly redisUrl: string; readonly sessions: number }
  | { readonly do: 'one by one'; readonly sessions: number; readonly seconds: number }
  | {
      readonly do: 'together';
      readonly sessions: number;
      readonly seconds: number;
      readonly inFlight: number;
    }
  | { readonly do: 'close' };

export interface StoreAnswers {
  readonly open: undefined;
  readonly 'one by one': Latency & { readonly cpu: Cpu };
  readonly together: Throughput & { readonly cpu: Cpu };
  readonly close: undefined;
}

export interface ContenderProcess {
  readonly name: string;
  /** Asks for a step of its turn, and waits until that is done. */
  ask<Q extends StoreQuestion>(question: Q): Promise<StoreAnswers[Q['do']]>;
  stop(): void;
}

export function startContender({ name }: Contender): ContenderProcess {
  const child: Child = startChild(new URL('./process.js', import.meta.url), [name], PROGRAM_CORE);
  return { name, ask: (question) => child.ask(question), stop: () => child.stop() };
}
