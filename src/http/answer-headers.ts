import { Hono, type MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * The headers of every response of the server, including errors: restrictions for browsers, and `no-store` unless the
 * route sets another `Cache-Control`, because the same path has a different response for each user.
 */
export function answerHeaders({ https }: { readonly https: boolean }): MiddlewareHandler[] {
  const secure = secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'"],
      connectSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
    // Other sites get no referrer. Not stricter than this: under `no-referrer` the Origin of the site's own forms is
    // `null`.
    referrerPolicy: 'same-origin',
    xFrameOptions: 'DENY',
    strictTransportSecurity: https ? 'max-age=31536000' : false,
  });
  return [
    secure,
    async function notKept(c, next) {
      await next();
      if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
    },
  ];
}

/** The same headers, for responses that do not come from an application. */
export async function bareAnswerHeaders(options: {
  readonly https: boolean;
}): Promise<Readonly<Record<string, string>>> {
  const app = new Hono();
  app.use(...answerHeaders(options)).get('/', (c) => c.body(null));
  return Object.fromEntries((await app.request('/')).headers);
}
