/** The start of a request as it was received, before it was turned into a URL. An `IncomingMessage` has this shape. */
export interface RequestHead {
  readonly url?: string | undefined;
  readonly httpVersion: string;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
}

/** Why the server refuses a request before it reaches the application. The message goes to the client and the log. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 417;
  readonly message: string;
}

// Each path here has only one spelling. Any other form, which would have to be decoded or resolved first, is not found:
// a proxy that is configured to refuse `/healthz` compares what the client sent.
const NOT_PLAIN = /[^\x21-\x7e]|[%\\#]|\/\/|\/\.\.?(?:\/|$)/;

const HOST = /^(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=-]+)(?::\d*)?$/i;

/** What is wrong with the head of a request (RFC 9112, 3.2), its host, or the spelling of its path. */
export function refusalOf(
  { url = '', httpVersion, rawHeaders }: RequestHead,
  allowsHost: (name: string) => boolean,
  whoAllows = '--allowed-hosts (ALLOWED_HOSTS) names the allowed ones',
): Refusal | undefined {
  const hosts = rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host',
  );
  if (hosts.length > 1) return bad('There is more than one Host header');
  const [host] = hosts;
  if (host === undefined && httpVersion !== '1.0') return bad('The Host header is missing');
  const name = host === undefined ? undefined : nameOf(host);
  if (host !== undefined && name === undefined) return bad('The Host header is malformed');

  const [, authority, path = '/'] =
    /^(?:https?:\/\/([^/?#]*))?(\/[^?]*)?(?:\?.*)?$/s.exec(url) ?? [];
  if (url === '' || (authority === undefined && !url.startsWith('/'))) {
    return bad('The request target is not a path');
  }
  if (authority !== undefined && authority.toLowerCase() !== host?.toLowerCase()) {
    return bad('The request target and the Host header name different hosts');
  }
  if (name !== undefined && !allowsHost(name)) {
    return { status: 403, message: `The host ${name} is not allowed here; ${whoAllows}` };
  }
  return NOT_PLAIN.test(path) ? { status: 404, message: 'Not found' } : undefined;
}

/** The host of a Host header, without the port. `undefined` if it is malformed or not spelled as browsers spell it. */
function nameOf(host: string): string | undefined {
  const [, name = ''] = HOST.exec(host) ?? [];
  if (name === '' || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname === name.toLowerCase() ? name.toLowerCase() : undefined;
}

function bad(message: string): Refusal {
  return { status: 400, message };
}
