import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import { timingSafeEqual } from 'hono/utils/buffer';
import { maySecretBeIn } from './secrets-in-text.ts';

const COOKIE = 'sojourn_operator';
const SIGNED_IN_SECONDS = 8 * 3600;
const MAX_NAME_CHARACTERS = 64;

/** Who may come in with a token: it is presented by programs in each request, and by people once, in a form. */
export interface TokenAccess {
  /** Who asks: the name that was given at sign-in, `token` for a program; `undefined` for a stranger. */
  operator(c: Context): Promise<string | undefined>;
  /** The name in what somebody typed for one, cut where it is long. Empty for the token, and for what may be another secret. */
  nameIn(typed: string): Promise<string>;
  /** Whether that is the token: then the browser gets a cookie, and asks by that name from now on. */
  signIn(c: Context, name: string, presented: string): Promise<boolean>;
  signOut(c: Context): void;
}

/**
 * Access by one secret token. Programs send `Authorization: Bearer TOKEN`. A browser gets a cookie in exchange for it, for
 * eight hours: a name and an end, signed with the token (HMAC-SHA256), so that the server keeps nothing and another token
 * ends them all. It is `HttpOnly` and `SameSite=Strict`, and `Secure` where the form came over HTTPS. HTTP Basic would do
 * without a form, but browsers send it along with whatever another site makes them ask, and nobody can sign out of it.
 */
export function tokenAccess(token: string, now: () => number): TokenAccess {
  return {
    async operator(c) {
      const [, presented] = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? [];
      if (presented !== undefined) {
        return (await timingSafeEqual(presented, token)) ? 'token' : undefined;
      }
      const value = await getSignedCookie(c, token, COOKIE);
      if (typeof value !== 'string') return undefined;
      const [, until = '', name = ''] = /^(\d+) (.+)$/s.exec(value) ?? [];
      return Number(until) > now() ? name : undefined;
    },

    async nameIn(typed) {
      const text = typed.trim();
      if (maySecretBeIn(text) || (await timingSafeEqual(text, token))) return '';
      return [...text].slice(0, MAX_NAME_CHARACTERS).join('');
    },

    async signIn(c, name, presented) {
      if (!(await timingSafeEqual(presented.trim(), token))) return false;
      const value = `${now() + SIGNED_IN_SECONDS * 1000} ${name}`;
      await setSignedCookie(c, COOKIE, value, token, {
        ...attributes(c),
        maxAge: SIGNED_IN_SECONDS,
      });
      return true;
    },

    signOut(c) {
      deleteCookie(c, COOKIE, attributes(c));
    },
  };
}

function attributes(c: Context) {
  // Browsers say by themselves where a form was sent from, and it was seen to be this site.
  const secure = c.req.header('Origin')?.startsWith('https://') ?? false;
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
