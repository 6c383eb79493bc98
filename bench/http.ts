import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { httpContenders } from './http/contenders.ts';
import { httpGoals } from './http/goals.ts';
import { type HttpTurn, type HttpTurns, httpTurns } from './http/turns.ts';
import { believe } from './measure/bystanders.ts';
import { OTHER_CORE, pinToCore } from './measure/cores.ts';
import { describeMachine } from './measure/machine.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { summarize } from './measure/statistics.ts';
import { goalTable } from './report/goals.ts';
import { paired } from './report/paired.ts';
import { progress } from './report/progress.ts';
import { spread, table } from './report/table.ts';

const USAGE = `npm run bench:http -- [options]
  --rounds N       how often each server has its turn (default 7)
  --seconds N      of load, each turn (default 2)
  --connections N  kept open, each with a session of its own (default 64)
  --only TEXT      only servers whose name contains it, beside bare Hono
  --json FILE      write the figures of each turn there`;

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '2' },
    connections: { type: 'string', default: '64' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}
const names = Object.keys(httpContenders).filter(
  (name) => name.startsWith('Hono, ') || name.includes(values.only),
);

const redis = await startOwnRedis();
try {
  const pinned = pinToCore(process.pid, OTHER_CORE) && pinToCore(redis.pid, OTHER_CORE);
  const options = {
    rounds: Number(values.rounds),
    seconds: Number(values.seconds),
    connections: Number(values.connections),
    pinned,
  };
  const machine = describeMachine(redis.version);
  const turns = await httpTurns(names, redis, options);
  progress('');
  const { cpu, system, node } = machine;
  console.log(`${cpu}, ${system}, Node ${node}, Redis ${redis.version}, ${options.rounds} rounds.`);
  if (!pinned) console.log('There is one core, or no taskset: server and load share it.');
  console.log(`${believe(takenIn(turns))}\n`);
  console.log(`${requestTable(turns)}\n\n${goalTable(httpGoals(turns))}`);
  if (values.json !== undefined) {
    const report = { machine, options, turns: Object.fromEntries(turns) };
    await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
  }
} finally {
  await redis.stop();
}

function takenIn(turns: HttpTurns) {
  return new Map([...turns].map(([name, some]) => [name, some.map((turn) => turn.takenByOthers)]));
}

function requestTable(turns: HttpTurns): string {
  const head = ['CPU in µs a request', 'requests/s', 'ratio', 'server user', 'server system'];
  head.push('Redis user', 'Redis system', 'load user', 'load system');
  const [first = []] = turns.values();
  const perSecond = (turn: HttpTurn) => turn.perSecond;
  const rows = [...turns].map(([name, some]) => {
    const of = (read: (turn: HttpTurn) => number) => spread(summarize(some.map(read)));
    const both = (who: 'server' | 'redis' | 'load') => [
      of((turn) => turn[who].userUs),
      of((turn) => turn[who].systemUs),
    ];
    return [
      ...[name, of(perSecond), spread(paired(some, perSecond, first, perSecond))],
      ...[...both('server'), ...both('redis'), ...both('load')],
    ];
  });
  return table([head, ...rows]);
}
