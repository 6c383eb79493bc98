import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { connectRedis, type RedisConnection } from '../../src/adapters/redis/connect-redis.ts';
import { type NearCache, openNearCache } from '../../src/adapters/redis/near-cache/near-cache.ts';
import { RedisSessionRepository } from '../../src/adapters/redis/redis-session-repository.ts';
import { type Session, SessionService, StoreUnavailableError } from '../../src/index.ts';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { killReaders } from '../support/near-cache-connections.ts';
import { patient } from '../support/patience.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.ts';
import { until } from '../support/until.ts';

const WALK_MS = 12_000;
const SESSIONS = 40;

/** So often each must have answered from memory for the walk to say something: on a busy machine it takes longer. */
const LEAST_HITS = 100;

/** How much longer than a reply Redis' word of a change may take: the two come by connections that know nothing of each other. */
const WORD_MS = 100;

/** How late a change elsewhere may be seen here: Redis' word, and a busy machine. */
const LAG_MS = 200 + WORD_MS;

/** How much later than a use its slide may be done. */
const PUT_OFF_MS = 1250 + LAG_MS;

interface App {
  readonly service: SessionService;
  readonly nearCache?: NearCache;
}

interface Change {
  readonly by: App | undefined;
  readonly begin: number;
  end: number;
}

/** What was asked of a session and answered, by this machine's clock. */
interface Known {
  token: string;
  readonly id: string;
  readonly ttls: number[];
  readonly counts: (Change & { readonly count: number })[];
  readonly uses: { readonly begin: number; readonly end: number }[];
  readonly ends: Change[];
  /** Until then nobody uses it, so that its last use is what slides it. */
  restsUntil: number;
  /** Tokens that were replaced, each without a grace. */
  readonly replaced: (Change & { readonly token: string })[];
}

