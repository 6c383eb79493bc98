/** The head of a request, as every framework can show it. */
export interface RequestHead {
  readonly method: string;
  /** Absolute, as the server saw it; one that cannot be parsed, because its host is none, tells nothing. */
  readonly url: string;
  /** The field's value, whatever the case of its name; `undefined` where there is none. */
  header(name: string): string | undefined;
}

/** Where a request was sent to, as far as the server knows. */
export interface RequestTarget {
  /** With the port, if the request named one. */
  readonly host: string;
  /** `undefined` on plain HTTP without a declared proxy: a proxy in front may have ended TLS. */
  readonly scheme: 'http' | 'https' | undefined;
}

/**
 * Where the request was sent to: its `Host` or `:authority` (RFC 9110, 7.2), or, behind a declared proxy, the first entry
 * of `X-Forwarded-Host` and `X-Forwarded-Proto`, or of `Forwarded` (RFC 7239). Anybody can send the latter three, so they
 * count only with `trustProxy`. Never throws, whatever was sent.
 */
export function requestTarget(request: RequestHead, trustProxy: boolean): RequestTarget {
  const url = URL.canParse(request.url) ? new URL(request.url) : undefined;
  const ownHost = request.header('Host') ?? url?.host ?? ''; // HTTP/2 has no Host; the server makes the URL of :authority
  const ownScheme = url?.protocol === 'https:' ? 'https' : undefined;
  if (!trustProxy) return { host: ownHost, scheme: ownScheme };
  const forwarded = request.header('Forwarded');
  const host = firstEntry(request.header('X-Forwarded-Host')) ?? parameter(forwarded, 'host');
  const proto = firstEntry(request.header('X-Forwarded-Proto')) ?? parameter(forwarded, 'proto');
  return { host: host ?? ownHost, scheme: schemeOf(proto) ?? ownScheme };
}

/**
 * The origin in the form that browsers send it: lower case, without a default port. `undefined` for what is no origin,
 * `null` included. Applications that show pages under a scheme of their own (`capacitor://localhost`) have origins too.
 */
export function parseOrigin(text: string): string | undefined {
  const [, scheme = '', host = ''] = /^([a-z][a-z\d+.-]*):\/\/([^\s/?#@\\]+)\/?$/i.exec(text) ?? [];
  if (host === '') return undefined;
  if (!/^https?$/i.test(scheme)) return `${scheme}://${host}`.toLowerCase();
  return URL.canParse(text) ? new URL(text).origin : undefined;
}

/** Whether the origin, as `parseOrigin` answers it, is that of the request's target: scheme where known, host and port. */
export function isOriginOf(origin: string, { host, scheme }: RequestTarget): boolean {
  const originScheme = schemeOf(origin.slice(0, origin.indexOf(':')));
  if (originScheme === undefined || (scheme ?? originScheme) !== originScheme) return false;
  return parseOrigin(`${originScheme}://${host}`) === origin;
}

/** Each proxy appends its own entry; the first one is of the proxy that the browser spoke to. */
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
