/** Sessions over HTTP for a while, with faults: what was answered, how fast, and whether it was possible. */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Call, violations } from '../test/faults/history.ts';
import { startLoad } from '../test/faults/load.ts';
import { thisMachine } from '../test/support/provision.ts';
import { provisionRedis } from '../test/support/provision-redis.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { SojournProcess } from '../test/support/sojourn-process.ts';
import { startTcpProxy } from '../test/support/tcp-proxy.ts';
import { soakFaults } from './faults.ts';
import { HttpSessions } from './http-sessions.ts';

const SERVERS = 2;
const BROWSERS = 16;
const CALM_MS = 3000;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' } } });
const seconds = Number(values.seconds);
if (!(seconds > 0)) throw new Error('--seconds takes a number above 0');

const binary = await provisionRedis(thisMachine());
if (binary === undefined) throw new Error('There is no Redis');
const redis = await startRedisServer({
  binary,
  args: ['--appendonly', 'yes', '--appendfsync', 'always'],
});
const proxy = await startTcpProxy(redis);
const apps = Array.from(
  { length: SERVERS },
  () => new SojournProcess(['--port', '0', '--redis-url', `redis://127.0.0.1:${proxy.port}`]),
);
let failed = true;
try {
  failed = await soak();
} finally {
  await Promise.all(apps.map((app) => app.stop()));
  await proxy.stop();
  await redis.stop();
}
process.exitCode = failed ? 1 : 0;

/** True if something impossible was answered. */
async function soak(): Promise<boolean> {
  const urls = await Promise.all(apps.map((app) => app.url()));
  const loggedOut = new Set<string>();
  const load = startLoad(
    Array.from(
      { length: BROWSERS },
      (_, i) => new HttpSessions(urls[i % SERVERS] as string, loggedOut),
    ),
  );
  const end = performance.now() + seconds * 1000;
  await load.more(1000);
  const before = await memory();
  const faults = Object.entries(soakFaults(redis, proxy));
  for (let i = 0; performance.now() < end; i += 1) {
    await wait(CALM_MS);
    const [name, cause] = faults[i % faults.length] as (typeof faults)[number];
    console.log(`${load.calls.length} requests; ${name}`);
    await cause();
  }
  await load.more(1000);
  const after = await memory();
  const calls = await load.stop();
  const impossible = violations(calls);
  console.log(report(calls));
  console.log(`memory     ${before} MB at the start, ${after} MB at the end (each server)`);
  console.log(`impossible ${impossible.length}`);
  for (const line of impossible.slice(0, 20)) console.log(`  ${line}`);
  return impossible.length > 0;
}

function report(calls: readonly Call[]): string {
  const count = (kind: string) => calls.filter(({ outcome }) => outcome.kind === kind).length;
  const took = calls.map(({ begin, end }) => end - begin).toSorted((a, b) => a - b);
  const at = (share: number) => (took[Math.ceil(share * took.length) - 1] ?? 0).toFixed(1);
  return [
    `requests   ${calls.length}`,
    `answers    ${count('ok')} ok, ${count('absent')} without a session, ${count('unknown')} answered 503`,
    `latency    p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, longest ${at(1)} ms`,
  ].join('\n');
}

/** The resident memory of each server. */
async function memory(): Promise<string> {
  const sizes = apps.map(async ({ pid }) => {
    const status = await readFile(`/proc/${pid}/status`, 'utf8');
    return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024);
  });
  return (await Promise.all(sizes)).join(' and ');
}
