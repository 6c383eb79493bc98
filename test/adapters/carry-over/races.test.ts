import { describe, expect, it } from 'vitest';
import { MemorySessionRepository } from '../../../src/adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from '../../../src/adapters/node/node-secrets.ts';
import { mintSession } from '../../../src/domain/session-token.ts';
import {
  carryOver,
  type MovableRepository,
  type SessionCopy,
  StoreUnavailableError,
} from '../../../src/index.ts';
import { type Actor, type Deed, runScenario, type Scenario } from './interleavings.ts';
import { describeOrders, describeScenario, expectViolation, stepwise } from './step-by-step.ts';

const m = (deed: Deed): Actor => ({ phase: 'move', deed });
const p = (deed: Deed): Actor => ({ phase: 'prepare', deed });

/** Small enough for every order of their steps. */
const exhaustive: readonly Scenario[] = [
  { actors: [m('increment'), m('increment')] },
  { actors: [m('increment'), p('increment')] },
  { actors: [m('get'), p('increment')] },
  { actors: [m('increment'), m('peek')] },
  { actors: [m('increment'), p('peek')] },
  { actors: [m('increment'), m('logout')] },
  { actors: [m('increment'), p('logout')] },
  { actors: [m('increment'), m('end')] },
  { actors: [m('increment'), p('end')] },
  { actors: [m('logout'), p('logout')] },
  { actors: [p('increment'), p('logout')], death: true },
  { actors: [m('increment')], death: true, expiry: true },
  { actors: [m('get')], death: true, expiry: true },
  { actors: [m('short')], death: true, expiry: true },
  { actors: [m('rotate')], death: true },
  { actors: [m('get')], death: true, user: 'ada' },
  { actors: [p('increment'), m('get')], expiry: true },
  { actors: [m('increment'), p('increment')], refusals: 1 },
];

/** Too many orders to try all; each run takes others. */
const sampled: readonly Scenario[] = [
  { actors: [m('increment'), m('increment'), p('increment')], death: true },
  { actors: [m('increment'), m('get'), p('increment'), m('logout')], death: true },
  { actors: [m('increment'), p('logout'), m('get')], death: true, expiry: true },
  { actors: [m('get'), m('end'), p('increment')], death: true },
  { actors: [m('get'), p('end'), m('peek'), p('peek')], death: true, expiry: true },
  { actors: [m('rotate'), p('increment'), m('increment')], death: true },
  { actors: [m('rotate'), p('rotate'), m('logout')], death: true },
  { actors: [m('short'), p('increment'), m('get')], death: true },
  { actors: [m('increment'), m('get'), p('increment')], death: true, user: 'ada' },
  { actors: [m('increment'), m('end'), m('get')], death: true, expiry: true, user: 'ada' },
  { actors: [m('increment'), m('increment'), p('increment')], death: true, refusals: 2 },
  { actors: [m('increment'), p('increment'), m('get'), m('logout')], refusals: 3 },
  { actors: [m('get'), p('get'), p('peek'), m('peek')], death: true, refusals: 2, expiry: true },
  { actors: [m('rotate'), p('increment'), m('increment')], refusals: 2 },
];

describeOrders('a session that moves while servers use it', {
  run: runScenario,
  nameOf,
  exhaustive,
  sampled,
  samples: 1500,
});

describe('a rule that is left out is missed', () => {
  it('a release that does not tell whether the session was there brings an ended one back', async () => {
    const from = changed({ release: async () => true });
    const actors = [m('increment'), m('end'), m('get')];
    await expectViolation(runScenario, { actors, death: true, expiry: true, broken: { from } });
  });

  it('a copy that is in use before the old place has given the session up is found in both', async () => {
    const to = (repository: MovableRepository) =>
      changed({
        async adopt(copy: SessionCopy) {
          const adopted = await repository.moves.adopt(copy);
          await repository.moves.thaw(copy.id, copy.claim);
          return adopted;
        },
      })(repository);
    const actors = [m('increment'), m('increment')];
    await expectViolation(runScenario, { actors, death: true, expiry: true, broken: { to } });
  });

  it('a session that is copied without being frozen loses what is written meanwhile', async () => {
    const from = (repository: MovableRepository) => {
      return changed({
        async freeze(by: never, how: never) {
          const answer = await repository.moves.freeze(by, how);
          if (typeof answer !== 'object' || !('copy' in answer)) return answer;
          await repository.end(answer.copy.id, { unbornMs: 0 });
          await repository.moves.adopt(answer.copy);
          await repository.moves.thaw(answer.copy.id, answer.copy.claim);
          return answer;
        },
        async release(id: never) {
          return (await repository.end(id, { unbornMs: 0 })) !== undefined;
        },
      })(repository);
    };
    await expectViolation(runScenario, {
      actors: [m('increment'), p('increment')],
      broken: { from },
    });
  });
});

