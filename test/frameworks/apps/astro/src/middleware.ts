import { defineMiddleware } from 'astro:middleware';
import { withSession } from '../../sessions.ts';

export const onRequest = defineMiddleware(({ request, locals }, next) =>
  withSession(request, (session) => {
    locals.session = session;
    return next();
  }),
);
