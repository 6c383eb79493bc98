import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Cluster, Redis } from 'ioredis';
import { connectRedis } from '../src/adapters/redis/connect-redis.ts';
import { scanSessions } from '../src/adapters/redis/inspect/scan-sessions.ts';
import type { RedisAddress } from '../src/adapters/redis/redis-address.ts';
import { RedisSessionRepository } from '../src/adapters/redis/redis-session-repository.ts';
import { batchesOf } from '../src/domain/pace.ts';
import { SojournStore } from '../src/express.ts';
import { type SessionPage, SessionService } from '../src/index.ts';
import { thisMachine } from '../test/support/provision.ts';
import { provisionRedis } from '../test/support/provision-redis.ts';
import { startRedisCluster } from '../test/support/redis-cluster.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { type Bystander, watch } from './measure/bystander.ts';
import { describeMachine } from './measure/machine.ts';
import { summarize } from './measure/statistics.ts';
import { progress } from './report/progress.ts';
import { figure, spread, table } from './report/table.ts';

const USAGE = `npm run bench:bulk -- [options]
  --sessions N      of one user (default 100000)
  --quiet SECONDS   to measure others without bulk work, before each piece of it (default 5)
  --rounds N        of each piece of work (default 3)
  --only TEXT       only pieces of work whose name contains it
  --cluster         on three primaries with a replica each`;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    quiet: { type: 'string', default: '5' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    cluster: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const sessions = Number(values.sessions);
const rounds = Number(values.rounds);

const binary = await provisionRedis(thisMachine());
if (binary === undefined) throw new Error('The benchmarks need redis-server on PATH.');
const running = await (values.cluster
  ? startRedisCluster({ binary })
  : startRedisServer({ binary }));
const address: RedisAddress =
  'addresses' in running
    ? { kind: 'cluster', nodes: running.addresses }
    : { kind: 'server', host: running.host, port: running.port };
const { client, close } = await connectRedis(address);
/** What prepares a round has time, however busy the machine is. */
const patient =
  'addresses' in running ? new Cluster([...running.addresses]) : new Redis(running.url);

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const prefix = 'bulk:';
const repository = new RedisSessionRepository({ client, prefix });
const service = new SessionService({ repository });
const store = new SojournStore({ repository, scan: () => scanSessions({ client, prefix }) });
const preparing = new SessionService({
  repository: new RedisSessionRepository({ client: patient, prefix }),
});
let { token } = await service.create({ page_views: '1' }, { user: 'bob' });
const others = () => service.get(token);

/** Goes on where the machine was too busy for an answer in time, as the program that asks would. */
async function endAll(): Promise<number> {
  let ended = 0;
  for (;;) {
    try {
      return ended + (await service.deleteAll('ada'));
    } catch (error) {
      ended += (error as { ended?: number }).ended ?? 0;
      progress(`interrupted after ${ended}`);
    }
  }
}

const head = ['', 's', "others' p50 ms", 'p99 ms', 'p99 ratio', 'event loop held ms', 'MB more'];
const rows: string[][] = [[...head, 'unanswered', 'answer']];

try {
  await fill(2000); // what is compiled and allocated only once is not counted
  await service.list('ada');
  await service.deleteAll('ada');
  await measure('list, a page of 100 after the other', async () => {
    let [listed, after]: [number, string | undefined] = [0, undefined];
    do {
      const page: SessionPage = await service.list('ada', { limit: 100, after });
      listed += page.sessions.length;
      after = page.next;
    } while (after !== undefined);
    return listed;
  });
  await measure('deleteAll', endAll);
  await measure('deleteAll of what ran out', endAll, endQuietly);
  await measure('SojournStore.length', () => store.length());
  await measure('SojournStore.clear', async () => {
    await store.clear();
    return store.length();
  });
} finally {
  progress('');
  const { cpu, system, node } = describeMachine('');
  console.log(`${cpu}, ${system}, Node ${node}, ${figure(sessions)} sessions, ${rounds} rounds\n`);
  console.log(table(rows));
  patient.disconnect();
  await close();
  await running.stop();
}

async function fill(count: number): Promise<void> {
  let left = count;
  const add = async () => {
    while (left-- > 0) await preparing.create({ page_views: '1' }, { user: 'ada' });
  };
  await Promise.all(Array.from({ length: 32 }, add));
}

/** As if each session had run out: the index keeps them. */
async function endQuietly(): Promise<void> {
  for await (const ids of scanSessions({ client: patient, prefix, fullSpeed: true })) {
    for (const some of batchesOf(ids)) {
      await Promise.all(some.map((id) => patient.del(prefix + id)));
    }
  }
}

/** So many times: fills up what was ended, measures others alone, and then beside this piece of work. */
async function measure(
  name: string,
  act: () => Promise<number>,
  prepare: () => Promise<void> = async () => {},
): Promise<void> {
  if (!name.includes(values.only)) return;
  const found: { alone: Bystander; seen: Bystander; seconds: number; answer: number }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${name}, round ${round} of ${rounds}`);
    const [entry] = await repository.users.list('ada', { from: 'oldest', limit: 1 });
    if (entry === undefined) await fill(sessions);
    await prepare();
    token = (await preparing.create({ page_views: '1' }, { user: 'bob' })).token;
    collectGarbage();
    const { seen: alone } = await watch(others, () => wait(Number(values.quiet) * 1000));
    collectGarbage();
    const beganAt = performance.now();
    const { answer, seen } = await watch(others, act);
    const seconds = (performance.now() - beganAt) / 1000;
    found.push({ alone, seen, seconds, answer });
  }
  const of = (read: (round: (typeof found)[number]) => number) =>
    spread(summarize(found.map(read)));
  const figures = (which: 'alone' | 'seen') => [
    of((round) => round[which].p50Ms),
    of((round) => round[which].p99Ms),
    of((round) => round[which].p99Ms / round.alone.p99Ms),
    of((round) => round[which].heldMs),
    of((round) => round[which].grownMb),
    of((round) => round[which].failed),
  ];
  rows.push(['others alone', '', ...figures('alone'), '']);
  rows.push([name, of(({ seconds }) => seconds), ...figures('seen'), of(({ answer }) => answer)]);
}
