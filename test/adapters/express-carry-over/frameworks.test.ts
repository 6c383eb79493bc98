import { RedisStore } from 'connect-redis';
import { Redis } from 'ioredis';
import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromConnectRedis, SojournStore } from '../../../src/express.ts';
import { RedisSessionRepository } from '../../../src/redis.ts';
import { foreignApps, type Handlers } from '../../support/foreign-apps.ts';
import { Browser } from '../../support/http-server.ts';
import { describeLive, redisUrl, useTestPrefix } from '../../support/live-redis.ts';

const handlers: Handlers = {
  async login({ session }) {
    await new Promise((done) => session.regenerate(done));
  },
  async user(request) {
    request.session.user = 'ada';
  },
  count({ session }) {
    if (session.user === undefined) return { n: 'nobody' };
    session.n = Number(session.n ?? 0) + 1;
    return { n: session.n };
  },
  logout: ({ session }) => new Promise((done) => session.destroy(done)),
};

describeLive('an application that changes from connect-redis to SojournStore, step by step', () => {
  const prefix = useTestPrefix();
  let node: ReturnType<typeof createClient>;
  let redis: Redis;
  beforeAll(async () => {
    node = createClient({ url: redisUrl() });
    await node.connect();
    redis = new Redis(redisUrl());
  });
  afterAll(() => {
    node.destroy();
    redis.disconnect();
  });

  describe.each([undefined, 60_000])('with a cookie of %s ms', (maxAge) => {
    it.each(foreignApps)('%s: stays logged in, and logs out', async (name, start) => {
      const place = `${prefix}${name}:${maxAge}:`;
      const old = `${place}sess:`;
      const sojourn = (phase?: 'prepare' | 'move') =>
        new SojournStore({
          repository: new RedisSessionRepository({ client: redis, prefix: `${place}web:` }),
          userOf: (session) => (session as { user?: string }).user,
          ...(phase && { carryOver: fromConnectRedis({ client: redis, prefix: old, phase }) }),
        });
      const plain = () => new RedisStore({ client: node, prefix: old }) as unknown as SojournStore;
      const steps = [plain, () => sojourn('prepare'), plain, () => sojourn('prepare')];
      const later = [() => sojourn('move'), () => sojourn('prepare'), () => sojourn('move')];
      const options = { handlers, ...(maxAge && { maxAge }) };
      const [early, late] = [new Browser(''), new Browser('')];
      const visit = async (browser: Browser, url: string, path: string) => {
        const here = Object.assign(new Browser(url), { cookie: browser.cookie });
        const response = await here.request(path);
        browser.cookie = here.cookie;
        expect(response.status).toBe(200);
        return response.json();
      };
      let n = 0;
      for (const store of [...steps, ...later, () => sojourn()]) {
        const app = await start({ ...options, store: store() });
        try {
          if (n === 0) {
            await visit(early, app.url, '/login');
            await visit(early, app.url, '/user');
          }
          n += 1;
          expect(await visit(early, app.url, '/count')).toEqual({ n });
          if (n === 2) {
            await visit(late, app.url, '/login');
            await visit(late, app.url, '/user');
          }
          if (n > 2 && n < 6) expect(await visit(late, app.url, '/count')).toEqual({ n: n - 2 });
          if (n === 6) await visit(late, app.url, '/logout');
          if (n > 6) expect(await visit(late, app.url, '/count')).toEqual({ n: 'nobody' });
        } finally {
          await app.close();
        }
      }
      // @fastify/session stores an empty session at a login, and forgets it.
      for (const key of await redis.keys(`${old}*`)) {
        expect(await redis.get(key)).not.toContain('ada');
      }
    });
  });
});
