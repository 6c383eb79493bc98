import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { connectRedis, type RedisAddress } from '../src/adapters/redis/connect-redis.ts';
import { RedisSessionRepository } from '../src/adapters/redis/redis-session-repository.ts';
import { scanSessions } from '../src/adapters/redis/scan-sessions.ts';
import { SojournStore } from '../src/express.ts';
import { SessionService } from '../src/index.ts';
import { thisMachine } from '../test/support/provision.ts';
import { provisionRedis } from '../test/support/provision-redis.ts';
import { startRedisCluster } from '../test/support/redis-cluster.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { type Bystander, watch } from './measure/bystander.ts';
import { describeMachine } from './measure/machine.ts';
import { progress } from './report/progress.ts';
import { figure, table } from './report/table.ts';

const USAGE = `npm run bench:bulk -- [options]
  --sessions N      of one user (default 100000)
  --quiet SECONDS   to measure others without bulk work, before each piece of it (default 5)
  --cluster         on three primaries with a replica each`;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '100000' },
    quiet: { type: 'string', default: '5' },
    cluster: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const sessions = Number(values.sessions);

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

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const prefix = 'bulk:';
const repository = new RedisSessionRepository({ client, prefix });
const service = new SessionService({ repository });
const store = new SojournStore({ repository, scan: () => scanSessions({ client, prefix }) });
const { token } = await service.create({ page_views: '1' }, { user: 'bob' });
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

const rows: string[][] = [
  [
    '',
    's',
    "others' p50 ms",
    'p99 ms',
    'p99 ratio',
    'most ms',
    'event loop held ms',
    '(p99)',
    'MB more',
    'unanswered',
    'answer',
  ],
];

try {
  await fill(2000); // what is compiled and allocated only once is not counted
  await service.list('ada');
  await service.deleteAll('ada');
  await measure('list, a page of 100 after the other', async () => {
    let [listed, after]: [number, string | undefined] = [0, undefined];
    do {
      const page = await service.list('ada', { limit: 100, after });
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
  progress('');
  const { cpu, system, node } = describeMachine('');
  console.log(`${cpu}, ${system}, Node ${node}, ${figure(sessions)} sessions\n`);
  console.log(table(rows));
} finally {
  await close();
  await running.stop();
}

async function fill(count: number): Promise<void> {
  let left = count;
  const add = async () => {
    while (left > 0) {
      left -= 1;
      // Where the machine is too busy for an answer in time, another one is created.
      await service.create({ page_views: '1' }, { user: 'ada' }).catch(() => {
        left += 1;
      });
    }
  };
  await Promise.all(Array.from({ length: 32 }, add));
}

/** As if each session had run out: the index keeps them. */
async function endQuietly(): Promise<void> {
  for await (const ids of scanSessions({ client, prefix, fullSpeed: true })) {
    await Promise.all(
      ids.filter((id) => !token.startsWith(id)).map((id) => repository.end(id, { unbornMs: 0 })),
    );
  }
}

/** Fills up what the last piece of work ended, measures others alone, and then beside this piece of work. */
async function measure(
  name: string,
  act: () => Promise<number>,
  prepare: () => Promise<void> = async () => {},
): Promise<void> {
  progress(`${name}: filling`);
  const [page] = await repository.users.list('ada', { from: 'oldest', limit: 1 });
  if (page === undefined) await fill(sessions);
  await prepare();
  collectGarbage();
  progress(`${name}: others alone`);
  const { seen: alone } = await watch(others, () => wait(Number(values.quiet) * 1000));
  collectGarbage();
  progress(`${name}: beside it`);
  const beganAt = performance.now();
  const { answer, seen } = await watch(others, act);
  const seconds = (performance.now() - beganAt) / 1000;
  rows.push(row('others alone', Number(values.quiet), alone, 1, ''));
  rows.push(row(name, seconds, seen, seen.p99Ms / alone.p99Ms, figure(answer)));
}

function row(
  name: string,
  seconds: number,
  seen: Bystander,
  ratio: number,
  answer: string,
): string[] {
  const { p50Ms, p99Ms, maxMs, heldMs, heldP99Ms, grownMb, failed } = seen;
  const figures = [seconds, p50Ms, p99Ms, ratio, maxMs, heldMs, heldP99Ms, grownMb].map(figure);
  return [name, ...figures, String(failed), answer];
}
