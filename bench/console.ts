import { setPriority } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RedisSessionRepository } from '../src/adapters/redis/redis-session-repository.ts';
import { SessionService } from '../src/index.ts';
import { SojournProcess } from '../test/support/sojourn-process.ts';
import { connect } from './connect.ts';
import { type Bystander, watch } from './measure/bystander.ts';
import { startChild } from './measure/child-process.ts';
import { OTHER_CORE, PROGRAM_CORE, pinToCore } from './measure/cores.ts';
import { describeMachine } from './measure/machine.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { quantile, summarize } from './measure/statistics.ts';
import { progress } from './report/progress.ts';
import { figure, spread, table } from './report/table.ts';

const USAGE = `npm run bench:console -- [options]
  --sessions N      alive (default 1000000)
  --rounds N        of a time without the console and one with it (default 7)
  --seconds N       of each (default 10)`;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '10' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const sessions = Number(values.sessions);
const rounds = Number(values.rounds);
const milliseconds = Number(values.seconds) * 1000;
const USERS = 100_000;
const LOWEST_PRIORITY = 19;

const redis = await startOwnRedis();
const { client, close } = await connect(redis.url);
const service = new SessionService({ repository: new RedisSessionRepository({ client }) });
progress(`filling Redis with ${figure(sessions)} sessions`);
await fill();
const { token } = await service.create({ page_views: '1' }, { user: 'bob' });
const server = new SojournProcess([
  ...['--port', '0', '--admin-port', '0', '--redis-url', redis.url, '--prefix', 'session:'],
]);
const visitor = startChild(
  new URL('./console/visitor.js', import.meta.url),
  ['visitor'],
  PROGRAM_CORE,
);
const url = await server.adminUrl();
// They would have machines of their own: here they get the time that those who are measured leave.
for (const { pid } of [server, visitor]) if (pid !== undefined) setPriority(pid, LOWEST_PRIORITY);
pinToCore(redis.pid, OTHER_CORE);
pinToCore(process.pid, PROGRAM_CORE);
pinToCore(server.pid, PROGRAM_CORE);
try {
  await visit(milliseconds); // the first count of so many sessions is under way
  const found: { alone: Bystander; beside: Bystander; answersMs: number[] }[] = [];
  for (let round = 1; round <= rounds; round++) {
    progress(`round ${round} of ${rounds}`);
    const { seen: alone } = await watch(others, () => wait(milliseconds));
    const { seen: beside, answer } = await watch(others, () => visit(milliseconds));
    found.push({ alone, beside, answersMs: answer });
  }
  report(found);
} finally {
  visitor.stop();
  await server.stop();
  await close();
  await redis.stop();
}

function others() {
  return service.get(token);
}

async function fill(): Promise<void> {
  let left = sessions;
  const add = async () => {
    while (left > 0) {
      left -= 1;
      await service.create({ page_views: '1' }, { user: `user${left % USERS}` });
    }
  };
  await Promise.all(Array.from({ length: 64 }, add));
}

function visit(time: number): Promise<number[]> {
  return visitor.ask({ url, milliseconds: time });
}

function report(found: { alone: Bystander; beside: Bystander; answersMs: number[] }[]): void {
  const of = (read: (round: (typeof found)[number]) => number) =>
    spread(summarize(found.map(read)));
  const pages = Float64Array.from(found.flatMap(({ answersMs }) => answersMs)).sort();
  const { cpu, system, node } = describeMachine(redis.version);
  progress('');
  console.log(`${cpu}, ${system}, Node ${node}, Redis ${redis.version}, ${rounds} rounds.`);
  console.log(
    `${figure(sessions)} sessions; ${pages.length} pages: median ${figure(quantile(pages, 0.5))} ms, slowest ${figure(quantile(pages, 1))} ms.\n`,
  );
  console.log(
    table([
      ["others' get", 'p50 ms', 'p99 ms', 'p50 ratio', 'p99 ratio'],
      [
        'without the console',
        of(({ alone }) => alone.p50Ms),
        of(({ alone }) => alone.p99Ms),
        '',
        '',
      ],
      [
        'with it, a page each second',
        of(({ beside }) => beside.p50Ms),
        of(({ beside }) => beside.p99Ms),
        of(({ alone, beside }) => beside.p50Ms / alone.p50Ms),
        of(({ alone, beside }) => beside.p99Ms / alone.p99Ms),
      ],
    ]),
  );
}
