import { printable } from '../domain/printable.ts';
import { isOriginOf, parseOrigin, type RequestHead, requestTarget } from './request-origin.ts';
import { type TrustedOrigins, trustedOrigins } from './trusted-origins.ts';

/** Who may send unsafe requests, and how the server learns where a request was sent to. */
export interface CrossSiteOptions {
  readonly trustedOrigins?: TrustedOrigins;
  /** As in `SessionsOptions`. Default false. */
  readonly trustProxy?: boolean;
}

const SHOWN_CHARACTERS = 200;

/**
 * Tells requests that a foreign site made a browser send (CSRF; OWASP ASVS 3.5.1): answers why such a request is refused,
 * in words that name the origin and the setting that would allow it, and `undefined` for every other request.
 *
 * It looks at unsafe methods, and at WebSocket handshakes although they are GETs, since a socket reads and writes
 * (CWE-1385). Foreign is a request whose `Sec-Fetch-Site` is neither `same-origin` nor `none`, or, without that header,
 * whose `Origin` is not the request's own. A request with neither header comes from no browser, has no ambient cookies to
 * abuse, and passes (the reasoning of Go's `CrossOriginProtection`).
 *
 * Throws a `SessionError` (`invalid_option`) for a trusted origin that is none.
 */
export function crossSiteCheck({
  trustedOrigins: trusted = [],
  trustProxy = false,
}: CrossSiteOptions = {}): (request: RequestHead) => string | undefined {
  const isTrusted = trustedOrigins(trusted);

  return function crossSite(request) {
    if (isSafe(request)) return undefined;
    const header = request.header('Origin');
    const origin = header === undefined ? undefined : parseOrigin(header);
    if (origin !== undefined && isTrusted(origin)) return undefined;
    const site = request.header('Sec-Fetch-Site');
    if (site === 'same-origin' || site === 'none') return undefined;
    if (site === undefined) {
      if (header === undefined) return undefined;
      if (origin !== undefined && isOriginOf(origin, requestTarget(request, trustProxy)))
        return undefined;
    }
    return explain(request, header, origin);
  };

  function explain(
    request: RequestHead,
    header: string | undefined,
    origin: string | undefined,
  ): string {
    const refused = 'Cross-site request refused';
    if (header === undefined) {
      return `${refused}: the browser says that another site caused it, and names no origin.`;
    }
    if (header === 'null') {
      return (
        `${refused}: its Origin is null, as sandboxed frames send it, and pages whose Referrer-Policy is no-referrer. ` +
        'Serve the page that sends it with Referrer-Policy: same-origin.'
      );
    }
    const shown = printable(header.slice(0, SHOWN_CHARACTERS));
    const { host, scheme } = requestTarget(request, trustProxy);
    const own = printable(
      `${scheme === undefined ? '' : `${scheme}://`}${host}`.slice(0, SHOWN_CHARACTERS),
    );
    const undeclared =
      !trustProxy && origin !== undefined && isOriginOf(origin, requestTarget(request, true));
    const remedy = undeclared
      ? 'A forwarding header names that origin: behind a proxy that sets it, say trustProxy: true.'
      : 'If its pages may do this, add the origin to trustedOrigins.';
    return `${refused}: it comes from ${shown}, and this is ${own}. ${remedy}`;
  }
}

/** A GET that becomes a socket is as powerful as any POST. */
function isSafe(request: RequestHead): boolean {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return false;
  const upgrade = request.header('Upgrade');
  return upgrade === undefined || !/\bwebsocket\b/i.test(upgrade);
}
