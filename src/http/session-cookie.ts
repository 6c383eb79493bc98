import { SessionError } from '../domain/errors.ts';
import { isSessionToken, type SessionToken } from '../domain/session-token.ts';

/** How the session's cookie is set. What browsers would refuse is refused at construction. */
export interface SessionCookieOptions {
  /**
   * The cookie's name. A prefix of RFC 6265bis is put before it (see `prefix`) unless it begins with that already.
   *
   * @default 'sid'
   */
  readonly name?: string;
  /**
   * True where browsers reach the site by HTTPS. Browsers drop such a cookie on plain HTTP, so say false there, for
   * development. It is never guessed from a request.
   *
   * @default true
   */
  readonly secure?: boolean;
  /**
   * `__Host-`: no other host and no plain connection can set the cookie; it excludes `domain` and another `path`.
   * `__Secure-`: no plain connection can. `''`: no prefix (RFC 6265bis, 4.1.3). Both prefixes need `secure`.
   *
   * @default the strictest prefix that the other options allow
   */
  readonly prefix?: '__Host-' | '__Secure-' | '';
  /**
   * Which requests that other sites cause carry the cookie: `Lax` links and redirects to a page, `Strict` none, `None`
   * all of them, for pages on another site and frames inside one. `None` needs `secure`; the check of the
   * request's origin protects in every case.
   *
   * @default 'Lax'
   */
  readonly sameSite?: 'Lax' | 'Strict' | 'None';
  /**
   * Shares the cookie with every host below this one, such as `example.com` for `app.example.com` and
   * `admin.example.com`. Each of them can then read and replace it, so leave it out where you can. If you change
   * `domain` or `path` later, change the name as well: browsers keep the old cookie beside the new one, and of two
   * different tokens none is trusted.
   *
   * @default none: the host that set the cookie, and no other
   */
  readonly domain?: string;
  /**
   * The cookie is sent for this path and what is below it.
   *
   * @default '/'
   */
  readonly path?: string;
  /**
   * Keeps one cookie for each site in whose frame the application is shown (CHIPS). Needs `secure`; goes with
   * `sameSite: 'None'`.
   *
   * @default false
   */
  readonly partitioned?: boolean;
}

/** A name that browsers take as a prefix compares without case (RFC 6265bis, 5.4). */
const PREFIXED = /^(__host-|__secure-)/i;

/** RFC 9110, 5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

const HOST_LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

const MAX_NAME_CHARACTERS = 1024;
const MAX_ATTRIBUTE_CHARACTERS = 1024;

/**
 * The one cookie of a session: only the token is in it, and clearing it repeats the attributes that it was set with.
 * Servers without the middleware (a socket server on another port) read it with the same options.
 */
export class SessionCookie {
  /** The name as it stands in headers, with its prefix. */
  readonly name: string;
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
  readonly #attributes: string;

  /** Throws a `SessionError` (`invalid_option`) for a name or a combination that browsers refuse. */
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
   * The token in a `Cookie` header: `undefined` where there is none, and where there are several different ones, of which
   * none is trusted. Never throws, whatever the header holds.
   */
  read(header: string | null | undefined): SessionToken | undefined {
    const presented = this.presented(header);
    return presented === 'ambiguous' ? undefined : presented;
  }

  /** As `read`, but tells apart whether there are several different tokens. */
  presented(header: string | null | undefined): PresentedToken {
    return typeof header === 'string' ? parseCookie(header, this.name) : undefined;
  }

  /** The `Set-Cookie` header that gives the browser a token. With `maxAge`, in seconds, the cookie outlives the browser. */
  set(token: SessionToken, maxAge?: number): string {
    const age = maxAge === undefined ? '' : `; Max-Age=${maxAge}`;
    return `${this.name}=${token}${age}${this.#attributes}`;
  }

  /** The `Set-Cookie` header that makes the browser forget the cookie. */
  clear(): string {
    return `${this.name}=; Max-Age=0${this.#attributes}`;
  }
}

/** What a request brought under the cookie's name. `ambiguous`: several different tokens, of which none is trusted. */
export type PresentedToken = SessionToken | 'ambiguous' | undefined;

/**
 * The token of one cookie in a Cookie header. A value that has not the shape of a token is as if it were not there:
 * other applications, and browsers that were told to empty it, leave such values behind. Never throws, whatever the header
 * holds, and looks at no other cookie's value. The name is matched exactly: browsers see `__HOST-sid` as another cookie
 * than `__Host-sid`.
 */
export function parseCookie(header: string, name: string): PresentedToken {
  let found: SessionToken | undefined;
  for (let start = 0, end: number; start < header.length; start = end + 1) {
    end = header.indexOf(';', start);
    if (end === -1) end = header.length;
    const equals = header.indexOf('=', start);
    if (equals === -1) break;
    if (equals > end || header.slice(start, equals).trim() !== name) continue;
    const token = header.slice(equals + 1, end).trim();
    if (!isSessionToken(token) || token === found) continue;
    if (found !== undefined) return 'ambiguous';
    found = token;
  }
  return found;
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
      `${JSON.stringify(name)} is no name of a cookie; it may hold letters, digits and !#$%&'*+-.^_\`|~`,
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
    throw refused('the prefix __Host- goes with no domain and with the path / only');
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
    `path must begin with / and hold no ; and no control characters, not ${JSON.stringify(path)}`,
  );
}

/** A host name; browsers ignore a dot before it, and give no cookie to all hosts of a top-level domain. */
function checkDomain(domain: string): string {
  const name = String(domain).replace(/^\./, '');
  const labels = name.split('.');
  const isName = name.length <= 253 && labels.every((label) => HOST_LABEL.test(label));
  const isAddress = /^\d+$/.test(labels.at(-1) ?? '');
  if (isName && !isAddress && (labels.length > 1 || name === 'localhost')) return name;
  throw refused(
    `domain must be a host name with a dot, such as example.com, not ${JSON.stringify(domain)}; for one host leave it out`,
  );
}

function refused(why: string): SessionError {
  return new SessionError('invalid_option', `cookie: ${why}.`);
}
