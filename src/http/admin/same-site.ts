import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { crossSiteCheck } from '../cross-site.ts';

/** Refuses a form that another site made a browser send: 403. `refused` is called first. */
export function sameSite(
  trustProxy: boolean,
  refused: (c: Context, reason: string) => void | Promise<void>,
) {
  const crossSite = crossSiteCheck({ trustProxy });
  return createMiddleware(async function sameSite(c, next) {
    const { method, url } = c.req;
    const reason = crossSite({ method, url, header: (name) => c.req.header(name) });
    if (reason === undefined) return next();
    await refused(c, reason);
    throw new HTTPException(403, { message: reason });
  });
}
