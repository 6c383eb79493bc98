import { writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { httpContenders } from './http/contenders.ts';
import { load, logIn } from './http/load.ts';
import { type ServerProcess, startServer } from './http/server-process.ts';
import { pinToCore } from './measure/cores.ts';
import { describeMachine } from './measure/machine.ts';
import { startOwnRedis } from './measure/own-redis.ts';
import { readCounters } from './measure/redis-cost.ts';
import { shuffled, summarize } from './measure/statistics.ts';
import { progress } from './report/progress.ts';
import { spread, table } from './report/table.ts';

const USAGE = `npm run bench:http -- [options]
  --rounds N       how often each server has its turn (default 7)
  --seconds N      of load, each turn (default 3)
  --connections N  kept open, each with a session of its own (default 64)
  --only TEXT      only servers whose name contains it, beside bare Hono
  --json FILE      write the figures there`;

const SERVER_CORE = 0;
const LOAD_CORE = 1;

interface Round {
  readonly perSecond: number;
  readonly serverCpuUs: number;
  readonly redisCpuUs: number;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '3' },
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
const rounds = Number(values.rounds);
const seconds = Number(values.seconds);
const names = Object.keys(httpContenders).filter(
  (name, i) => i === 0 || name.includes(values.only),
);

const redis = await startOwnRedis();
const servers: ServerProcess[] = [];
try {
  const machine = describeMachine(redis.version);
  const pinned = pinToCore(process.pid, LOAD_CORE) && pinToCore(redis.pid, LOAD_CORE);
  if (!pinned) progress('taskset is not at hand or there is one core: servers and load share it');
  const measured = new Map<string, Round[]>();
  const cookies = new Map<string, string[]>();
  for (const name of names) {
    progress(`starting and warming up: ${name}`);
    const server = await startServer(name, redis.url, SERVER_CORE);
    servers.push(server);
    measured.set(name, []);
    cookies.set(name, await logIn(server.port, Number(values.connections)));
    await measure(server, seconds);
  }
  for (let round = 1; round <= rounds; round++) {
    for (const server of shuffled(servers)) {
      progress(`round ${round} of ${rounds}: ${server.name}`);
      measured.get(server.name)?.push(await measure(server, seconds));
    }
  }
  progress('');

  const floor = measured.get(names[0] ?? '') ?? [];
  const results = [...measured].map(([name, rounds]) => ({
    name,
    perSecond: summarize(rounds.map(({ perSecond }) => perSecond)),
    ratio: summarize(rounds.map(({ perSecond }, i) => perSecond / (floor[i]?.perSecond ?? NaN))),
    serverCpuUs: summarize(rounds.map(({ serverCpuUs }) => serverCpuUs)),
    redisCpuUs: summarize(rounds.map(({ redisCpuUs }) => redisCpuUs)),
  }));
  console.log(`${machine.cpu}, ${machine.system}, Node ${machine.node}, Redis ${machine.redis}\n`);
  const head = ['', 'requests/s', 'ratio', 'server CPU µs', 'Redis CPU µs'];
  const rows = results.map(({ name, perSecond, ratio, serverCpuUs, redisCpuUs }) => [
    ...[name, spread(perSecond), spread(ratio), spread(serverCpuUs), spread(redisCpuUs)],
  ]);
  console.log(table([head, ...rows]));
  if (values.json !== undefined) {
    const options = { rounds, seconds, connections: Number(values.connections), pinned };
    await writeFile(values.json, `${JSON.stringify({ machine, options, results }, null, 2)}\n`);
  }

  async function measure(server: ServerProcess, seconds: number): Promise<Round> {
    const redisBefore = await readCounters(redis.observer);
    const cpuBefore = await server.cpuUs();
    const { requests, seconds: took } = await load(
      server.port,
      cookies.get(server.name) ?? [],
      seconds,
    );
    const cpu = (await server.cpuUs()) - cpuBefore;
    const redisAfter = await readCounters(redis.observer);
    return {
      perSecond: requests / took,
      serverCpuUs: cpu / requests,
      redisCpuUs: (redisAfter.cpuUs - redisBefore.cpuUs) / requests,
    };
  }
} finally {
  for (const server of servers) server.stop();
  await redis.stop();
}
