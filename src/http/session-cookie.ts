import type { Context } from 'hono';
import { setCookie } from 'hono/cookie';
import type { CookieOptions } from 'hono/utils/cookie';

/** How the session's cookie is set. */
export interface SessionCookieOptions {
  /** The cookie's name, without a prefix. Default `sid`. */
  readonly name?: string;
  /**
   * True where browsers reach the site by HTTPS: the cookie is `Secure` and its name begins with `__Host-`, so that no
   * other host and no plain connection can set it (RFC 6265bis, 4.1.3.2). Browsers drop such a cookie on plain HTTP,
   * so say false there, for development. It is never guessed from a request. Default true.
   */
  readonly secure?: boolean;
}

/** What a request brought under the session cookie's name. `ambiguous`: several different values, of which none is trusted. */
export type PresentedCookie = { readonly token: string } | 'ambiguous' | undefined;

/** The one cookie of a session: only the token is in it, and clearing it repeats the attributes that it was set with. */
export class SessionCookie {
  /** The name as it stands in headers, with its prefix. */
  readonly name: string;
  readonly secure: boolean;
  readonly #attributes: CookieOptions;

  constructor({ name = 'sid', secure = true }: SessionCookieOptions = {}) {
    this.name = secure ? `__Host-${name}` : name;
    this.secure = secure;
    this.#attributes = { path: '/', httpOnly: true, secure, sameSite: 'Lax' };
  }

  read(c: Context): PresentedCookie {
    const header = c.req.header('Cookie');
    return header === undefined ? undefined : parseCookie(header, this.name);
  }

  /** With `maxAge`, in seconds, the cookie outlives the browser; without, it ends with it. */
  set(c: Context, token: string, maxAge?: number): void {
    const attributes = this.#attributes;
    setCookie(c, this.name, token, maxAge === undefined ? attributes : { ...attributes, maxAge });
  }

  clear(c: Context): void {
    setCookie(c, this.name, '', { ...this.#attributes, maxAge: 0 });
  }
}

/**
 * The value of one cookie in a Cookie header. Never throws, whatever the header holds, and looks at no other cookie's
 * value. The name is matched exactly: browsers see `__HOST-sid` as another cookie than `__Host-sid`.
 */
export function parseCookie(header: string, name: string): PresentedCookie {
  let found: string | undefined;
  for (const pair of header.split(';')) {
    const equals = pair.indexOf('=');
    if (equals === -1 || pair.slice(0, equals).trim() !== name) continue;
    const token = pair.slice(equals + 1).trim();
    if (found !== undefined && found !== token) return 'ambiguous';
    found = token;
  }
  return found === undefined ? undefined : { token: found };
}
