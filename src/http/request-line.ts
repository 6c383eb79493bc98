/** The beginning of a request as it came over the wire, before anybody made a URL of it. An `IncomingMessage` is one. */
export interface RequestHead {
  readonly url?: string | undefined;
  readonly httpVersion: string;
  /** Names and values by turns. */
  readonly rawHeaders: readonly string[];
}

/** Why a request is answered by nobody but the server itself. The message is for whoever sent it, and for the log. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 417;
  readonly message: string;
}

// Every path here is written in one way only. Whatever would have to be decoded or resolved first is not found: a proxy
// that was told to refuse `/healthz` compares what the client wrote.
const NOT_PLAIN = /[^\x21-\x7e]|[%\\#]|\/\/|\/\.\.?(?:\/|$)/;

const HOST = /^(\[[\da-f:.]+\]|[\w.~!$&'()*+,;=-]+)(?::\d*)?$/i;

/** What is wrong with a request before its path is looked at (RFC 9112, 3.2), or with its host, or with how its path is written. */
export function refusalOf(
  { url = '', httpVersion, rawHeaders }: RequestHead,
  allowsHost: (name: string) => boolean,
  whoAllows = '--allowed-hosts (ALLOWED_HOSTS) says which are',
): Refusal | undefined {
  const hosts = rawHeaders.filter(
    (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === 'host',
  );
  if (hosts.length > 1) return bad('There is more than one Host header');
  const [host] = hosts;
  if (host === undefined && httpVersion !== '1.0') return bad('The Host header is missing');
  const name = host === undefined ? undefined : nameOf(host);
  if (host !== undefined && name === undefined) return bad('The Host header names no host');

  const [, authority, path = '/'] =
    /^(?:https?:\/\/([^/?#]*))?(\/[^?]*)?(?:\?.*)?$/s.exec(url) ?? [];
  if (url === '' || (authority === undefined && !url.startsWith('/'))) {
    return bad('The target of the request is no path');
  }
  if (authority !== undefined && authority.toLowerCase() !== host?.toLowerCase()) {
    return bad('The target of the request names another host than the Host header');
  }
  if (name !== undefined && !allowsHost(name)) {
    return { status: 403, message: `The host ${name} is not allowed here; ${whoAllows}` };
  }
  return NOT_PLAIN.test(path) ? { status: 404, message: 'Not found' } : undefined;
}

/** The host of a Host header, without the port; `undefined` where it is malformed or written otherwise than a browser does. */
function nameOf(host: string): string | undefined {
  const [, name = ''] = HOST.exec(host) ?? [];
  if (name === '' || !URL.canParse(`http://${host}`)) return undefined;
  return new URL(`http://${host}`).hostname === name.toLowerCase() ? name.toLowerCase() : undefined;
}

function bad(message: string): Refusal {
  return { status: 400, message };
}
