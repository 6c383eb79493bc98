import { Hono } from 'hono';
import { type SessionsEnv, sessions } from '../../src/hono.ts';
import { SessionService } from '../../src/index.ts';
import { RedisJournal, RedisSessionRepository } from '../../src/redis.ts';
import { connect } from '../connect.ts';
import { applicationData, TTL_SECONDS } from '../fixture.ts';
import { greeting, type HttpContender } from './contender.ts';
import { listenHono } from './listen-hono.ts';

/** Who logs in, each in turn. */
const USERS = 10_000;

/** Each `GET /` is a login by a browser that has no session yet: the cookie that the load carries is no session's. */
export function sojournLogins({ journal }: { readonly journal: boolean }): HttpContender {
  return async (redisUrl) => {
    const { client, close } = await connect(redisUrl);
    const service = new SessionService({
      repository: new RedisSessionRepository({ client }),
      policy: { ttl: TTL_SECONDS },
      ...(journal && { journal: new RedisJournal({ client }) }),
    });
    let logins = 0;
    const app = new Hono<SessionsEnv>();
    app.use(sessions({ service, cookie: { secure: false } }));
    app.post('/login', (c) => c.text('', 200, { 'Set-Cookie': 'visitor=1' }));
    app.get('/', async (c) => {
      logins += 1;
      const device = { label: 'Firefox on Linux' };
      await c.var.session.start(`user${logins % USERS}`, applicationData(logins), { device });
      return c.text(greeting(c.var.session.get('username')));
    });
    return listenHono(app, async () => {
      await service.journalWritten();
      await close();
    });
  };
}
