import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type FleetTurn, type FleetTurns, fleetTurns } from './fleet/turns.ts';
import { believe } from './measure/bystanders.ts';
import { OTHER_CORE, PROGRAM_CORE, pinToCore } from './measure/cores.ts';
import { totalUs } from './measure/cpu.ts';
import { describeMachine } from './measure/machine.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { summarize } from './measure/statistics.ts';
import { goalTable } from './report/goals.ts';
import { paired } from './report/paired.ts';
import { progress } from './report/progress.ts';
import { spread, table } from './report/table.ts';

const USAGE = `npm run bench:fleet -- [options]
  --listeners LIST  near caches that listen (default 0,4,16,64; the first is what the others are compared with)
  --rounds N        how often each number has its turn (default 5)
  --gets N          that slide, a session each, in a turn (default 6000)
  --per-second N    of them (default 3000)
  --json FILE       write the figures of each turn there`;

const { values } = parseArgs({
  options: {
    listeners: { type: 'string', default: '0,4,16,64' },
    rounds: { type: 'string', default: '5' },
    gets: { type: 'string', default: '6000' },
    'per-second': { type: 'string', default: '3000' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

const redis = await startOwnRedis();
try {
  const pinned = pinToCore(process.pid, PROGRAM_CORE) && pinToCore(redis.pid, OTHER_CORE);
  const options = {
    listeners: values.listeners.split(',').map(Number),
    rounds: Number(values.rounds),
    gets: Number(values.gets),
    perSecond: Number(values['per-second']),
    pinned,
  };
  const machine = describeMachine(redis.version);
  const turns = await fleetTurns(redis, options);
  progress('');
  const { cpu, system, node } = machine;
  console.log(`${cpu}, ${system}, Node ${node}, Redis ${redis.version}, ${options.rounds} rounds.`);
  const taken = [...turns].map(
    ([listeners, some]) =>
      [`${listeners} listeners`, some.map(({ takenByOthers }) => takenByOthers)] as const,
  );
  console.log(`${believe(new Map(taken))}\n`);
  console.log(fanOutTable(turns));
  const [none = [], ...more] = turns.values();
  const most = more.at(-1) ?? [];
  const goal = {
    what: `Redis CPU of a get with ${options.listeners.at(-1)} near caches, to ${options.listeners[0]}`,
    atMost: 1.25,
    found: paired(most, redisUs, none, redisUs),
  };
  console.log(`\n${goalTable([goal])}`);
  if (values.json !== undefined) {
    const report = { machine, options, turns: Object.fromEntries(turns) };
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
} finally {
  await redis.stop();
}

function redisUs({ redis }: FleetTurn): number {
  return totalUs(redis);
}

function fanOutTable(turns: FleetTurns): string {
  const head = ['near caches', 'Redis user µs', 'Redis system µs', 'Redis µs', 'ratio'];
  head.push('bytes out', 'µs of a near cache', 'Redis µs/s at rest', 'gets/s');
  const [first = []] = turns.values();
  const rows = [...turns].map(([listeners, some]) => {
    const of = (read: (turn: FleetTurn) => number) => spread(summarize(some.map(read)));
    return [
      `${listeners}`,
      ...[of(({ redis }) => redis.userUs), of(({ redis }) => redis.systemUs), of(redisUs)],
      spread(paired(some, redisUs, first, redisUs)),
      of(({ bytesOut }) => bytesOut),
      listeners === 0 ? '' : of(({ listener }) => totalUs(listener)),
      of(({ atRest }) => atRest),
      of(({ perSecond }) => perSecond),
    ];
  });
  return table([head, ...rows]);
}
