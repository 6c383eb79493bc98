import { describe, expect, it } from 'vitest';
import type { OldKeys } from '../../../src/adapters/express/carry-over/old-keys.ts';
import {
  describeOrders,
  describeScenario,
  everyWay,
  expectViolation,
} from '../carry-over/step-by-step.ts';
import { type Actor, type Deed, runScenario, type Scenario } from './interleavings.ts';
import type { MemoryOldKeys } from './memory-old-keys.ts';

const m = (deed: Deed): Actor => ({ server: 'move', deed });
const p = (deed: Deed): Actor => ({ server: 'prepare', deed });
const plain = (deed: Deed): Actor => ({ server: 'plain', deed });

/** Small enough for every order of their steps. */
const exhaustive: readonly Scenario[] = [
  { actors: [m('read'), m('look')] },
  { actors: [m('read'), p('look')] },
  { actors: [m('read'), m('end')] },
  { actors: [m('logout'), p('write')] },
  { actors: [p('write'), p('write')] },
  { actors: [p('write'), p('logout')] },
  { actors: [p('write'), plain('write')] },
  { actors: [p('read'), plain('write')] },
  { actors: [p('write'), plain('logout')] },
  { actors: [p('look'), plain('logout')] },
  { actors: [p('logout'), plain('write')] },
  { actors: [m('read')], death: true, expiry: true },
  { actors: [m('read')], death: true, user: true },
  { actors: [m('write')], death: true, expiry: true, user: true },
  { actors: [p('write')], death: true, expiry: true },
  { actors: [m('logout')], death: true, expiry: true },
];

/** Too many orders to try all; each run takes others. */
const sampled: readonly Scenario[] = [
  { actors: [m('read'), p('read')], death: true, expiry: true },
  { actors: [m('read')], death: true, expiry: true, user: true },
  { actors: [m('read'), p('logout')], death: true },
  { actors: [m('read'), m('end')], death: true },
  { actors: [m('write'), m('write')], death: true, user: true },
  { actors: [m('write'), p('write')], death: true },
  { actors: [m('write'), p('write'), m('read')], death: true },
  { actors: [m('write'), p('logout'), m('read')], death: true },
  { actors: [m('write'), m('logout'), p('write')], death: true, expiry: true },
  { actors: [m('write'), m('end'), p('write')], death: true, user: true },
  { actors: [m('write'), m('end'), m('read'), p('look')], death: true, expiry: true },
  { actors: [m('read'), p('read'), p('look'), m('look')], death: true, expiry: true },
  { actors: [m('write'), p('write'), m('read')], death: true, refusals: 2 },
  { actors: [m('write'), p('write'), m('logout')], refusals: 3 },
  { actors: [p('write'), p('write'), p('logout')] },
  { actors: [p('write'), p('read'), plain('write'), plain('read')] },
  { actors: [p('write'), p('read'), plain('logout'), plain('read')], expiry: true },
];

describeOrders('a session of connect-redis that moves while servers use it', {
  run: runScenario,
  nameOf,
  exhaustive,
  sampled,
  samples: 1000,
});

describe('a rule that is left out is missed', () => {
  it('a release that does not tell whether the session was there brings an ended one back', async () => {
    await expectViolation(runScenario, {
      ...{ actors: [m('write'), p('logout'), m('read')], death: true },
      broken: (keys) => changed(keys, { release: async () => true }),
    });
  });

  it('a use that does not put off the end of the frozen session is lost when its server dies', async () => {
    const scenario: Scenario = {
      ...{ actors: [m('read')], death: true, expiry: true },
      broken: (keys) => changed(keys, { keep: async () => true }),
    };
    const missed: string[] = [];
    await everyWay(async (choose) => void missed.push(...(await runScenario(scenario, choose))));
    expect(missed).toContain('lost');
  });

  it('a text that is written over whatever the key holds by then loses the change of another server', async () => {
    await expectViolation(runScenario, {
      actors: [p('write'), p('write')],
      broken: (keys) =>
        changed(keys, {
          async replace(sid, _expected, text, ms) {
            const held = await keys.read(sid);
            return held && keys.replace(sid, held.text, text, ms);
          },
        }),
    });
  });

  it('a server that writes a frozen session in its old place loses what it wrote', async () => {
    await expectViolation(runScenario, {
      actors: [m('read'), p('write')],
      broken: (keys) =>
        changed(keys, {
          async read(sid) {
            const held = await keys.read(sid);
            return held && { ...held, frozen: false };
          },
          replace: async () => true,
        }),
    });
  });
});

/** The keys with other steps. */
function changed(keys: MemoryOldKeys, other: Partial<OldKeys>): OldKeys {
  return new Proxy(keys, {
    get: (target, name) =>
      Reflect.get(other, name) ?? (Reflect.get(target, name) as () => void).bind(target),
  });
}

function nameOf({ actors, ...rest }: Scenario): string {
  const deeds = actors.map(({ server, deed }) =>
    server === 'plain' ? `${deed} by connect-redis` : `${deed} where servers ${server}`,
  );
  return describeScenario(deeds, rest);
}
