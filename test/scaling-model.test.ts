import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type SessionShape, sessionBytes } from '../scripts/plan/memory.ts';
import { type Demand, plan } from '../scripts/plan/plan.ts';
import { SessionService } from '../src/index.ts';
import { connectRedis, type RedisConnection, RedisSessionRepository } from '../src/redis.ts';
import { describeWithServers, redisBinary } from './support/live-redis.ts';
import { type RedisServer, startRedisServer } from './support/redis-server.ts';
import { tableIn } from './support/table.ts';
import { until } from './support/until.ts';

const document = fileURLToPath(new URL('../docs/scaling.md', import.meta.url));

/** As docs/scaling.md says. */
const TOLERANCE = 0.1;

const device = {
  label: 'Chrome on Linux',
  userAgent: 'Chrome/126 (Linux x86_64)',
  address: '203.0.113.77',
};

interface Point {
  readonly name: string;
  readonly sessions: number;
  readonly fields: Readonly<Record<string, string>>;
  readonly perUser?: number;
  readonly device?: typeof device;
}

const points: readonly Point[] = [
  { name: "nobody's, five short fields", sessions: 1000, fields: shortFields(5) },
  {
    name: "a user's only one, with its device",
    sessions: 10_000,
    fields: shortFields(2),
    perUser: 1,
    device,
  },
  { name: 'ten of each user', sessions: 30_000, fields: shortFields(2), perUser: 10 },
  { name: "nobody's, one field of 1 KiB", sessions: 3000, fields: { notes: 'n'.repeat(1024) } },
];

describeWithServers('the model of memory, beside a real Redis', () => {
  let server: RedisServer;
  let observer: Redis;
  let connection: RedisConnection;

  beforeAll(async () => {
    server = await startRedisServer({ binary: redisBinary() });
    observer = new Redis(server.url);
    connection = await connectRedis(
      { kind: 'url', url: server.url },
      { commandTimeoutMs: 30_000 }, // however busy the machine is
    );
  });

  afterAll(async () => {
    await connection.close();
    observer.disconnect();
    await server.stop();
  });

  it.each(points)('$sessions sessions: $name', async (point) => {
    const info = await observer.info('server');
    const repository = new RedisSessionRepository({ client: connection.client });
    const service = new SessionService({ repository });
    await fill(service, { ...point, sessions: 100 }); // the client's buffers and the scripts are there from now on
    await observer.flushall('SYNC');
    const before = await settledMemory();
    await fill(service, point);
    const found = (await settledMemory()) - before;

    const { session, index } = sessionBytes(shapeOf(point), point.sessions);
    const ratio = found / point.sessions / (session + index);
    expect(ratio).toBeLessThan(1 + TOLERANCE);
    // Later servers lay keys out more tightly than Redis 7, after which the model is made.
    const isRedis7 = /redis_version:7\./.test(info) && !info.includes('valkey');
    expect(ratio).toBeGreaterThan(isRedis7 ? 1 - TOLERANCE : 0.5);
  });

  /** When Redis has done growing its tables, which it does bit by bit. */
  async function settledMemory(): Promise<number> {
    let memory = 0;
    let steady = 0;
    await until('the memory of Redis stays as it is', async () => {
      const now = Number(/used_memory:(\d+)/.exec(await observer.info('memory'))?.[1]);
      steady = Math.abs(now - memory) < 1024 ? steady + 1 : 0;
      memory = now;
      return steady > 5; // longer than it rests between two bits
    });
    return memory;
  }
});

const demand: Demand = {
  sessions: 1e8,
  requests: 2e5,
  servers: 100,
  hours: 24,
  nearCache: false,
  shape: shapeOf({ name: '', sessions: 1, fields: shortFields(5), perUser: 2 }),
};

