/** The head of a request, in a form that every framework can provide. */
export interface RequestHead {
  /** The request method, such as `POST`. */
  readonly method: string;
  /** The absolute URL as the server saw it. If it cannot be parsed, because its host is malformed, it is ignored. */
  readonly url: string;
  /** The value of the header, whose name is case-insensitive; `undefined` if there is none. */
  header(name: string): string | undefined;
}

/** The host and scheme that a request was sent to, as far as the server knows. */
export interface RequestTarget {
  /** With the port, if the request contained one. */
  readonly host: string;
  /** `undefined` on plain HTTP without a trusted proxy, because a proxy may have terminated TLS. */
  readonly scheme: 'http' | 'https' | undefined;
}

/**
 * The host and scheme that the request was sent to: its `Host` or `:authority` (RFC 9110, 7.2), or, behind a trusted
 * proxy, the first entry of `X-Forwarded-Host` and `X-Forwarded-Proto`, or of `Forwarded` (RFC 7239). Any client can
 * send these three headers, so they are used only with `trustProxy`. Never throws.
 */
export function requestTarget(request: RequestHead, trustProxy: boolean): RequestTarget {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  const ownHost = request.header('Host') ?? url?.host ?? ''; // HTTP/2 has no Host; the server takes the URL's host from :authority
  const ownScheme = url?.protocol === 'https:' ? 'https' : undefined;
  if (!trustProxy) return { host: ownHost, scheme: ownScheme };
  const forwarded = request.header('Forwarded');
  const host = firstEntry(request.header('X-Forwarded-Host')) ?? parameter(forwarded, 'host');
  const proto = firstEntry(request.header('X-Forwarded-Proto')) ?? parameter(forwarded, 'proto');
  return { host: host ?? ownHost, scheme: schemeOf(proto) ?? ownScheme };
}

/**
 * The origin in the form in which browsers send it: lower case, without a default port. `undefined` if the text is not
 * an origin, as for `null`. Applications that show pages under a scheme of their own (`capacitor://localhost`) have
 * origins too.
 */
export function parseOrigin(text: string): string | undefined {
  const [, scheme = '', host = ''] = /^([a-z][a-z\d+.-]*):\/\/([^\s/?#@\\]+)\/?$/i.exec(text) ?? [];
  if (host === '') return undefined;
  if (!/^https?$/i.test(scheme)) return `${scheme}://${host}`.toLowerCase();
  return URL.canParse(text) ? new URL(text).origin : undefined;
}

/**
 * True if the origin, as returned by `parseOrigin`, is that of the request's target: the same host and port, and the
 * same scheme if it is known.
 */
export function isOriginOf(origin: string, { host, scheme }: RequestTarget): boolean {
  const originScheme = schemeOf(origin.slice(0, origin.indexOf(':')));
  if (originScheme === undefined || (scheme ?? originScheme) !== originScheme) return false;
  return parseOrigin(`${originScheme}://${host}`) === origin;
}

/** Each proxy appends an entry. The first entry comes from the proxy that the browser connected to. */
function firstEntry(list: string | undefined): string | undefined {
  return list?.split(',', 1)[0]?.trim() || undefined;
}

/** A parameter of the first element of a `Forwarded` header, with or without quotes. */
function parameter(forwarded: string | undefined, name: 'host' | 'proto'): string | undefined {
  const first = forwarded?.match(/^(?:[^",]|"[^"]*")*/)?.[0] ?? '';
  const [, quoted, plain] =
    new RegExp(`(?:^|;)\\s*${name}\\s*=\\s*(?:"([^"]*)"|([^;\\s]*))`, 'i').exec(first) ?? [];
  return quoted || plain || undefined;
}

function schemeOf(proto: string | undefined): 'http' | 'https' | undefined {
  const scheme = proto?.toLowerCase();
  return scheme === 'http' || scheme === 'https' ? scheme : undefined;
}
