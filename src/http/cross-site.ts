import type { Context } from 'hono';

/**
 * True for a request that a foreign site made a browser send: an unsafe method whose `Sec-Fetch-Site` is neither
 * `same-origin` nor `none`, or, without that header, whose `Origin` is another host than `host`, the request's own. A
 * request with neither header comes from no browser, has no ambient cookies to abuse, and passes (the reasoning of
 * Go's CrossOriginProtection).
 */
export function isCrossSite(
  c: Context,
  trustedOrigins: ReadonlySet<string>,
  host: () => string | undefined,
): boolean {
  const { method } = c.req;
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return false;
  const origin = c.req.header('Origin');
  if (origin !== undefined && trustedOrigins.has(origin)) return false;
  const site = c.req.header('Sec-Fetch-Site');
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  const originHost = hostOf(origin);
  return originHost === undefined || originHost !== host();
}

// `null`, as sandboxed frames and some redirects send it, and everything else that is no origin, is nobody's host.
function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
