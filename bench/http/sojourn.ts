import { Hono } from 'hono';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { openNearCache } from '../../src/near-cache.ts';
import { RedisSessionRepository } from '../../src/redis.ts';
import { connect } from '../connect.ts';
import { applicationData, TTL_SECONDS } from '../fixture.ts';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

export function sojourn({
  refreshAfter = 0,
  nearCache = false,
}: {
  readonly refreshAfter?: number;
  readonly nearCache?: boolean;
}): HttpContender {
  return async (redisUrl) => {
    const { client, close } = await connect(redisUrl);
    const cache = nearCache ? openNearCache({ client }) : undefined;
    const service = new SessionService({
      repository: cache?.repository ?? new RedisSessionRepository({ client }),
      policy: { ttl: TTL_SECONDS, refreshAfter },
      rememberTokens: nearCache ? 10_000 : 0,
    });
    const app = new Hono<SessionsEnv>();
    app.use(sessions({ service, cookie: { secure: false } }));
    app.post('/login', async (c) => {
      await c.var.session.start(undefined, applicationData(Number(c.req.query('user'))));
      return c.text('');
    });
    app.get('/', (c) => c.text(greeting(c.var.session.get('username'))));
    return listenHono(app, async () => {
      await cache?.close();
      await close();
    });
  };
}
