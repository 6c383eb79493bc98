import { SessionError } from '../domain/errors.ts';
import { isSessionToken, type SessionToken } from '../domain/session-token.ts';

/** Attributes of the session cookie. Combinations that browsers would reject are refused at construction. */
export interface SessionCookieOptions {
  /**
   * The cookie's name. A prefix of RFC 6265bis is added (see `prefix`) unless the name already begins with one.
   *
   * @default 'sid'
   */
  readonly name?: string;
  /**
   * Set the `Secure` attribute: true if browsers reach the site by HTTPS. Browsers drop such a cookie on plain HTTP, so
   * use false there, for example in development. It is never guessed from a request.
   *
   * @default true
   */
  readonly secure?: boolean;
  /**
   * `__Host-`: no other host and no insecure connection can set the cookie; it rules out `domain` and any `path` but
   * `/`. `__Secure-`: no insecure connection can set it. `''`: no prefix (RFC 6265bis, 4.1.3). Both prefixes require
   * `secure`. The default is the strictest prefix that the other options allow.
   */
  readonly prefix?: '__Host-' | '__Secure-' | '';
  /**
   * Which requests from other sites carry the cookie: `Lax` only top-level navigation such as links, `Strict` none,
   * `None` all, for pages on another site and frames inside one. `None` requires `secure`. The origin check protects in
   * each case.
   *
   * @default 'Lax'
   */
  readonly sameSite?: 'Lax' | 'Strict' | 'None';
  /**
   * Shares the cookie with every host below this one, for example `example.com` for `app.example.com` and
   * `admin.example.com`. Each of these hosts can then read and replace it, so leave it out if you can. By default only
   * the host that set the cookie gets it. If you change `domain` or `path` later, change the name as well: browsers
   * keep the old cookie beside the new one, and if there are two different tokens, neither is trusted.
   */
  readonly domain?: string;
  /**
   * The cookie is sent for this path and everything below it.
   *
   * @default '/'
   */
  readonly path?: string;
  /**
   * Keeps a separate cookie for each site that shows the application in a frame (CHIPS). Requires `secure`; use it with
   * `sameSite: 'None'`.
   *
   * @default false
   */
  readonly partitioned?: boolean;
}

/** Browsers compare the prefix of a name without case (RFC 6265bis, 5.4). */
const PREFIXED = /^(__host-|__secure-)/i;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

const MAX_NAME_CHARACTERS = 1024;
const MAX_ATTRIBUTE_CHARACTERS = 1024;

/**
 * The session's cookie. It contains only the token, and clearing it repeats the attributes that it was set with.
 * Servers without the middleware, such as a socket server on another port, can read it with the same options.
 *
 * @example
 * ```ts
 * const cookie = new SessionCookie({ secure: true });
 * const token = cookie.read(request.headers.get('Cookie'));
 * const session = token && (await service.get(token));
 * ```
 */
export class SessionCookie {
  /** The complete name, with its prefix. */
  readonly name: string;
  /** Whether the cookie has the `Secure` attribute. */
  readonly secure: boolean;
  /** The `SameSite` attribute. */
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly #attributes: string;

  /** @throws `SessionError` (`invalid_option`) for a name or a combination that browsers reject. */
  constructor(options: SessionCookieOptions = {}) {
    const { secure = true, sameSite = 'Lax', domain, path = '/', partitioned = false } = options;
    this.name = prefixedName(options);
    this.secure = secure;
    this.sameSite = sameSite;
    checkSameSite(sameSite);
    if (!secure && sameSite === 'None') throw refused('sameSite: None needs secure: true');
    if (!secure && partitioned) throw refused('partitioned needs secure: true');
    this.#attributes = [
      `; Path=${checkPath(path)}`,
      domain === undefined ? '' : `; Domain=${checkDomain(domain)}`,
      '; HttpOnly',
      secure ? '; Secure' : '',
      `; SameSite=${sameSite}`,
      partitioned ? '; Partitioned' : '',
    ].join('');
  }

  /**
   * Returns the token in a `Cookie` header. `undefined` if there is none, or if there are several different ones, of
   * which none is trusted. Never throws, whatever the header contains.
   */
  read(header: string | null | undefined): SessionToken | undefined {
    const presented = this.presented(header);
    return presented === 'ambiguous' ? undefined : presented;
  }

  /** Like `read`, but distinguishes whether there are several different tokens. */
  presented(header: string | null | undefined): PresentedToken {
    return typeof header === 'string' ? parseCookie(header, this.name) : undefined;
  }

  /**
   * The `Set-Cookie` header that gives the browser a token. With `maxAge`, in seconds, the cookie outlives the browser.
   */
  set(token: SessionToken, maxAge?: number): string {
    const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`;
    return `${this.name}=${token}${age}${this.#attributes}`;
  }

  /** The `Set-Cookie` header that makes the browser delete the cookie. */
  clear(): string {
    return `${this.name}=; Max-Age=0${this.#attributes}`;
  }
}

