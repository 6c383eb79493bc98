import { printable } from '../domain/printable.ts';
import { isOriginOf, parseOrigin, type RequestHead, requestTarget } from './request-origin.ts';
import { type TrustedOrigins, trustedOrigins } from './trusted-origins.ts';

/** Which origins may send unsafe requests, and how the server determines its own origin. */
export interface CrossSiteOptions {
  /** Other origins whose pages may send unsafe requests. By default only the request's own origin may. @default [] */
  readonly trustedOrigins?: TrustedOrigins;
  /** Trust the forwarding headers of a proxy, as in `SessionsOptions`. @default false */
  readonly trustProxy?: boolean;
}

/** What the message of a refusal advises. */
export interface CrossSiteAdvice {
  /** If a forwarding header contains the origin of the page. */
  readonly undeclaredProxy: string;
  /** If the page is of another origin. */
  readonly otherOrigin: string;
}

const ofOptions: CrossSiteAdvice = {
  undeclaredProxy:
    'A forwarding header contains that origin: if a proxy sets it, use trustProxy: true.',
  otherOrigin: 'If its pages may do this, add the origin to trustedOrigins.',
};

const SHOWN_CHARACTERS = 200;

/**
 * Returns a function that detects requests that another site made a browser send (CSRF; OWASP ASVS 3.5.1). For such a
 * request it returns the reason for a refusal, which names the origin and the setting that would allow it; for every
 * other request `undefined`.
 *
 * It checks unsafe methods, and WebSocket handshakes although they are GET requests, because a socket reads and writes
 * (CWE-1385). A request is cross-site if its `Sec-Fetch-Site` is neither `same-origin` nor `none`, or, without that
 * header, if its `Origin` is not the request's own. A request with neither header does not come from a browser, carries
 * no ambient cookies, and passes (the reasoning of Go's `CrossOriginProtection`).
 *
 * @throws `SessionError` (`invalid_option`) if an entry of `trustedOrigins` is not an origin.
 *
 * @example
 * ```ts
 * const crossSite = crossSiteCheck({ trustedOrigins: ['https://app.example'] });
 * const reason = crossSite({ method, url, header: (name) => headers.get(name) ?? undefined });
 * if (reason !== undefined) return new Response(reason, { status: 403 });
 * ```
 */
export function crossSiteCheck(
  options: CrossSiteOptions = {},
): (request: RequestHead) => string | undefined {
  return advisedCheck(options, ofOptions);
}

/** The same for a program whose settings have other names. */
export function advisedCheck(
  { trustedOrigins: trusted = [], trustProxy = false }: CrossSiteOptions,
  advice: CrossSiteAdvice,
): (request: RequestHead) => string | undefined {
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
      return `${refused}: according to the browser another site caused it, and it has no Origin header.`;
    }
    if (header === 'null') {
      return (
        `${refused}: its Origin is null, as sent by sandboxed frames and by pages with Referrer-Policy: no-referrer. ` +
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
    const remedy = undeclared ? advice.undeclaredProxy : advice.otherOrigin;
    return `${refused}: it comes from ${shown}, and this is ${own}. ${remedy}`;
  }
}

/** A GET that becomes a socket is as powerful as a POST. */
function isSafe(request: RequestHead): boolean {
  const { method } = request;
  if (method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS') return false;
  const upgrade = request.header('Upgrade');
  return upgrade === undefined || !/\bwebsocket\b/i.test(upgrade);
}
