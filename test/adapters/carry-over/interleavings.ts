import { MemorySessionRepository } from '../../../src/adapters/memory/memory-session-repository.ts';
import { nodeSecrets } from '../../../src/adapters/node/node-secrets.ts';
import { type Credential, mintSecret, mintSession } from '../../../src/domain/session-token.ts';
import {
  carryOver,
  type MovableRepository,
  type SessionRepository,
  StoreUnavailableError,
} from '../../../src/index.ts';
import { type Choose, type Happenings, Stage, stepwise } from './step-by-step.ts';

/** What somebody does with the session, once. */
export type Deed = 'increment' | 'get' | 'peek' | 'logout' | 'end' | 'rotate' | 'short';

/** Who does what: a server of that phase, or the time that lets the session run out if nobody uses it. */
export interface Actor {
  readonly phase: 'prepare' | 'move';
  readonly deed: Deed;
}

/** What takes place at once. */
export interface Scenario extends Happenings {
  readonly actors: readonly Actor[];
  readonly user?: string;
  /** Breaks a rule of a store, to see that the rule is needed. */
  readonly broken?: {
    readonly from?: (repository: MovableRepository) => MovableRepository;
    readonly to?: (repository: MovableRepository) => MovableRepository;
  };
}

interface Deeds {
  readonly actor: Actor;
  readonly begin: number;
  end: number;
  outcome: unknown;
  dead: boolean;
}

const FIRST = '2026-04-02T12:34:56+00:00';
const LATER = '2026-04-02T12:40:00+00:00';
const limits = { maxFields: 9, maxTotalBytes: 999 };
const TTL = 60;

/**
 * Runs the scenario, each call to a store being a step, in the order that is chosen; and answers what was promised and not
 * kept, if anything.
 */
