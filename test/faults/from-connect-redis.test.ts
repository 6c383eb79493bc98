import { expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { moveUnderLoad } from './from-connect-redis-under-load.ts';
import { violations } from './history.ts';

// FROM_CONNECT_REDIS_SESSIONS=20000 FROM_CONNECT_REDIS_REQUESTS=500 makes it the size of a large installation.
const sessions = Number(process.env.FROM_CONNECT_REDIS_SESSIONS ?? 600);
const requestsPerSecond = Number(process.env.FROM_CONNECT_REDIS_REQUESTS ?? 150);
const stageMs = Number(process.env.FROM_CONNECT_REDIS_STAGE_MS ?? 3000);

describeWithServers('sessions that move from connect-redis to SojournStore under load', () => {
  it('through a rolling restart: nobody is logged out, nothing acknowledged is lost, nobody comes back', async () => {
    const redis = await startRedisServer({ binary: redisBinary() });
    try {
      const say = process.env.FROM_CONNECT_REDIS_SESSIONS ? console.log : () => {};
      const carried = await moveUnderLoad(redis, { sessions, requestsPerSecond, stageMs }, say);
      const { calls } = carried;
      const told = (kind: string) => calls.filter(({ outcome }) => outcome.kind === kind).length;
      const ended = calls.filter((c) => c.action.kind === 'delete' && c.outcome.kind === 'ok');
      say(
        JSON.stringify({
          ...carried,
          calls: calls.length,
          ended: ended.length,
          unknown: told('unknown'),
        }),
      );
      expect(violations(calls).slice(0, 10)).toEqual([]);
      expect(carried.leftInOld).toBe(0);
      expect(carried.unreadable).toBe(0);
      expect(carried.moved).toBeGreaterThan(sessions / 20);
      expect(ended.length).toBeGreaterThan(0);
      expect(carried.failed).toBeLessThan(carried.requests / 4); // by servers that are killed
    } finally {
      await redis.stop();
    }
  }, 600_000);
});
