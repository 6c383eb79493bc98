import { parseArgs } from 'node:util';
import { type Plan, plan, usualLimits } from './plan/plan.ts';

const USAGE = `npm run plan -- --sessions 1e8 --requests 2e5 --servers 100 [options]
  --sessions N     alive at once
  --requests N     a second, each of which reads and slides its session
  --servers N      application processes
  --fields N       that the application keeps in a session (default 5)
  --field-bytes N  of a field's name and its value, half each (default 20)
  --per-user N     sessions of a user; 0 if they are nobody's (default 2)
  --device         sessions know the device that they were started on
  --hours N        that a session lives (default 24)
  --near-cache     every server has one
  --shard-gib N    of data that a shard may hold (default ${usualLimits.shardGib})
  --busy N         share of a shard's core that may be busy (default ${usualLimits.busy})
  --json           the plan as JSON`;

const { values } = parseArgs({
  options: {
    sessions: { type: 'string' },
    requests: { type: 'string' },
    servers: { type: 'string' },
    fields: { type: 'string', default: '5' },
    'field-bytes': { type: 'string', default: '20' },
    'per-user': { type: 'string', default: '2' },
    device: { type: 'boolean', default: false },
    hours: { type: 'string', default: '24' },
    'near-cache': { type: 'boolean', default: false },
    'shard-gib': { type: 'string', default: String(usualLimits.shardGib) },
    busy: { type: 'string', default: String(usualLimits.busy) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit();
}

const half = positive('field-bytes') / 2;
const perUser = number('per-user');
const planned = plan(
  {
    sessions: positive('sessions'),
    requests: positive('requests'),
    servers: positive('servers'),
    hours: positive('hours'),
    nearCache: values['near-cache'],
    shape: {
      prefix: 'session:'.length,
      fields: Array.from({ length: number('fields') }, () => ({ name: half, value: half })),
      // Each login removes some of those that ended, so that an index holds about half as many as are alive.
      ...(perUser > 0 && { user: { name: 16, sessions: perUser, ended: perUser / 2 } }),
      ...(values.device && { device: { label: 16, userAgent: 32, address: 13 } }),
    },
  },
  { ...usualLimits, shardGib: positive('shard-gib'), busy: positive('busy') },
);
console.log(values.json ? JSON.stringify(planned, null, 2) : inWords(planned));

function number(name: keyof typeof values): number {
  const value = Number(values[name]);
  if (values[name] === undefined || !Number.isFinite(value) || value < 0) {
    console.error(`--${name} must be a number from 0, not ${values[name]}.\n\n${USAGE}`);
    process.exit(2);
  }
  return value;
}

function positive(name: keyof typeof values): number {
  const value = number(name);
  if (value > 0) return value;
  console.error(`--${name} must be more than 0.`);
  process.exit(2);
}

function inWords(plan: Plan): string {
  const { shard, shards } = plan;
  const [first, ...later] = plan.headroom;
  const rows: readonly (readonly [string, string])[] = [
    ['bytes a session, its user included', round(plan.bytesPerSession)],
    ['data', `${round(plan.dataGib)} GiB`],
    ['logins', `${round(plan.loginsPerSecond)} a second`],
    ['busy cores of Redis', round(plan.busyCores)],
    ['shards for the memory, for the CPU', `${plan.shardsForMemory}, ${plan.shardsForCpu}`],
    ['shards', `${shards}, and as many replicas`],
    ['each shard: sessions', round(shard.sessions)],
    [
      'each shard: data, memory to give it',
      `${round(shard.dataGib)}, ${round(shard.memoryGib)} GiB`,
    ],
    ['each shard: requests', `${round(shard.requests)} a second`],
    ['each shard: of its core', `${round(shard.busy * 100)} %`],
    ['each shard: sent', `${round(shard.mbits)} Mbit/s`],
    ['each shard: connections', round(shard.connections)],
    ['each server: cores for sessions', round(plan.coresPerServer)],
    ['a session is used every', `${round(plan.secondsBetweenUses)} s`],
  ];
  const width = Math.max(...rows.map(([what]) => what.length));
  const lines = rows.map(([what, value]) => `${what.padEnd(width)}  ${value}`);
  const growth = (one: typeof first) =>
    one && `${one.what} at ${round(one.factor)} times the demand`;
  return `${lines.join('\n')}\n\nFirst to give way: ${growth(first)}.\nThen: ${later.map(growth).join('; ')}.`;
}

function round(value: number): string {
  return value >= 1000
    ? Math.round(value).toLocaleString('en-US')
    : String(Number(value.toPrecision(2)));
}