/**
 * What a request contained under the cookie's name. `ambiguous`: several different tokens, of which none is trusted.
 */
export type PresentedToken = SessionToken | 'ambiguous' | undefined;

/**
 * The token of one cookie in a Cookie header. A value without the shape of a token is ignored: other applications, and
 * browsers that were told to clear the cookie, leave such values behind. Never throws, whatever the header contains,
 * and reads no other cookie's value. The name is matched exactly, because for browsers `__HOST-sid` and `__Host-sid`
 * are different cookies.
 */
export function parseCookie(header: string, name: string): PresentedToken {
  let found: SessionToken | undefined;
  for (let start = 0, end: number; start < header.length; start = end + 1) {
    end = header.indexOf(';', start);
    if (end === -1) end = header.length;
    const equals = header.indexOf('=', start);
    if (equals === -1) break;
    if (equals > end || trimmed(header, start, equals) !== name) continue;
    const token = trimmed(header, equals + 1, end);
    if (!isSessionToken(token) || token === found) continue;
    if (found !== undefined) return 'ambiguous';
    found = token;
  }
  return found;
}

/**
 * Without the spaces and tabs around it (RFC 6265, 5.4). Other white space belongs to the name for browsers, so such a
 * name has no `__Host-` prefix, and another host may have set that cookie.
 */
function trimmed(header: string, start: number, end: number): string {
  let [from, to] = [start, end];
  while (from < to && isBlank(header[from])) from += 1;
  while (from < to && isBlank(header[to - 1])) to -= 1;
  return header.slice(from, to);
}

function isBlank(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}

function prefixedName({
  name = 'sid',
  secure = true,
  prefix,
  domain,
  path = '/',
}: SessionCookieOptions): string {
  if (!TOKEN.test(name) || name.length > MAX_NAME_CHARACTERS) {
    throw refused(
      `${JSON.stringify(name)} is not a cookie name; it may contain letters, digits and !#$%&'*+-.^_\`|~`,
    );
  }
  const own = PREFIXED.exec(name)?.[0];
  if (own !== undefined && own !== '__Host-' && own !== '__Secure-') {
    throw refused(`a name that begins with ${own} must be written with __Host- or __Secure-`);
  }
  if (own !== undefined && prefix !== undefined && prefix !== own) {
    throw refused(`the name ${name} contradicts prefix: ${JSON.stringify(prefix)}`);
  }
  const hostOnly = domain === undefined && path === '/';
  const strictest = !secure ? '' : hostOnly ? '__Host-' : '__Secure-';
  const chosen = own ?? prefix ?? strictest;
  if (chosen !== '' && chosen !== '__Host-' && chosen !== '__Secure-') {
    throw refused(`prefix must be __Host-, __Secure- or '', not ${JSON.stringify(chosen)}`);
  }
  if (chosen !== '' && !secure) throw refused(`the prefix ${chosen} needs secure: true`);
  if (chosen === '__Host-' && !hostOnly) {
    throw refused('the prefix __Host- requires the path / and no domain');
  }
  return own === undefined ? chosen + name : name;
}

function checkSameSite(sameSite: string): void {
  if (sameSite === 'Lax' || sameSite === 'Strict' || sameSite === 'None') return;
  throw refused(`sameSite must be Lax, Strict or None, not ${JSON.stringify(sameSite)}`);
}

function checkPath(path: string): string {
  if (/^\/[ -:<-~]*$/.test(path) && path.length <= MAX_ATTRIBUTE_CHARACTERS) return path;
  throw refused(
    `path must begin with / and contain neither ; nor control characters, not ${JSON.stringify(path)}`,
  );
}

/** A host name. Browsers ignore a leading dot, and accept no cookie for a whole top-level domain. */
function checkDomain(domain: string): string {
  const name = String(domain).replace(/^\./, '');
  const labels = name.split('.');
  const isName = name.length <= 253 && labels.every((label) => HOST_LABEL.test(label));
  const isAddress = /^\d+$/.test(labels.at(-1) ?? '');
  if (isName && !isAddress && (labels.length > 1 || name === 'localhost')) return name;
  throw refused(
    `domain must be a host name with a dot, such as example.com, not ${JSON.stringify(domain)}; for a single host omit it`,
  );
}

function refused(why: string): SessionError {
  return new SessionError('invalid_option', `cookie: ${why}.`);
}
