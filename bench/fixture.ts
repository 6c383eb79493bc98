/** Half an hour, as the tutorial has it. */
export const TTL_SECONDS = 1800;

/** What every contender keeps in a session: the same five fields, short texts as applications have them. */
export function applicationData(index: number): Record<string, string> {
  return {
    user_id: String(1_000_000 + index),
    username: `user-${1_000_000 + index}`,
    role: 'customer',
    locale: 'en-GB',
    cart_items: '3',
  };
}

/** A session as express-session and @fastify/session hand it to their stores. */
export function sessionWithCookie(index: number) {
  return {
    cookie: {
      originalMaxAge: TTL_SECONDS * 1000,
      expires: new Date(Date.now() + TTL_SECONDS * 1000),
      secure: true,
      httpOnly: true,
      path: '/',
      sameSite: 'lax' as const,
    },
    ...applicationData(index),
  };
}

/** Does something for each index, 128 at a time. */
export async function forEachIndex(
  count: number,
  act: (index: number) => Promise<unknown>,
): Promise<void> {
  let next = 0;
  const worker = async () => {
    while (next < count) await act(next++);
  };
  await Promise.all(Array.from({ length: Math.min(128, count) }, worker));
}