export async function runScenario(scenario: Scenario, choose: Choose): Promise<string[]> {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const from = new MemorySessionRepository(clock);
  const to = new MemorySessionRepository(clock);
  const { credential } = mintSession(nodeSecrets);
  const next = mintSecret(credential.id, nodeSecrets).credential;
  const { user } = scenario;
  if (user !== undefined) {
    await from.users.add({ user, id: credential.id, keepMs: 1e9, max: undefined });
  }
  await from.create({
    ...{ credential, user, fields: new Map([['n', '0']]), ttl: TTL, lifetime: undefined },
    ...{ device: {}, persistent: false, at: FIRST },
  });

  const stage = new Stage(choose, scenario);
  const all: Deeds[] = [];
  const begin = (actor: Actor) => {
    const wait = stage.waitAs.bind(stage, all.length);
    const { steps } = stage;
    const deed: Deeds = { actor, begin: steps, end: Infinity, outcome: undefined, dead: false };
    all.push(deed);
    const repository = carryOver({
      from: stepwise(scenario.broken?.from?.(from) ?? from, wait),
      to: stepwise(scenario.broken?.to?.(to) ?? to, wait, stage.callNew),
      phase: actor.phase,
    });
    const finish = (outcome: unknown) => {
      deed.outcome = outcome;
      deed.end = stage.steps;
    };
    act(repository, actor.deed, credential, next).then(finish, finish);
  };
  for (const actor of scenario.actors) begin(actor);
  const die = (victim: number) => {
    (all[victim] as Deeds).dead = true;
    begin({ phase: 'move', deed: 'increment' });
  };
  const runOut = () => {
    now += TTL * 1000;
  };
  await stage.play({
    death: scenario.death ? die : undefined,
    expiry: scenario.expiry ? runOut : undefined,
  });
  return judge();

  async function judge(): Promise<string[]> {
    const wrong: string[] = [];
    const repository = carryOver({ from, to, phase: 'move' });
    const isRefused = (outcome: unknown) =>
      scenario.refusals !== undefined &&
      outcome instanceof StoreUnavailableError &&
      outcome.outcome === 'refused';
    const rotated = all.some(({ actor }) => actor.deed === 'rotate');
    const opens = async (by: Credential) => {
      const session = await repository.read(by);
      return typeof session === 'object' ? session : undefined;
    };
    const last = (await opens(next)) ?? (await opens(credential));
    for (const { outcome } of all) {
      if (outcome instanceof Error && !isRefused(outcome)) wrong.push(String(outcome));
    }
    const ended = all.filter(
      ({ actor, outcome }) =>
        (actor.deed === 'logout' || actor.deed === 'end') &&
        typeof outcome === 'object' &&
        !isRefused(outcome),
    );
    if (ended.length > 1) wrong.push('ended twice');
    const ending = all.some(({ actor }) => actor.deed === 'logout' || actor.deed === 'end');
    const mayBeGone = ending || scenario.expiry === true;
    const absent = all.filter(({ outcome, end }) => outcome === undefined && end !== Infinity);
    for (const { actor } of absent) {
      if (!mayBeGone && !rotated) wrong.push(`${actor.deed} was told that there is no session`);
    }
    for (const gone of [...ended, ...(rotated ? [] : absent)]) {
      for (const deed of all) {
        const { outcome } = deed;
        const alive = outcome !== undefined && outcome !== 'reused' && !isRefused(outcome);
        if (gone.end < deed.begin && alive) wrong.push(`${deed.actor.deed} found it after its end`);
      }
      if (last !== undefined) wrong.push(`alive although ${gone.actor.deed} was told of its end`);
    }
    if (last === undefined && !mayBeGone) wrong.push('lost');
    const isThere = (await to.find(credential.id)) ?? (await from.find(credential.id));
    // Who died, or does not know, may leave a copy that nobody can use, until it runs out.
    const isTidy = !scenario.death && scenario.refusals === undefined;
    if (last === undefined && isThere !== undefined && isTidy) wrong.push('left behind');
    const increments = all.filter(({ actor }) => actor.deed === 'increment');
    const counted = increments.filter(({ outcome }) => typeof outcome === 'number');
    const sums = new Set(counted.map(({ outcome }) => outcome));
    if (sums.size < counted.length) wrong.push('two increments answered the same');
    if (last !== undefined) {
      const maybe = increments.filter(({ dead, end }) => dead && end === Infinity).length;
      const n = Number(last.fields.n);
      if (n < counted.length || n > counted.length + maybe) {
        wrong.push(`${counted.length} increments acknowledged, ${n} kept`);
      }
      if (all.some(({ actor, outcome }) => actor.deed === 'short' && outcome === true)) {
        if (last.ttl !== 30) wrong.push(`the ttl is ${last.ttl}`);
      }
      if (user !== undefined) {
        const page = { from: 'oldest', limit: 9 } as const;
        const listed = await repository.users.list(user, page);
        if (listed.map(({ id }) => id).join() !== credential.id) {
          wrong.push(`${listed.length} entries in the index`);
        }
        // In whichever place the session is used, its entry is there.
        const there = typeof (await to.read(credential)) === 'object' ? to : from;
        if ((await there.moves.placeOf(user, credential.id)) === undefined) wrong.push('unlisted');
      }
    }
    return wrong;
  }
}

async function act(
  repository: SessionRepository,
  deed: Deed,
  by: Credential,
  next: Credential,
): Promise<unknown> {
  switch (deed) {
    case 'increment':
      return repository.increment(by, { field: 'n', by: 1, limits, at: LATER });
    case 'get':
      return repository.access(by, { at: LATER, refreshAfterMs: 0 });
    case 'peek':
      return repository.read(by);
    case 'logout':
      return repository.delete(by);
    case 'end':
      return repository.end(by.id, { unbornMs: 60_000 });
    case 'rotate':
      return repository.rotate(by, {
        ...{ next: next.secretHash, graceMs: 0, reauthenticated: undefined, at: LATER },
      });
    case 'short':
      return repository.setTtl(by, { ttl: 30, at: LATER });
  }
}
