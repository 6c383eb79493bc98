import { setTimeout as wait } from 'node:timers/promises';
import { StoreUnavailableError } from '../../src/index.ts';
import { pick } from '../support/pick.ts';
import type { Action, Call, Outcome } from './history.ts';

/** Clients that use sessions together until they are told to stop. */
export interface Load {
  /** All calls so far that have been answered. */
  readonly calls: readonly Call[];
  /** Resolves when `count` more calls that fit have been answered; those answered with ok, unless told otherwise. */
  more(count: number, fits?: (call: Call) => boolean): Promise<void>;
  /** Ends the clients, reads every session once more and resolves to all calls. Rejects with an error that nobody expects. */
  stop(): Promise<readonly Call[]>;
}

interface Known {
  readonly id: string;
  readonly token: string;
  readonly user: string | undefined;
  calls: number;
}

/** What clients use: a service, or what speaks to one. */
export interface Sessions {
  create(
    data: Readonly<Record<string, string>>,
    options: { readonly user?: string; readonly ttl?: number },
  ): Promise<{ readonly token: string; readonly session: { readonly id: string } }>;
  get(token: string): Promise<{ readonly fields: Readonly<Record<string, string>> } | undefined>;
  increment(token: string, field: string): Promise<number | undefined>;
  update?(
    token: string,
    change: { readonly set: Readonly<Record<string, string>> },
  ): Promise<boolean>;
  delete(token: string): Promise<boolean>;
}

/** Milliseconds that a client thinks between two calls. */
const THINKING_MS = 2;
const SESSIONS = 12;
/** An ended session is looked at for as long as this many others have ended. */
const ENDED = 24;
const CALLS_PER_SESSION = 150;

/** One client for each service, which should have a connection of its own. They share the sessions. */
export function startLoad(
  services: readonly Sessions[],
  createOptions: { readonly ttl?: number } = {},
): Load {
  const calls: Call[] = [];
  const all: Known[] = [];
  const alive: Known[] = [];
  const ended: Known[] = [];
  const unexpected: unknown[] = [];
  let stopped = false;
  let marks = 0;

  const clients = services.map(async (service) => {
    while (!stopped) {
      await step(service).catch((error) => unexpected.push(error));
      await wait(THINKING_MS);
    }
  });

  async function step(service: Sessions): Promise<void> {
    const isMissing = alive.length < SESSIONS && Math.random() < 0.5;
    if (isMissing || alive.length === 0) return create(service);
    const dice = Math.random();
    const session = pick(dice < 0.1 && ended.length > 0 ? ended : alive);
    if (dice > 0.99 || session.calls > CALLS_PER_SESSION) return end(service, session);
    if (dice > 0.6) return call(session, { kind: 'read' }, () => read(service, session));
    if (dice > 0.5 && service.update) {
      marks += 1;
      const name = `m${marks}`;
      return call(session, { kind: 'mark', name }, async () =>
        okIf((await service.update?.(session.token, { set: { [name]: '1' } })) ?? false),
      );
    }
    return call(session, { kind: 'increment' }, async () => {
      const count = await service.increment(session.token, 'n');
      return count === undefined ? { kind: 'absent' } : { kind: 'ok', count };
    });
  }

  async function create(service: Sessions): Promise<void> {
    const begin = performance.now();
    const user = Math.random() < 0.5 ? `user-${Math.floor(Math.random() * 5)}` : undefined;
    try {
      const { session, token } = await service.create(
        {},
        { ...createOptions, ...(user && { user }) },
      );
      const known = { id: session.id, token, user, calls: 0 };
      calls.push({
        ...{ session: known.id, action: { kind: 'create' }, outcome: { kind: 'ok' } },
        begin,
        end: performance.now(),
      });
      all.push(known);
      alive.push(known);
    } catch (error) {
      outcomeOf(error); // whoever did not get the token cannot use the session
    }
  }

  async function end(service: Sessions, session: Known): Promise<void> {
    await call(session, { kind: 'delete' }, async () => okIf(await service.delete(session.token)));
  }

  async function call(session: Known, action: Action, run: () => Promise<Outcome>): Promise<void> {
    session.calls += 1;
    const begin = performance.now();
    const outcome = await run().catch(outcomeOf);
    calls.push({ session: session.id, action, outcome, begin, end: performance.now() });
    const gone = outcome.kind === 'absent' || (action.kind === 'delete' && outcome.kind === 'ok');
    if (gone && alive.includes(session)) {
      alive.splice(alive.indexOf(session), 1);
      ended.push(session);
      if (ended.length > ENDED) ended.shift();
    }
  }

  return {
    calls,
    async more(count, fits = ({ outcome }) => outcome.kind === 'ok') {
      const fitting = () => calls.filter(fits).length;
      const goal = fitting() + count;
      while (fitting() < goal) await wait(20);
    },
    async stop() {
      stopped = true;
      await Promise.all(clients);
      const [service] = services as [Sessions];
      for (const session of all)
        await call(session, { kind: 'read' }, () => read(service, session));
      if (unexpected.length > 0) throw unexpected[0];
      return calls;
    },
  };
}

async function read(service: Sessions, { token }: Known): Promise<Outcome> {
  const session = await service.get(token);
  if (session === undefined) return { kind: 'absent' };
  const { n = '0', ...marks } = session.fields;
  return { kind: 'ok', count: Number(n), marks: new Set(Object.keys(marks)) };
}

function okIf(done: boolean): Outcome {
  return { kind: done ? 'ok' : 'absent' };
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof StoreUnavailableError) return { kind: error.outcome };
  throw error;
}