describe('a store that fails between two steps', () => {
  const deeds: readonly Deed[] = ['increment', 'get', 'peek', 'logout', 'end', 'short'];
  it.each(deeds)('of a call: %s is done once or not at all, as the error says', async (deed) => {
    for (const phase of ['prepare', 'move'] as const) {
      for (const isApplied of [false, true]) {
        for (let at = 1; ; at += 1) {
          const calls = await failing(deed, phase, at, isApplied);
          if (calls < at) break;
          expect(at).toBeLessThan(40);
        }
      }
    }
  });
});

/** The deed, while the call to a store of that number fails; then everything once more. Answers how many calls there were. */
async function failing(
  deed: Deed,
  phase: Actor['phase'],
  at: number,
  isApplied: boolean,
): Promise<number> {
  const from = new MemorySessionRepository();
  const to = new MemorySessionRepository();
  const { credential: by } = mintSession(nodeSecrets);
  await from.create({
    ...{ credential: by, user: undefined, fields: new Map([['n', '0']]), ttl: 60 },
    ...{ lifetime: undefined, device: {}, persistent: false, at: '2026-04-02T12:34:56+00:00' },
  });
  let calls = 0;
  const failingAt = (repository: MovableRepository) =>
    new Proxy(repository, {
      get(target, name): unknown {
        const value = Reflect.get(target, name, target);
        if (typeof value === 'object') return failingAt(value as MovableRepository);
        return async (...args: unknown[]) => {
          calls += 1;
          if (calls !== at) return Reflect.apply(value as () => unknown, target, args);
          if (isApplied) await Reflect.apply(value as () => unknown, target, args);
          throw new StoreUnavailableError(isApplied ? 'unknown' : 'refused');
        };
      },
    });
  const limits = { maxFields: 9, maxTotalBytes: 999 };
  const use = { at: '2026-04-02T12:40:00+00:00' };
  const repository = carryOver({ from: failingAt(from), to: failingAt(to), phase });
  const verbs: Record<Deed, () => Promise<unknown>> = {
    increment: () => repository.increment(by, { field: 'n', by: 1, limits, ...use }),
    get: () => repository.access(by, { ...use, refreshAfterMs: 0 }),
    peek: () => repository.read(by),
    logout: () => repository.delete(by),
    end: () => repository.end(by.id, { unbornMs: 0 }),
    rotate: async () => undefined,
    short: () => repository.setTtl(by, { ttl: 30, ...use }),
  };
  const outcome = await verbs[deed]().catch((error: unknown) => error);
  await new Promise(setImmediate); // what is done behind the answer
  const isRefused = outcome instanceof StoreUnavailableError && outcome.outcome === 'refused';
  const isUnknown = outcome instanceof StoreUnavailableError && outcome.outcome === 'unknown';
  if (!isRefused && !isUnknown) expect(outcome).toBeTruthy();
  const healthy = carryOver({ from, to, phase: 'move' });
  const after = await healthy.access(by, { ...use, refreshAfterMs: 0 });
  const session = typeof after === 'object' ? after : undefined;
  const isEnd = deed === 'logout' || deed === 'end';
  if (isRefused || !isEnd) expect(session, `${deed} ${phase} ${at} ${isApplied}`).toBeDefined();
  else if (!isUnknown) expect(session).toBeUndefined();
  if (deed === 'increment') {
    const sums = isUnknown ? ['0', '1'] : [isRefused ? '0' : '1'];
    expect(sums).toContain(session?.fields.n);
  }
  if (deed === 'short' && !isUnknown) expect(session?.ttl).toBe(isRefused ? 60 : 30);
  return calls;
}

/** The repository with other moves. */
function changed(moves: object): (repository: MovableRepository) => MovableRepository {
  return (repository) => {
    const other = stepwise(repository, async () => {});
    return new Proxy(other, {
      get: (target, name) =>
        name === 'moves'
          ? { ...bound(repository.moves), ...moves }
          : (Reflect.get(target, name, target) as unknown),
    });
  };
}

function bound(moves: MovableRepository['moves']): object {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(moves));
  return Object.fromEntries(
    names.map((name) => [
      name,
      (Reflect.get(moves, name) as (...args: unknown[]) => unknown).bind(moves),
    ]),
  );
}

function nameOf({ actors, ...rest }: Scenario): string {
  const deeds = actors.map(({ phase, deed }) => `${deed} where servers ${phase}`);
  return describeScenario(deeds, rest);
}