describeWithServers('near caches in a random walk', () => {
  let server: RedisServer;
  let admin: Redis;
  const connections: RedisConnection[] = [];
  const networks: TcpProxy[] = [];
  const apps: App[] = [];
  const [seed = randomInt(2 ** 31)] = [process.env.SEED].filter(Boolean).map(Number);
  const random = mulberry32(seed);
  const pick = <T>(things: readonly T[]) => things[Math.floor(random() * things.length)] as T;

  beforeAll(async () => {
    server = await startRedisServer({ binary: redisBinary() });
    admin = new Redis(server.port, server.host);
    for (const isNear of [true, true, false]) {
      const network = isNear ? await startTcpProxy(server) : undefined;
      if (network) networks.push(network);
      network?.disturb(async (piece, { arrivedAt, pass }) => {
        const isWord = piece.includes('__redis__:invalidate');
        const delayMs = isWord ? random() * WORD_MS : random() < 0.1 ? random() * 20 : 0;
        const leftMs = arrivedAt + delayMs - performance.now();
        if (leftMs > 0) await wait(leftMs);
        pass(piece);
      });
      const { host, port } = network ?? server;
      const connection = await connectRedis({ kind: 'server', host, port }, patient);
      connections.push(connection);
      const { client } = connection;
      const nearCache = isNear ? openNearCache({ client }) : undefined;
      const repository = nearCache?.repository ?? new RedisSessionRepository({ client });
      const service = new SessionService({ repository, rememberTokens: isNear ? 100 : 0 });
      apps.push({ service, ...(nearCache && { nearCache }) });
    }
    await until('all are trusted', async () => trusted());
  });
  afterAll(async () => {
    for (const { nearCache } of apps) await nearCache?.close();
    for (const connection of connections) await connection.close();
    for (const network of networks) await network.stop();
    admin?.disconnect();
    await server?.stop();
  });
  const trusted = () => apps.every(({ nearCache }) => nearCache?.stats().trusted !== false);

  it(
    'keep every promise',
    async () => {
      const wrong: string[] = [];
      let sessions: Known[] = [];
      const began = performance.now();
      const near = apps.flatMap(({ nearCache }) => nearCache ?? []);
      const hits = () => Math.min(...near.map((one) => one.stats().hits));
      const isOver = () => performance.now() - began > WALK_MS && hits() > LEAST_HITS;
      while (wrong.length === 0 && !isOver()) {
        while (sessions.length < SESSIONS) {
          const created = await unlessAway(create());
          if (created === undefined) await wait(20);
          else sessions.push(created);
        }
        const chosen = sessions.filter(
          ({ restsUntil }) => random() < 0.5 && restsUntil < performance.now(),
        );
        // Those that nobody keeps any more are asked for by several at once.
        await Promise.all(chosen.map((session) => random() < 0.3 && change(session)));
        await wait(40);
        // What waits for a Redis that stands still it does in one turn, and tells of once.
        const still = random() < 0.8;
        if (still) server.pause();
        const steps = chosen.flatMap((session) =>
          Array.from(
            { length: 3 + Math.floor(random() * 3) },
            () => [session, random() * (random() < 0.8 ? 6 : 250)] as const, // connections that were cut are made again meanwhile
          ),
        );
        const done = steps.map(async ([session, delayMs]) => {
          await wait(delayMs);
          await unlessAway(step(session, wrong));
        });
        const alone = chosen.filter(() => random() < 0.2);
        done.push(...alone.map((session) => unlessAway(lone(session, wrong))));
        if (random() < 0.5) done.push(cut());
        await wait(20);
        if (still) server.resume();
        await Promise.all(done);
        if (random() < 0.03) await flush(sessions);
        await wait(LAG_MS + 20);
        await Promise.all(sessions.map((session) => unlessAway(settled(session, wrong))));
        sessions = sessions.filter(({ ends, uses, ttls }) => {
          const until = (uses.at(-1)?.end ?? 0) + Math.max(...ttls) * 1000 + PUT_OFF_MS;
          return (
            ends.every(({ end }) => end > performance.now() - 1000) && performance.now() < until
          );
        });
      }
      expect(wrong.slice(0, 5), `seed ${seed}`).toEqual([]);
    },
    WALK_MS * 5,
  );

  async function create(): Promise<Known> {
    const ttl = pick([1, 4, 4, 60]); // below 5 seconds each use slides at once
    const begin = performance.now();
    const { token, session } = await pick(apps).service.create({}, { ttl });
    const uses = [{ begin, end: performance.now() }];
    return {
      token,
      id: session.id,
      ttls: [ttl],
      counts: [],
      uses,
      ends: [],
      restsUntil: 0,
      replaced: [],
    };
  }

  /** By the one without a near cache. */
  async function change(session: Known): Promise<void> {
    const by = apps[2] as App;
    const begin = performance.now();
    const count = await by.service.increment(session.token, 'n');
    if (count === undefined) return;
    session.counts.push({ by, begin, end: performance.now(), count });
    session.uses.push({ begin, end: performance.now() });
  }

  /** A last use, by one who asks for the session already, for another reason. Then nobody uses it for a while. */
  async function lone(session: Known, wrong: string[]): Promise<void> {
    session.restsUntil = performance.now() + 100 + PUT_OFF_MS + 2 * LAG_MS;
    await wait(100); // by then the others have done what they do
    const app = pick(apps);
    await change(session);
    await wait(LAG_MS);
    const looks = [false, true].map((refresh) =>
      look(app, session, session.token, { refresh }, wrong),
    );
    await Promise.all(looks);
  }

  /** Ends the connections by which the near caches hear, or those by which they read, while they are used. */
  async function cut(): Promise<void> {
    await wait(random() * 30);
    if (random() < 0.5) await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    else await killReaders(server);
  }

  /** One call of one of them, and often a look afterwards by the same. */
  async function step(session: Known, wrong: string[]): Promise<void> {
    const app = pick(apps);
    const { service } = app;
    const { token } = session;
    const begin = performance.now();
    const change = (): Change => ({ by: app, begin, end: performance.now() });
    const used = () => session.uses.push({ begin, end: performance.now() });
    const dice = random();
    if (dice < 0.65) {
      await look(app, session, token, { refresh: dice < 0.45 }, wrong);
    } else if (dice < 0.87) {
      const count = await (dice < 0.84
        ? service.increment(token, 'n')
        : service
            .durably((own) => own.increment(token, 'n'), { timeoutMs: 1 })
            .then(({ answer }) => answer));
      if (count !== undefined) {
        session.counts.push({ ...change(), count });
        used();
      }
    } else if (dice < 0.89) {
      const ttl = pick([1, 4, 60]);
      session.ttls.push(ttl); // may be done whatever is answered
      if (await service.setTtl(token, ttl)) used();
    } else if (dice < 0.92) {
      const replacing = { ...change(), end: Infinity, token };
      session.replaced.push(replacing);
      const next = await service.rotate(token);
      if (next) {
        session.token = next;
        replacing.end = performance.now();
        used();
      }
    } else if (dice < 0.96) {
      const { token: other } = await service.create();
      const forged = `${token.split('.')[0]}.${other.split('.')[1]}`;
      if (await service.get(forged)) wrong.push('a wrong secret opened a session');
    } else {
      const ending = { ...change(), end: Infinity };
      session.ends.push(ending);
      const ended = await (dice < 0.98 ? service.delete(token) : service.end(session.id));
      if (ended) ending.end = performance.now();
    }
    if (random() < 0.2) await look(app, session, token, { refresh: false }, wrong);
    if (random() < 0.1) await look(app, session, session.token, { refresh: true }, wrong);
  }

  /** Reads, and judges the answer. */
  async function look(
    app: App,
    known: Known,
    token: string,
    { refresh }: { readonly refresh: boolean },
    wrong: string[],
  ): Promise<Session | undefined> {
    const begin = performance.now();
    const session = await app.service.get(token, { refresh });
    const end = performance.now();
    const say = (what: string) => wrong.push(`${what} (app ${apps.indexOf(app)}, ${known.id})`);
    // What has to be seen by now.
    const seen = (change: Change) => change.end < begin - (change.by === app ? 0 : LAG_MS);
    if (session === undefined) {
      const isEnded = known.ends.some((ending) => ending.begin <= end);
      const isReplaced = known.replaced.some((one) => one.token === token && one.begin <= end);
      const lastUse = Math.max(...known.uses.map((use) => use.begin));
      const isIdle = end - lastUse > Math.min(...known.ttls) * 1000 - 20;
      if (!isEnded && !isReplaced && !isIdle) say('absent, and nobody ended it');
      return undefined;
    }
    const count = Number(session.fields.n ?? 0);
    const least = Math.max(0, ...known.counts.filter(seen).map((one) => one.count));
    if (count < least) say(`counted ${count}, which was ${least} before`);
    if (known.ends.some(seen)) say('alive, and was ended before');
    if (known.replaced.some((one) => one.token === token && seen(one)))
      say('opened by an old token');
    const lastUse = Math.max(...known.uses.map((use) => use.end));
    if (begin - lastUse > Math.max(...known.ttls) * 1000 + PUT_OFF_MS) say('alive, and long idle');
    if (!(session.remainingMs > 0 && session.remainingMs <= session.ttl * 1000))
      say(`${session.remainingMs} ms left of ${session.ttl} s`);
    if (refresh) known.uses.push({ begin, end });
    return session;
  }

  /** With nothing done for a while: all see what Redis has, and slides that were put off are done. */
  async function settled(known: Known, wrong: string[]): Promise<void> {
    const looks = apps.map((app) => look(app, known, known.token, { refresh: false }, wrong));
    const [first, ...others] = await Promise.all(looks);
    for (const other of others) {
      const isRunningOut = Math.min(first?.remainingMs ?? 0, other?.remainingMs ?? 0) < 100;
      const same = first?.fields.n === other?.fields.n && first?.ttl === other?.ttl;
      if (!same && !isRunningOut) wrong.push(`seen differently (${known.id})`);
    }
    const uses = { begin: 0, end: 0 };
    for (const { begin, end } of known.uses) {
      uses.begin = Math.max(uses.begin, begin);
      uses.end = Math.max(uses.end, end);
    }
    const asked = performance.now();
    if (asked - uses.end < PUT_OFF_MS) return;
    const left = await admin.pttl(`session:${known.id}`);
    if (left < 0) return;
    const [ttl] = known.ttls.length === 1 ? known.ttls : []; // else nobody knows which came last
    if (ttl === undefined) return;
    if (left < ttl * 1000 - (performance.now() - uses.begin) - 5)
      wrong.push(`a use did not slide (${known.id})`);
    if (left > ttl * 1000 - (asked - uses.end) + PUT_OFF_MS)
      wrong.push(`slid by nobody (${known.id})`);
  }

  async function flush(sessions: readonly Known[]): Promise<void> {
    const begin = performance.now();
    await admin.flushall(); // a server of our own
    const end = performance.now();
    for (const { ends } of sessions) ends.push({ by: undefined, begin, end });
  }
});

/** Nothing where the store could not be asked: connections were cut, and are made again in their time. */
async function unlessAway<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error) => {
    if (!(error instanceof StoreUnavailableError)) throw error;
    return undefined;
  });
}
