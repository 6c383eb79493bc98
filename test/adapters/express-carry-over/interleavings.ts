import type { SessionData } from 'express-session';
import type { OldKeys } from '../../../src/adapters/express/carry-over/old-keys.ts';
import { OldSessions } from '../../../src/adapters/express/carry-over/old-sessions.ts';
import { SojournStore } from '../../../src/adapters/express/session-store.ts';
import { MemorySessionRepository } from '../../../src/adapters/memory/memory-session-repository.ts';
import { type MovableRepository, StoreUnavailableError } from '../../../src/index.ts';
import { type Choose, type Happenings, Stage, stepwise } from '../carry-over/step-by-step.ts';
import { MemoryOldKeys } from './memory-old-keys.ts';

/**
 * What somebody does with the session, once: a request that only reads it, or writes a key of its own; a logout; a tool that
 * looks; an end by the id, of whoever knows the new place alone.
 */
export type Deed = 'read' | 'write' | 'logout' | 'look' | 'end';

/** Who does it: a server of that phase, or one of plain connect-redis. */
export interface Actor {
  readonly server: 'plain' | 'prepare' | 'move';
  readonly deed: Deed;
}

/** What takes place at once. */
export interface Scenario extends Happenings {
  readonly actors: readonly Actor[];
  /** Whether it is a user's, who has an index in the new place. */
  readonly user?: boolean;
  /** Breaks a rule of the old place, to see that the rule is needed. */
  readonly broken?: (keys: MemoryOldKeys) => OldKeys;
}

interface Done {
  readonly actor: Actor;
  readonly number: number;
  readonly begin: number;
  end: number;
  /** The time when it began. */
  readonly beganAt: number;
  /** The time when it was done. */
  doneAt: number;
  /** `true` where the session was there, `undefined` where it was not; an error. */
  outcome: unknown;
}

type Session = SessionData & Record<string, unknown>;

const SID = 'the-session-id-of-a-browser-4tXq2';
const TTL_MS = 60_000;
/** How much is left at first, of a session that was last used a while ago. */
const LEFT_MS = 20_000;
const PASSING_MS = 30_000;
const cookie = { originalMaxAge: TTL_MS, httpOnly: true, path: '/' };

/**
 * Runs the scenario, each call to a store being a step, in the order that is chosen; and answers what was promised and not
 * kept, if anything.
 */
