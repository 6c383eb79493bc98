import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { TTL_SECONDS } from './fixture.ts';
import type { openNodeRedis } from './node-redis.ts';

const password = 'only-for-the-benchmark';

/**
 * better-auth with its sessions in Redis alone (`secondaryStorage`), its users in memory, and nothing switched on that a
 * session read does not need. Passwords are not hashed, so that filling the store takes no minutes. A session is
 * prolonged by a read when `updateAge` seconds have passed.
 */
export function openBetterAuth(
  redis: Awaited<ReturnType<typeof openNodeRedis>>,
  { updateAge }: { readonly updateAge: number },
) {
  const auth = betterAuth({
    secret: 'only-for-the-benchmark-only-for-the-benchmark',
    baseURL: 'http://127.0.0.1',
    database: memoryAdapter({ user: [], account: [], verification: [], session: [] }),
    secondaryStorage: {
      get: (key) => redis.get(key),
      set: async (key, value, ttl) => {
        await (ttl === undefined ? redis.set(key, value) : redis.setEx(key, ttl, value));
      },
      delete: async (key) => {
        await redis.del(key);
      },
      getAndDelete: (key) => redis.getDel(key),
      increment: () => {
        throw new Error('Only its rate limits count, which are off');
      },
    },
    session: { expiresIn: TTL_SECONDS, updateAge },
    emailAndPassword: {
      enabled: true,
      password: { hash: async (text) => text, verify: async () => true },
    },
    rateLimit: { enabled: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  /** Signs somebody up; answers the cookies of the session as a browser sends them back. */
  const signUp = async (index: number): Promise<string> => {
    const { headers } = await auth.api.signUpEmail({
      body: { email: `user-${index}@example.com`, name: `user-${1_000_000 + index}`, password },
      returnHeaders: true,
    });
    return headers
      .getSetCookie()
      .map((cookie) => cookie.split(';', 1)[0])
      .join('; ');
  };
  return { auth, signUp };
}
