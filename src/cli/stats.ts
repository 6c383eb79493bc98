import type { ServerFacts } from '../adapters/redis/inspect/inspection.ts';
import { DEFAULT_PREFIX, redisSettings } from '../config.ts';
import { Pace, type PaceOptions } from '../domain/pace.ts';
import { remainingSeconds, type Session } from '../domain/session.ts';
import { type Command, fastFlag, jsonFlag, readCount } from './command.ts';
import { Distinct } from './distinct.ts';
import { refuseWrongPrefix } from './elsewhere.ts';
import { bytes, duration, number, percent } from './format.ts';
import { secondsSince } from './session-view.ts';
import type { Terminal } from './terminal.ts';
import { readSessions, walkIds } from './walk-sessions.ts';
import { type OpenedRedis, withRedis } from './with-redis.ts';

const DEFAULT_SAMPLE = 10_000;
const MEMORY_IS_SHORT = 0.8;

export const stats: Command = {
  summary: 'Count sessions and users, and show the state of Redis',
  usage: ['stats'],
  details: `
Sessions and users are counted; the rest is estimated from a sample, the first sessions that a scan
finds, which is as good as a random choice. A user counts while there is an index of their sessions,
which outlives sessions that expire, but not longer than their lifetime. stats pauses for two thirds
of the time, so that Redis can serve other clients.`,
  settings: redisSettings,
  defaultPrefix: DEFAULT_PREFIX,
  flags: {
    sample: { hint: 'N', help: `how many sessions to read (${DEFAULT_SAMPLE})` },
    fast: fastFlag,
    json: jsonFlag,
  },
  async run({ config, flags }, terminal) {
    const sampleSize = readCount('sample', flags) ?? DEFAULT_SAMPLE;
    await withRedis(config, async (redis) => {
      await redis.ready();
      const servers = await redis.inspection.servers();
      const fullSpeed = flags.fast === true;
      const counted = await count(redis, { sampleSize, fullSpeed }, terminal);
      const report = {
        prefix: config.prefix,
        ...counted,
        servers: servers.map(serverJson),
        warnings: servers.flatMap(warningsFor),
      };
      if (flags.json) await terminal.json(report);
      else await print(report, terminal);
      if (counted.sessions === 0)
        await refuseWrongPrefix(redis.inspection, config.prefix, terminal);
    });
  },
};

async function count(
  { inspection, repository, digest, now }: OpenedRedis,
  { sampleSize, ...options }: PaceOptions & { readonly sampleSize: number },
  terminal: Terminal,
) {
  const pace = new Pace(options);
  let [sessions, users] = [0, 0];
  const endProgress = terminal.progress('alone', () =>
    users === 0
      ? `${number(sessions)} sessions`
      : `${number(sessions)} sessions, ${number(users)} users`,
  );
  try {
    const sample: Session[] = [];
    for await (const ids of walkIds(inspection, options)) {
      sessions += ids.length;
      const toRead = ids.slice(0, sampleSize - sample.length);
      for await (const read of readSessions(repository, toRead, pace)) sample.push(...read);
    }
    const met = new Distinct();
    for await (const page of inspection.users(options)) {
      users += page.filter((user) => met.add(digest(user))).length;
    }
    return { sessions, users, sample: describeSample(sample, now()) };
  } finally {
    endProgress();
  }
}

function describeSample(sample: readonly Session[], now: number) {
  return {
    sessions: sample.length,
    with_user: sample.filter(({ user }) => user !== undefined).length,
    persistent: sample.filter(({ persistent }) => persistent).length,
    ttl: distribution(sample.map(remainingSeconds)),
    idle: distribution(sample.map(({ lastAccessedAt }) => secondsSince(lastAccessedAt, now))),
    age: distribution(sample.map(({ createdAt }) => secondsSince(createdAt, now))),
    configured_ttl: distribution(sample.map(({ ttl }) => ttl)),
  };
}

/** In seconds; `null` without values. */
function distribution(seconds: readonly (number | undefined)[]) {
  const sorted = seconds.filter((value) => value !== undefined).sort((a, b) => a - b);
  if (sorted.length === 0) return null;
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  return { min: at(0), p25: at(0.25), p50: at(0.5), p75: at(0.75), max: at(1) };
}

