import { setTimeout as wait } from 'node:timers/promises';
import { connectRedis } from '../../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import {
  carryOver,
  moveSessions,
  SessionService,
  type SessionToken,
  StoreUnavailableError,
} from '../../src/index.ts';
import { scanSessions } from '../../src/redis.ts';
import { pick } from '../support/pick.ts';
import type { RedisServer } from '../support/redis-server.ts';
import type { Action, Call, Outcome } from './history.ts';
import { beginSteadyLoad } from './steady-load.ts';

/** What a server runs with. */
type Stage = 'old' | 'prepare' | 'move' | 'new';

/** A server: its connections, which break when it is killed. */
interface Server {
  readonly service: SessionService;
  kill(): void;
}

/** How much is moved, and under which load. */
export interface CarryOverLoad {
  readonly sessions: number;
  readonly requestsPerSecond: number;
  /** Milliseconds that each stage of the rolling restart lasts, at least. */
  readonly stageMs: number;
  /** Something that happens when all servers move sessions, and before the cold ones are moved. */
  readonly meanwhile?: () => Promise<void>;
}

/** What happened. */
export interface Carried {
  readonly calls: readonly Call[];
  readonly moved: number;
  readonly leftInOld: number;
  readonly requests: number;
  readonly seconds: number;
}

const SERVERS = 4;
const SEEDING_AT_ONCE = 100;

/** As the command line has it. */
const PATIENT = { commandTimeoutMs: 10_000 };

/**
 * Starts sessions in one Redis and moves them to another, while browsers use them by turns through four servers, which are
 * killed and replaced one by one: old, then preparing, then moving; then the cold sessions are moved; then the servers know
 * the new Redis alone. What every browser was told is answered.
 */