it('plans as many shards as memory and CPU ask for, and names what gives way first', () => {
  const busy = plan(demand);
  expect(busy.shards).toBe(busy.shardsForCpu);
  expect(busy.shard.busy).toBeLessThanOrEqual(0.5);
  expect(busy.shard.dataGib).toBeLessThanOrEqual(16);
  expect(busy.headroom[0]?.what).toMatch(/^Redis CPU/);

  const idle = plan({ ...demand, requests: 1000 });
  expect(idle.shards).toBe(idle.shardsForMemory);
  expect(idle.headroom[0]?.what).toMatch(/^memory/);

  const crowded = plan({ ...demand, sessions: 1e6, requests: 1000, servers: 9000 });
  expect(crowded.headroom[0]?.what).toMatch(/^connections/);
});

it('a plan for what fits on one server is one shard', () => {
  expect(plan({ ...demand, sessions: 1000, requests: 10, servers: 1 }).shards).toBe(1);
});

it('near caches take connections and memory of Redis', () => {
  const [without, having] = [plan(demand), plan({ ...demand, nearCache: true })];
  expect(having.shard.connections).toBeGreaterThan(without.shard.connections);
  expect(having.dataGib).toBeGreaterThan(without.dataGib);
});

it('docs/scaling.md shows the bytes that the model works out for 100 million sessions', async () => {
  const device = { label: 16, userAgent: 32, address: 13 };
  const user = (sessions: number, ended = 0) => ({ user: { name: 16, sessions, ended } });
  const bytes = (count: number, rest: Partial<SessionShape>) => {
    const fields = Array.from({ length: count }, () => ({ name: 10, value: 10 }));
    const { session, index } = sessionBytes({ prefix: 8, fields, ...rest }, 1e8);
    return String(Math.round((session + index) / 10) * 10);
  };
  const rows = [0, 2, 5, 10, 20].map((count) => [
    String(count),
    bytes(count, {}),
    ...[bytes(count, user(1)), bytes(count, user(2, 1)), bytes(count, user(10, 5))],
    bytes(count, { ...user(2, 1), device }),
  ]);
  const head = ['fields', 'anonymous', "a user's only session", 'one of two', 'one of ten'];
  const { written, ran } = await tableIn(document, 'bytes', [
    [...head, 'one of two, with its device'],
    ...rows,
  ]);
  expect(written).toBe(ran);
});

it('docs/scaling.md shows what the command in it prints', async () => {
  const [, command = '', printed] =
    /```text\n\$ npm run plan -- (.*)\n\n([^`]*)```/.exec(await readFile(document, 'utf8')) ?? [];
  const { stdout } = await runPlan(command);
  expect(stdout).toBe(printed);
});

it('npm run plan refuses what makes no sense, and says what it takes', async () => {
  await expect(runPlan('--sessions many --requests 1 --servers 1')).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--sessions must be a number from 0, not many.'),
  });
});

function runPlan(args: string): Promise<{ stdout: string }> {
  const [tsx, script] = ['../node_modules/.bin/tsx', '../scripts/plan.ts'].map((path) =>
    fileURLToPath(new URL(path, import.meta.url)),
  ) as [string, string];
  return promisify(execFile)(tsx, [script, ...args.split(' ')]);
}

function shortFields(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, i) => [`field_0${i}`, 'some-value']));
}

function shapeOf({ fields, perUser, device }: Point): SessionShape {
  const sizes = Object.entries(fields).map(([name, { length }]) => ({
    name: name.length,
    value: length,
  }));
  return {
    prefix: 'session:'.length,
    fields: sizes,
    ...(perUser && { user: { name: userName(0).length, sessions: perUser } }),
    ...(device && {
      device: {
        label: device.label.length,
        userAgent: device.userAgent.length,
        address: device.address.length,
      },
    }),
  };
}

function userName(number: number): string {
  return `user-${1_000_000 + number}`;
}

async function fill(
  service: SessionService,
  { sessions, fields, perUser, device }: Point,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < sessions) {
      const index = next++;
      const options = perUser ? { user: userName(Math.floor(index / perUser)) } : {};
      await service.create(fields, device ? { ...options, device } : options);
    }
  };
  await Promise.all(Array.from({ length: 32 }, worker));
}