function serverJson(facts: ServerFacts) {
  return {
    server: facts.server,
    version: facts.version,
    role: facts.role ?? null,
    uptime: facts.uptimeSeconds ?? null,
    replicas: facts.replicas ?? null,
    used_memory: facts.usedBytes ?? null,
    maxmemory: facts.maxBytes ?? null,
    maxmemory_policy: facts.evictionPolicy ?? null,
    evicted_keys: facts.evictedKeys ?? null,
  };
}

/** Conditions that need attention, as described in docs/operations.md. */
function warningsFor(facts: ServerFacts) {
  const { server, role, usedBytes = 0, maxBytes = 0, evictionPolicy, evictedKeys = 0 } = facts;
  const warnings: { code: string; server: string; text: string }[] = [];
  const warn = (code: string, text: string) => warnings.push({ code, server, text });
  if (maxBytes > 0 && evictionPolicy !== undefined && evictionPolicy !== 'noeviction') {
    warn(
      'evictable',
      `it evicts sessions at random when its memory is full: maxmemory-policy is ${evictionPolicy} and must be noeviction`,
    );
  }
  if (evictedKeys > 0) {
    warn('evicted', `it has evicted ${number(evictedKeys)} keys since it started`);
  }
  if (maxBytes > 0 && usedBytes > MEMORY_IS_SHORT * maxBytes) {
    warn(
      'memory',
      `${percent(usedBytes, maxBytes)} of maxmemory is used: logins are refused when it is full`,
    );
  }
  if (role === 'slave') warn('replica', 'it is a replica and refuses writes');
  for (const what of facts.failedToWrite) {
    warn('persistence', `it could not write its ${what}: a restart loses what is not on disk`);
  }
  return warnings;
}

type Report = Awaited<ReturnType<typeof count>> & {
  readonly prefix: string;
  readonly servers: readonly ReturnType<typeof serverJson>[];
  readonly warnings: ReturnType<typeof warningsFor>;
};

async function print(report: Report, terminal: Terminal): Promise<void> {
  const { prefix, sessions, users, sample, servers, warnings } = report;
  for (const { server, text } of warnings) {
    await terminal.line({ text: 'WARNING', style: ['red', 'bold'] }, ` ${server}: ${text}`);
  }
  if (warnings.length > 0) await terminal.line();
  await terminal.table([
    ['PREFIX', 'SESSIONS', 'USERS'],
    [prefix, number(sessions), number(users)],
  ]);
  await terminal.line();
  const share = (part: number) => `${number(part)} (${percent(part, sample.sessions)})`;
  if (sample.sessions > 0) {
    await terminal.table([
      ['SESSIONS READ', 'WITH A USER', 'PERSISTENT'],
      [number(sample.sessions), share(sample.with_user), share(sample.persistent)],
    ]);
    await terminal.line();
    await terminal.table([
      ['OF THESE', 'MIN', '25%', 'MEDIAN', '75%', 'MAX'],
      distributionRow('left', sample.ttl),
      distributionRow('idle', sample.idle),
      distributionRow('age', sample.age),
      distributionRow('idle timeout', sample.configured_ttl),
    ]);
    await terminal.line();
  }
  await terminal.table([
    ['SERVER', 'VERSION', 'ROLE', 'UP', 'REPLICAS', 'MEMORY', 'LIMIT', 'EVICTION', 'EVICTED'],
    ...servers.map((server) => [
      server.server,
      server.version,
      server.role ?? '?',
      duration(server.uptime ?? undefined),
      number(server.replicas),
      bytes(server.used_memory),
      server.maxmemory === 0 ? 'none' : bytes(server.maxmemory),
      server.maxmemory_policy ?? '?',
      number(server.evicted_keys),
    ]),
  ]);
}

function distributionRow(name: string, of: ReturnType<typeof distribution>): string[] {
  if (of === null) return [name];
  return [name, ...[of.min, of.p25, of.p50, of.p75, of.max].map(duration)];
}
