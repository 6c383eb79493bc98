import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { compare, type Result } from './measure/compare.ts';
import { pinToCore } from './measure/cores.ts';
import { describeMachine } from './measure/machine.ts';
import { type Memory, measureMemory } from './measure/memory.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { progress } from './report/progress.ts';
import { figure, spread, table } from './report/table.ts';
import { contenders, layouts, scaled } from './store/contenders.ts';

const USAGE = `npm run bench -- [options]
  --rounds N        how often each contender has its turn (default 9)
  --sequential N    operations one after the other, each turn (default 2000)
  --concurrent N    operations with 64 under way, each turn (default 20000)
  --sessions N      also compare, and count memory, with so many sessions (default 100000)
  --only TEXT       only contenders whose name contains it, beside the floor
  --json FILE       write the figures there`;

const SESSIONS = 1000;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '9' },
    sequential: { type: 'string', default: '2000' },
    concurrent: { type: 'string', default: '20000' },
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
const options = {
  rounds: Number(values.rounds),
  sequential: Number(values.sequential),
  concurrent: Number(values.concurrent),
  inFlight: 64,
  sessions: SESSIONS,
};
const manySessions = Number(values.sessions);
const chosen = contenders.filter(({ name }, i) => i === 0 || name.includes(values.only));

const redis = await startOwnRedis();
try {
  // A core each, where there are two: which of them wakes which would else decide how long a round trip takes.
  const pinned = pinToCore(process.pid, 0) && pinToCore(redis.pid, 1);
  const machine = describeMachine(redis.version);
  const results = await compare(chosen, redis, options);
  const memory = await measureMemory(layouts, redis, manySessions);
  const atScale = await compare(scaled, redis, { ...options, sessions: manySessions });
  progress('');
  console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}, Redis ${machine.redis}\n`);
  console.log(`${resultTable(results)}\n\n${costTable(results)}\n\n${memoryTable(memory)}\n`);
  console.log(`With ${figure(manySessions)} sessions instead of ${figure(SESSIONS)}:\n`);
  console.log(resultTable(atScale));
  if (values.json !== undefined) {
    const report = { machine, pinned, options, results, memory, manySessions, atScale };
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
} finally {
  await redis.stop();
}

function resultTable(results: readonly Result[]): string {
  const head = ['', 'p50 µs', 'p99 µs', 'ops/s, 64 in flight', 'p50 ratio', 'ops/s ratio'];
  const rows = results.map(({ name, p50Us, p99Us, perSecond, ratios }) => [
    ...[name, spread(p50Us), spread(p99Us), spread(perSecond)],
    ...[spread(ratios.p50), spread(ratios.perSecond)],
  ]);
  return table([head, ...rows]);
}

function costTable(results: readonly Result[]): string {
  const head = ['', 'Redis CPU µs', 'CPU ratio', 'round trips', 'commands that Redis ran'];
  const rows = results.map(({ name, redisCpuUs, ratios, roundTrips, commands }) => {
    const calls = Object.entries(commands).map(([command, count]) =>
      count === 1 ? command : `${count} ${command}`,
    );
    return [name, spread(redisCpuUs), spread(ratios.redisCpu), `${roundTrips}`, calls.join(', ')];
  });
  return table([head, ...rows]);
}

function memoryTable(memory: readonly Memory[]): string {
  const rows = memory.map(({ name, bytesPerSession }) => [name, figure(bytesPerSession)]);
  return table([['', 'bytes per session'], ...rows]);
}