export async function carryUnderLoad(
  from: RedisServer,
  to: RedisServer,
  { sessions, requestsPerSecond, stageMs, meanwhile }: CarryOverLoad,
  say: (text: string) => void = () => {},
): Promise<Carried> {
  const calls: Call[] = [];
  const began = performance.now();
  const begin = async (stage: Stage): Promise<Server> => {
    const connections = await Promise.all(
      [from, to].map(({ host, port }) => connectRedis({ kind: 'server', host, port })),
    );
    const [old, own] = connections.map(({ client }) => new RedisSessionRepository({ client }));
    if (old === undefined || own === undefined) throw new Error('Two stores are two.');
    const repository =
      stage === 'old'
        ? old
        : stage === 'new'
          ? own
          : carryOver({ from: old, to: own, phase: stage });
    return {
      service: new SessionService({ repository }),
      kill: () => {
        for (const { client } of connections) client.disconnect();
      },
    };
  };

  const servers = await Promise.all(Array.from({ length: SERVERS }, () => begin('old')));
  // What is there before the load is no part of what is judged, and may take its time.
  const seeding = await connectRedis({ kind: 'server', host: from.host, port: from.port }, PATIENT);
  const seeder = new SessionService({
    repository: new RedisSessionRepository({ client: seeding.client }),
  });
  const known: { readonly id: string; token: SessionToken; gone: boolean }[] = [];
  while (known.length < sessions) {
    const started = await Promise.all(
      Array.from({ length: Math.min(SEEDING_AT_ONCE, sessions - known.length) }, async () => {
        const begin = performance.now();
        const user = `user-${Math.floor(Math.random() * sessions)}`;
        const { token, session } = await seeder.create({}, { user, ttl: 3600 });
        return { id: session.id, token, begin, end: performance.now() };
      }),
    );
    for (const { id, token, begin, end } of started) {
      known.push({ id, token, gone: false });
      const action = { kind: 'create' } as const;
      calls.push({ session: id, action, outcome: { kind: 'ok' }, begin, end });
    }
  }
  await seeding.close();
  say(`${sessions} sessions began in ${seconds(began)} s`);

  // Half of the requests are for few sessions, as some people are busy.
  const busy = Math.max(20, Math.floor(sessions / 100));
  let marks = 0;
  const unexpected: unknown[] = [];

  async function call(session: string, action: Action, run: () => Promise<Outcome>) {
    const begin = performance.now();
    const outcome = await run().catch((error: unknown): Outcome => {
      if (error instanceof StoreUnavailableError) return { kind: error.outcome };
      unexpected.push(error);
      return { kind: 'unknown' };
    });
    calls.push({ session, action, outcome, begin, end: performance.now() });
    return outcome;
  }

  async function read(service: SessionService, { id, token }: (typeof known)[number]) {
    await call(id, { kind: 'read' }, async () => {
      const session = await service.get(token);
      if (session === undefined) return { kind: 'absent' };
      const { n = '0', ...marked } = session.fields;
      return { kind: 'ok', count: Number(n), marks: new Set(Object.keys(marked)) };
    });
  }

  async function request(): Promise<void> {
    const session = known[Math.floor(Math.random() * (Math.random() < 0.5 ? busy : sessions))];
    if (session === undefined) return;
    const { service } = pick(servers);
    const dice = Math.random();
    const { id, token } = session;
    if (dice < 0.5) return read(service, session);
    if (dice < 0.8) {
      await call(id, { kind: 'increment' }, async () => {
        const count = await service.increment(token, 'n');
        return count === undefined ? { kind: 'absent' } : { kind: 'ok', count };
      });
    } else if (dice < 0.99) {
      marks += 1;
      const name = `m${marks % 40}-${marks}`;
      await call(id, { kind: 'mark', name }, async () => ({
        kind: (await service.update(token, { set: { [name]: '1' } })) ? 'ok' : 'absent',
      }));
    } else if (Math.random() < 0.5) {
      const outcome = await call(id, { kind: 'delete' }, async () => ({
        kind: (await service.delete(token)) ? 'ok' : 'absent',
      }));
      session.gone ||= outcome.kind === 'ok';
    } else {
      const outcome = await call(id, { kind: 'delete' }, async () => ({
        kind: (await service.end(id)) ? 'ok' : 'absent',
      }));
      session.gone ||= outcome.kind === 'ok';
    }
  }

  const load = beginSteadyLoad(requestsPerSecond, request);

  const replaceAll = async (stage: Stage) => {
    for (let i = 0; i < SERVERS; i += 1) {
      await wait(stageMs / SERVERS);
      const next = await begin(stage);
      const [before] = servers.splice(i, 1, next);
      before?.kill(); // in the middle of whatever it does
    }
    await wait(stageMs / SERVERS);
    say(
      `all servers run with ${stage} after ${seconds(began)} s, ${load.requests} requests so far`,
    );
  };

  let moved = 0;
  let leftInOld = 0;
  try {
    await replaceAll('prepare');
    await replaceAll('move');
    await meanwhile?.();
    const [mover, target] = await Promise.all([
      connectRedis({ kind: 'server', host: from.host, port: from.port }, PATIENT),
      connectRedis({ kind: 'server', host: to.host, port: to.port }, PATIENT),
    ]);
    const scan = () => scanSessions({ client: mover.client });
    try {
      for await (const progress of moveSessions({
        from: new RedisSessionRepository({ client: mover.client }),
        to: new RedisSessionRepository({ client: target.client }),
        scan,
      })) {
        moved = progress.moved;
      }
      say(`the mover has moved ${moved} sessions after ${seconds(began)} s`);
      for await (const ids of scan()) leftInOld += ids.length;
      await replaceAll('new');
    } finally {
      mover.client.disconnect();
      target.client.disconnect();
    }
  } finally {
    await load.stop();
  }
  const { service } = servers[0] as Server;
  for (let i = 0; i < known.length; i += SEEDING_AT_ONCE) {
    await Promise.all(known.slice(i, i + SEEDING_AT_ONCE).map((session) => read(service, session)));
  }
  for (const server of servers) server.kill();
  if (unexpected.length > 0) throw unexpected[0];
  return { calls, moved, leftInOld, requests: load.requests, seconds: seconds(began) };
}

function seconds(began: number): number {
  return Math.round((performance.now() - began) / 1000);
}
