import type { Handle } from '@sveltejs/kit';

export const handle: Handle = async ({ event, resolve }) => {
  const { withSession } = await import('../../sessions.ts'); // not above: the build imports this file, without a Redis
  return withSession(event.request, (session) => {
    event.locals.session = session;
    return resolve(event);
  });
};
