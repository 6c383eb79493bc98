import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import { carryUnderLoad } from './carry-over-under-load.ts';
import { violations } from './history.ts';
import { span } from './under-load.ts';

// CARRY_OVER_SESSIONS=100000 CARRY_OVER_REQUESTS=500 makes it the size of a large installation.
const sessions = Number(process.env.CARRY_OVER_SESSIONS ?? 3000);
const requestsPerSecond = Number(process.env.CARRY_OVER_REQUESTS ?? 300);
/** Longer than a client takes to connect again. */
const AWAY_MS = 1500;

const stageMs = Number(process.env.CARRY_OVER_STAGE_MS ?? 4000);

describeWithServers('sessions that move to another Redis under load', () => {
  it('through a rolling restart in which servers are killed: nobody is logged out, nothing is lost, nobody comes back', async () => {
    const [from, to] = await Promise.all(
      [1, 2].map(() => startRedisServer({ binary: redisBinary() })),
    );
    if (from === undefined || to === undefined) throw new Error('Two servers are two.');
    try {
      const say = process.env.CARRY_OVER_SESSIONS ? console.log : () => {};
      const load = { sessions, requestsPerSecond, stageMs };
      const carried = await carryUnderLoad(from, to, load, say);
      const { calls } = carried;
      say(
        JSON.stringify({
          ...{ ...carried, calls: calls.length },
          unavailable: calls.filter(({ outcome }) => outcome.kind === 'refused').length,
          unknown: calls.filter(({ outcome }) => outcome.kind === 'unknown').length,
          ended: calls.filter((c) => c.action.kind === 'delete' && c.outcome.kind === 'ok').length,
        }),
      );
      expect(violations(calls).slice(0, 10)).toEqual([]);
      expect(carried.leftInOld).toBe(0);
      expect(carried.moved).toBeGreaterThan(sessions / 10);
    } finally {
      await Promise.all([from.stop(), to.stop()]);
    }
  }, 1_800_000);

  it('while either Redis is away for a time: sessions in the new one are served without the old one, and nothing is lost', async () => {
    const args = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const [from, to] = await Promise.all(
      [1, 2].map(() => startRedisServer({ binary: redisBinary(), args })),
    );
    if (from === undefined || to === undefined) throw new Error('Two servers are two.');
    let oldAway = { begin: 0, end: 0 };
    const away = (redis: RedisServer) =>
      span(async () => {
        await redis.kill();
        await wait(AWAY_MS); // the fault itself
        await redis.restart();
      });
    const meanwhile = async () => {
      oldAway = await away(from);
      await wait(AWAY_MS); // the servers connect again
      await away(to);
      await wait(AWAY_MS);
    };
    try {
      const load = { sessions: 1000, requestsPerSecond: 200, stageMs: 2000, meanwhile };
      const { calls, leftInOld } = await carryUnderLoad(from, to, load);
      expect(violations(calls).slice(0, 10)).toEqual([]);
      expect(leftInOld).toBe(0);
      const then = calls.filter(({ begin, end }) => begin > oldAway.begin && end < oldAway.end);
      const told = new Set(then.map(({ outcome }) => outcome.kind));
      expect(told).toContain('ok');
      expect(told).toContain('refused');
    } finally {
      await Promise.all([from.stop(), to.stop()]);
    }
  });
});