export async function runScenario(scenario: Scenario, choose: Choose): Promise<string[]> {
  let now = Date.parse('2026-04-02T12:34:56Z');
  const clock = { now: () => now };
  const keys = new MemoryOldKeys(clock);
  const to = new MemorySessionRepository(clock);
  keys.set(SID, JSON.stringify({ cookie, user: 'ada' }), LEFT_MS);
  const leftUntil = now + LEFT_MS;

  const stage = new Stage(choose, scenario);
  const all: Done[] = [];

  const storeOf = (phase: 'prepare' | 'move', old: OldKeys, repository: MovableRepository) =>
    new SojournStore({
      ...{ repository, clock, carryOver: new OldSessions(old, {}, phase) },
      userOf: (session) => (scenario.user ? String((session as Session).user) : undefined),
    });

  const begin = (actor: Actor) => {
    const number = all.length;
    const one: Done = {
      actor,
      number,
      begin: stage.steps,
      end: Infinity,
      beganAt: now,
      doneAt: Infinity,
      outcome: undefined,
    };
    all.push(one);
    const wait = stage.waitAs.bind(stage, number);
    const old = stepwise(scenario.broken?.(keys) ?? keys, wait);
    const own = stepwise<MovableRepository>(to, wait, stage.callNew);
    const finish = (outcome: unknown) => {
      one.outcome = outcome;
      one.end = stage.steps;
      one.doneAt = now;
    };
    const name = `k${number}`;
    const work =
      actor.server === 'plain'
        ? actPlainly(keys, wait, actor.deed, name)
        : act(storeOf(actor.server, old, own), own, actor.deed, name);
    work.then(finish, finish);
  };

  for (const actor of scenario.actors) begin(actor);
  // The browser of a server that dies asks again, and gets to a server that moves.
  const die = () => begin({ server: 'move', deed: 'write' });
  // Enough for the session to run out, unless it has been used meanwhile.
  const passTime = () => {
    now += PASSING_MS;
  };
  await stage.play({
    death: scenario.death ? die : undefined,
    expiry: scenario.expiry ? passTime : undefined,
  });
  return judge();

  async function judge(): Promise<string[]> {
    const wrong: string[] = [];
    const store = storeOf('move', keys, to);
    const last = (await store.get(SID)) as Session | null;
    const isRefused = (outcome: unknown) =>
      scenario.refusals !== undefined && outcome instanceof StoreUnavailableError;
    for (const { outcome } of all) {
      if (outcome instanceof Error && !isRefused(outcome)) wrong.push(String(outcome));
    }
    const isEnd = ({ actor }: Done) => actor.deed === 'logout' || actor.deed === 'end';
    const ended = all.filter((done) => isEnd(done) && done.outcome === true);
    const mayBeGone = all.some(isEnd) || now >= aliveUntil();
    const absent = all.filter((done) => done.outcome === undefined && done.end !== Infinity);
    for (const { actor } of absent.filter((done) => !isEnd(done))) {
      if (!mayBeGone) wrong.push(`${actor.deed} was told that there is no session`);
    }
    for (const gone of [...ended, ...absent.filter((done) => !isEnd(done))]) {
      // Plain connect-redis brings back what it has read before.
      const isBack = ({ actor, end }: Done) =>
        actor.server === 'plain' && actor.deed === 'write' && end >= gone.begin;
      if (all.some(isBack)) continue;
      for (const done of all) {
        const found = done.outcome === true && !isEnd(done);
        if (found && gone.end < done.begin) wrong.push(`${done.actor.deed} found it after its end`);
      }
      if (last !== null) wrong.push(`alive although ${gone.actor.deed} was told of its end`);
    }
    if (last === null && !mayBeGone) wrong.push('lost');
    if (last === null) return wrong;
    for (const { actor, number, outcome, end } of all) {
      if (actor.deed !== 'write') continue;
      // Plain connect-redis writes the session as a whole, as it was when the request began.
      const isCovered = all.some((other) => other.actor.server === 'plain' && other.end > end);
      const isKept = last[`k${number}`] === true;
      const mayBeLost = actor.server === 'prepare' && isCovered;
      if (outcome === true && !isKept && !mayBeLost) wrong.push(`the write of ${number} is lost`);
    }
    if (last.cookie.originalMaxAge !== TTL_MS || last.user !== 'ada') wrong.push('it has changed');
    const id = store.idOf(SID);
    if (
      scenario.user &&
      (await to.find(id)) !== undefined &&
      (await to.moves.placeOf('ada', id)) === undefined
    ) {
      const isInUse = (await storeOf('move', new MemoryOldKeys(clock), to).get(SID)) !== null;
      if (isInUse) wrong.push('unlisted');
    }
    return wrong;
  }

  /** Until when it lasts for sure, if nobody ends it: from each use on that was acknowledged. */
  function aliveUntil(): number {
    const uses = all.filter(
      ({ actor, outcome }) => outcome === true && (actor.deed === 'read' || actor.deed === 'write'),
    );
    return uses
      .sort((a, b) => a.end - b.end)
      .reduce(
        (until, { beganAt, doneAt }) =>
          doneAt < until ? Math.max(until, beganAt + TTL_MS) : until,
        leftUntil,
      );
  }
}

/** A request of express-session, or a tool. */
async function act(
  store: SojournStore,
  to: MovableRepository,
  deed: Deed,
  name: string,
): Promise<true | undefined> {
  if (deed === 'end') {
    return (await to.end(store.idOf(SID), { unbornMs: 0 })) && true;
  }
  const session = (await store.get(SID)) as Session | null;
  if (deed === 'logout') {
    await store.destroy(SID);
    return true;
  }
  if (session === null) return undefined;
  if (deed === 'read') await store.touch(SID, session);
  if (deed === 'write') {
    session[name] = true;
    await store.set(SID, session);
  }
  return true;
}

/** What plain connect-redis makes of the same request. */
async function actPlainly(
  keys: MemoryOldKeys,
  wait: () => Promise<void>,
  deed: Deed,
  name: string,
): Promise<true | undefined> {
  await wait();
  const found = await keys.read(SID);
  if (found === undefined) return undefined;
  await wait();
  if (deed === 'logout') await keys.remove(SID);
  if (deed === 'read') await keys.expire(SID, TTL_MS);
  if (deed === 'write') {
    keys.set(SID, JSON.stringify({ ...JSON.parse(found.text), [name]: true }), TTL_MS);
  }
  return true;
}
