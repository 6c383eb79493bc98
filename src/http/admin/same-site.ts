import type { Context } from 'hono';
import { createMiddleware } from 'hono/factory';
import { HTTPException } from 'hono/http-exception';
import { advisedCheck, type CrossSiteAdvice } from '../cross-site.ts';

const advice: CrossSiteAdvice = {
  undeclaredProxy:
    'A forwarding header contains that origin: if a proxy sets it, start the server with --trust-proxy (TRUST_PROXY); ' +
    'an application that mounts the console sets trustProxy: true.',
  otherOrigin: 'The console accepts forms from its own pages only.',
};

/** Refuses a form that another site made a browser send: 403. `refused` is called first. */
export function sameSite(
  trustProxy: boolean,
  refused: (c: Context, reason: string) => void | Promise<void>,
) {
  const crossSite = advisedCheck({ trustProxy }, advice);
  return createMiddleware(async function sameSite(c, next) {
    const { method, url } = c.req;
    const reason = crossSite({ method, url, header: (name) => c.req.header(name) });
    if (reason === undefined) return next();
    await refused(c, reason);
    throw new HTTPException(403, { message: reason });
  });
}
