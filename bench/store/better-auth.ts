import { openBetterAuth } from '../better-auth.ts';
import { forEachIndex } from '../fixture.ts';
import { openNodeRedis } from '../node-redis.ts';
import type { Contender } from './contender.ts';

/** What a request that changes nothing asks of better-auth: who is this? Once with every read prolonging the session. */
export const betterAuthContenders: readonly Contender[] = [
  getSession('better-auth getSession, updateAge 60', 60),
  getSession('better-auth getSession, updateAge 0', 0),
];

/** Its database in memory copies itself at each sign-up, so that many take minutes. A read does not ask it. */
const MOST_SESSIONS = 100;

function getSession(name: string, updateAge: number): Contender {
  return {
    name,
    async open(redisUrl, wanted) {
      const sessions = Math.min(wanted, MOST_SESSIONS);
      const redis = await openNodeRedis(redisUrl);
      const { auth, signUp } = openBetterAuth(redis, { updateAge });
      const requests: Headers[] = new Array(sessions);
      await forEachIndex(sessions, async (index) => {
        requests[index] = new Headers({ cookie: await signUp(index) });
      });
      return {
        run: async (index) => {
          const found = await auth.api.getSession({
            headers: requests[index % sessions] as Headers,
          });
          if (found === null) throw new Error('There is no session');
          return found;
        },
        close: () => redis.close(),
      };
    },
  };
}
