import { randomInt } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { StoreUnavailableError } from '../../../src/index.ts';
import { mulberry32 } from '../../support/mulberry32.ts';

/** Chooses one of so many. */
export type Choose = (options: number) => number;

/** What may happen between any two steps of a scenario. */
export interface Happenings {
  /** Whether one of the actors may die; then its browser asks again. */
  readonly death?: boolean;
  /** Whether so much time may go by that the session runs out. */
  readonly expiry?: boolean;
  /** How many copies the new store may refuse, or take in without saying so. */
  readonly refusals?: number;
}

/** Runs the scenario in the order that is chosen; and answers what was promised and not kept, if anything. */
export type Run<S> = (scenario: S, choose: Choose) => Promise<string[]>;

interface Step {
  readonly actor: number;
  go(): void;
}

/** Where actors work at the same time, one step of one actor after the other, in the order that is chosen. */
export class Stage {
  /** How many steps have been taken. */
  steps = 0;
  readonly #choose: Choose;
  readonly #pending: Step[] = [];
  readonly #dead = new Set<number>();
  #refusals: number;

  constructor(choose: Choose, { refusals = 0 }: Happenings) {
    this.#choose = choose;
    this.#refusals = refusals;
  }

  /** Waits until it is that actor's turn: for ever, if it dies before. */
  waitAs(actor: number): Promise<void> {
    return new Promise((go) => {
      if (!this.#dead.has(actor)) this.#pending.push({ actor, go });
    });
  }

  /** A call to the new store, which may refuse a copy as long as the scenario has refusals. */
  readonly callNew = async (name: string, go: () => unknown): Promise<unknown> => {
    if (name !== 'adopt' || this.#refusals === 0) return go();
    const choice = this.#choose(3);
    if (choice === 0) return go();
    this.#refusals -= 1;
    if (choice === 1) await go();
    throw new StoreUnavailableError(choice === 1 ? 'unknown' : 'refused');
  };

  /** Lets the actors work until all are done, and what may happen once happen between any two steps. */
  async play({
    death,
    expiry,
  }: {
    readonly death: ((actor: number) => void) | undefined;
    readonly expiry: (() => void) | undefined;
  }): Promise<void> {
    let [mayDie, mayExpire] = [death !== undefined, expiry !== undefined];
    await turn();
    while (this.#pending.length > 0) {
      const killable = mayDie ? [...new Set(this.#pending.map(({ actor }) => actor))] : [];
      const { length } = this.#pending;
      const choice = this.#choose(length + killable.length + (mayExpire ? 1 : 0));
      this.steps += 1;
      const victim = killable[choice - length];
      if (choice < length) this.#pending.splice(choice, 1)[0]?.go();
      else if (victim === undefined) {
        mayExpire = false;
        expiry?.();
      } else {
        mayDie = false;
        this.#kill(victim);
        death?.(victim);
      }
      await turn();
    }
  }

  #kill(victim: number): void {
    this.#dead.add(victim);
    const others = this.#pending.filter(({ actor }) => actor !== victim);
    this.#pending.splice(0, Infinity, ...others);
  }
}

/** The object, each call of which waits for its turn; the calls of the objects in it too. */
export function stepwise<T extends object>(
  object: T,
  wait: (name: string) => Promise<void>,
  call: (name: string, go: () => unknown) => unknown = (_name, go) => go(),
): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value === 'function') {
        return async (...args: unknown[]) => {
          await wait(String(name));
          return call(String(name), () => Reflect.apply(value, target, args));
        };
      }
      return typeof value === 'object' && value !== null ? stepwise(value, wait, call) : value;
    },
  });
}

/** Tries every order of the steps of small scenarios, and of large ones some that no run before may have tried. */
export function describeOrders<S>(
  subject: string,
  {
    run,
    nameOf,
    exhaustive,
    sampled,
    samples,
  }: {
    readonly run: Run<S>;
    readonly nameOf: (scenario: S) => string;
    /** Small enough for every order of their steps. */
    readonly exhaustive: readonly S[];
    /** With too many orders to try all. */
    readonly sampled: readonly S[];
    /** How many orders of each of the sampled are tried, unless CARRY_OVER_RUNS says it. */
    readonly samples: number;
  },
): void {
  const [runs = samples] = [process.env.CARRY_OVER_RUNS].filter(Boolean).map(Number);
  const [seed = randomInt(2 ** 31)] = [process.env.SEED].filter(Boolean).map(Number);
  const named = (scenarios: readonly S[]) =>
    scenarios.map((scenario) => [nameOf(scenario), scenario] as const);

  describe(subject, {
    tags: ['slow'],
    timeout: 300_000, // minutes on a busy machine
  }, () => {
    it.each(named(exhaustive))('in every order of their steps: %s', async (_name, scenario) => {
      const ways = await everyWay((choose) => keepsPromises(run, scenario, choose));
      expect(ways).toBeGreaterThan(2);
    });

    it.each(named(sampled))('in some orders of their steps: %s', async (_name, scenario) => {
      const random = mulberry32(seed);
      for (let i = 0; i < runs; i += 1) {
        await keepsPromises(run, scenario, (options) => Math.floor(random() * options));
      }
    });
  });
}

async function keepsPromises<S>(run: Run<S>, scenario: S, choose: Choose): Promise<void> {
  const way: number[] = [];
  const wrong = await run(scenario, (options) => {
    const choice = choose(options);
    way.push(choice);
    return choice;
  });
  if (wrong.length > 0) expect(wrong, `by the choices ${way.join(' ')}`).toEqual([]);
}

/** Fails unless some order of the steps breaks a promise. */
export async function expectViolation<S>(run: Run<S>, scenario: S): Promise<void> {
  const random = mulberry32(7);
  for (let i = 0; i < 3000; i += 1) {
    const wrong = await run(scenario, (options) => Math.floor(random() * options));
    if (wrong.length > 0) return;
  }
  throw new Error('Nobody missed the rule.');
}

/** Runs `run` with every possible sequence of choices, and answers how many there are. */
export async function everyWay(run: (choose: Choose) => Promise<void>): Promise<number> {
  let way: { choice: number; options: number }[] = [];
  for (let ways = 1; ; ways += 1) {
    let at = 0;
    await run((options) => {
      const known = way[at];
      if (known === undefined) way.push({ choice: 0, options });
      at += 1;
      return known?.choice ?? 0;
    });
    while (way.length > 0 && (way.at(-1)?.choice ?? 0) + 1 >= (way.at(-1)?.options ?? 0)) way.pop();
    const last = way.at(-1);
    if (last === undefined) return ways;
    way = [...way.slice(0, -1), { ...last, choice: last.choice + 1 }];
  }
}

/** The scenario in words: who does what, and what may happen meanwhile. */
export function describeScenario(
  deeds: readonly string[],
  { death, expiry, user, refusals }: Happenings & { readonly user?: unknown },
): string {
  const also = [
    death && 'one dies',
    expiry && 'the session runs out',
    user && 'it is a user’s',
    refusals && 'the new place is full',
  ];
  return [...deeds, ...also.filter(Boolean)].join(', ');
}
