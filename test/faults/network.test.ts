import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { describeWithServers, redisBinary } from '../support/live-redis.ts';
import { type RedisServer, startRedisServer } from '../support/redis-server.ts';
import * as proxy from '../support/tcp-proxy.ts';
import { underLoad } from './under-load.ts';

const SILENT_MS = 3000;

describeWithServers('a network that fails under load', () => {
  let server: RedisServer;
  let network: proxy.TcpProxy;
  beforeEach(async () => {
    server = await startRedisServer({ binary: redisBinary() });
    network = await proxy.startTcpProxy(server);
  });
  afterEach(async () => {
    await network?.stop();
    await server?.stop();
  });

  const address = () => ({ kind: 'server', host: network.host, port: network.port }) as const;

  it('loses replies: what was asked is never done twice, and the caller is told that nobody knows', async () => {
    const answers = await underLoad(address(), async (load) => {
      network.disturb(proxy.losingReplies(20));
      await load.more(60, ({ outcome }) => outcome.kind === 'unknown');
      network.calm();
    });
    expect(answers.unknown).toBeGreaterThanOrEqual(60);
  });

  it('breaks in the middle of replies: half an answer is no answer', async () => {
    const answers = await underLoad(address(), async (load) => {
      network.disturb(proxy.cuttingReplies(20));
      await load.more(60, ({ outcome }) => outcome.kind === 'unknown');
      network.calm();
    });
    expect(answers.unknown).toBeGreaterThanOrEqual(60);
  });

  it('takes 300 ms for a reply: slow, and nothing else', async () => {
    const answers = await underLoad(address(), async (load) => {
      network.disturb(proxy.delayingReplies(300));
      await load.more(80);
      network.calm();
    });
    expect(answers.refused).toBe(0);
  });

  it('brings replies byte by byte: nothing is misread', async () => {
    await underLoad(address(), async (load) => {
      network.disturb(proxy.dribblingReplies);
      await load.more(40);
      network.calm();
    });
  });

  it('falls silent with connections open: calls give up in time, and new connections are made', async () => {
    const answers = await underLoad(address(), async () => {
      network.disturb(proxy.silence);
      await wait(SILENT_MS); // the fault itself
      network.calm();
    });
    expect(answers.unknown).toBeGreaterThan(0);
  });
});
