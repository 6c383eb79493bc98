import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { believe } from './measure/bystanders.ts';
import { compare, type StoreTurn, type StoreTurns } from './measure/compare.ts';
import { OTHER_CORE, PROGRAM_CORE, pinToCore } from './measure/cores.ts';
import { totalUs } from './measure/cpu.ts';
import { describeMachine } from './measure/machine.ts';
import { type Memory, measureMemory } from './measure/memory.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { summarize } from './measure/statistics.ts';
import { goalTable } from './report/goals.ts';
import { paired } from './report/paired.ts';
import { progress } from './report/progress.ts';
import { figure, spread, table } from './report/table.ts';
import { contenders, layouts, scaled } from './store/contenders.ts';
import { storeGoals } from './store/goals.ts';

const USAGE = `npm run bench -- [options]
  --rounds N        how often each contender has its turn (default 7)
  --seconds N       of a turn: one operation after the other, and again with 64 under way (default 0.4)
  --sessions N      also compare, and count memory, with so many sessions (default 100000; 0 leaves it out)
  --only TEXT       only contenders whose name contains it, beside the first
  --json FILE       write the figures of each turn there`;

const SESSIONS = 1000;
const IN_FLIGHT = 64;
/** Of those that fill Redis with very many sessions in each. */
const MOST_SCALED_ROUNDS = 3;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '0.4' },
    sessions: { type: 'string', default: '100000' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const rounds = Number(values.rounds);
const manySessions = Number(values.sessions);
const chosen = contenders.filter(({ name }, i) => i === 0 || name.includes(values.only));

const redis = await startOwnRedis();
try {
  // A core each, where there are two: which of them wakes which would else decide how long a round trip takes.
  const pinned = pinToCore(process.pid, PROGRAM_CORE) && pinToCore(redis.pid, OTHER_CORE);
  const machine = describeMachine(redis.version);
  const options = { rounds, seconds: Number(values.seconds), inFlight: IN_FLIGHT, pinned };
  const turns = await compare(chosen, redis, { ...options, sessions: SESSIONS });
  const memory = manySessions > 0 ? await measureMemory(layouts, redis, manySessions) : [];
  const atScale =
    manySessions > 0
      ? await compare(scaled, redis, {
          ...options,
          rounds: Math.min(rounds, MOST_SCALED_ROUNDS),
          sessions: manySessions,
        })
      : undefined;
  progress('');
  const { cpu, system, node } = machine;
  console.log(`${cpu}, ${system}, Node ${node}, Redis ${redis.version}, ${rounds} rounds.`);
  console.log(`${believe(takenIn(turns))}\n`);
  console.log(`${timeTable(turns)}\n\n${cpuTable(turns)}\n`);
  if (atScale !== undefined) {
    console.log(`${memoryTable(memory)}\n`);
    console.log(`With ${figure(manySessions)} sessions instead of ${figure(SESSIONS)}:\n`);
    console.log(`${timeTable(atScale)}\n`);
  }
  console.log(goalTable(storeGoals(turns, memory)));
  if (values.json !== undefined) {
    const all = (some: StoreTurns | undefined) => some && Object.fromEntries(some);
    const report = { machine, options, turns: all(turns), memory, manySessions };
    const written = { ...report, atScale: all(atScale) };
    await writeFile(values.json, `${JSON.stringify(written, null, 2)}\n`);
  }
} finally {
  await redis.stop();
}

function takenIn(turns: StoreTurns) {
  return new Map([...turns].map(([name, some]) => [name, some.map((turn) => turn.takenByOthers)]));
}

function timeTable(turns: StoreTurns): string {
  const head = ['', 'p50 µs', 'p99 µs', 'p50 ratio', 'ops/s, 64 in flight', 'ops/s ratio'];
  const [first = []] = turns.values();
  const rows = [...turns].map(([name, some]) => {
    const of = (read: (turn: StoreTurn) => number) => spread(summarize(some.map(read)));
    const ratio = (read: (turn: StoreTurn) => number) => spread(paired(some, read, first, read));
    return [
      name,
      ...[of(({ p50Us }) => p50Us), of(({ p99Us }) => p99Us), ratio(({ p50Us }) => p50Us)],
      ...[of(({ perSecond }) => perSecond), ratio(({ perSecond }) => perSecond)],
    ];
  });
  return table([head, ...rows]);
}

/** With 64 in flight, as servers work that have something to do. */
function cpuTable(turns: StoreTurns): string {
  const head = ['CPU µs an operation, 64 in flight', 'client user', 'client system'];
  head.push('Redis user', 'Redis system', 'Redis ratio', 'round trips', 'commands that Redis ran');
  const [first = []] = turns.values();
  const rows = [...turns].map(([name, some]) => {
    const of = (read: (turn: StoreTurn) => number) => spread(summarize(some.map(read)));
    const redis = ({ together }: StoreTurn) => totalUs(together.redis);
    const calls = Object.entries(some[0]?.commands ?? {}).map(([command, count]) =>
      count === 1 ? command : `${count} ${command}`,
    );
    return [
      name,
      ...[
        of(({ together }) => together.client.userUs),
        of(({ together }) => together.client.systemUs),
      ],
      ...[
        of(({ together }) => together.redis.userUs),
        of(({ together }) => together.redis.systemUs),
      ],
      spread(paired(some, redis, first, redis)),
      `${some[0]?.roundTrips}`,
      calls.join(', '),
    ];
  });
  return table([head, ...rows]);
}

function memoryTable(memory: readonly Memory[]): string {
  const rows = memory.map(({ name, bytesPerSession }) => [name, figure(bytesPerSession)]);
  return table([['', 'bytes per session'], ...rows]);
}
