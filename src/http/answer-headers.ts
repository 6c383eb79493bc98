import { Hono, type MiddlewareHandler } from 'hono';
import { secureHeaders } from 'hono/secure-headers';

/**
 * The headers of every answer that the server gives, errors included: what browsers may do with it, and that nobody keeps it
 * unless the route says so, since the same path answers everybody differently.
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
    // Nothing is told to other sites. No stricter: under `no-referrer` a form's own Origin is `null`.
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

/** The same headers for answers that no application gives. */
export async function bareAnswerHeaders(options: {
  readonly https: boolean;
}): Promise<Readonly<Record<string, string>>> {
  const app = new Hono();
  app.use(...answerHeaders(options)).get('/', (c) => c.body(null));
  return Object.fromEntries((await app.request('/')).headers);
}
