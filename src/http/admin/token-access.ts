import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import { timingSafeEqual } from 'hono/utils/buffer';
import { summedUp } from '../summed-up.ts';
import { maySecretBeIn } from './secrets-in-text.ts';
import { SignedOut, type SignIn } from './signed-out.ts';

const COOKIE = 'sojourn_operator';
const SIGNED_IN_SECONDS = 8 * 3600;
const TOLD_EVERY_MS = 60_000;
const MAX_NAME_CHARACTERS = 64;

/** Access with a token: programs send it with each request, people once, in a form. */
export interface TokenAccess {
  /** The operator's name: the one given at sign-in, or `token` for a program; `undefined` without access. */
  operator(c: Context): Promise<string | undefined>;
  /** The name that was typed, shortened if it is long. Empty if it is the token or may be another secret. */
  nameIn(typed: string): Promise<string>;
  /** True if this is the token. The browser then gets a cookie and is known by that name. */
  signIn(c: Context, name: string, presented: string): Promise<boolean>;
  /** Ends the sign-in of this browser at once, wherever else its cookie was copied. */
  signOut(c: Context): Promise<void>;
}

export interface TokenAccessOptions {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /**
   * Called for programs with a wrong token, at most once a minute, with the number of such requests since the last
   * call. Further ones are reported a minute later, also if no other follows.
   */
  readonly refused: (times: number) => void;
}

/**
 * Access with one secret token. Programs send `Authorization: Bearer TOKEN`. A browser exchanges the token for a cookie
 * that is valid for eight hours: a name and an expiry, signed with the token (HMAC-SHA256). So the server stores only
 * the sign-ins that were signed out of before their end, and a new token ends all of them. The cookie is `HttpOnly` and
 * `SameSite=Strict`, and `Secure` if the form came over HTTPS. HTTP Basic would not need a form, but browsers send it
 * along with requests that another site causes, and it has no sign-out.
 */
export function tokenAccess({ token, now, refused }: TokenAccessOptions): TokenAccess {
  const signedOut = new SignedOut();
  const wrongToken = summedUp(TOLD_EVERY_MS, refused);
  let lastEnd = 0;

  return {
    async operator(c) {
      const [, presented] = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? [];
      if (presented !== undefined) {
        if (await timingSafeEqual(presented, token)) return 'token';
        wrongToken();
        return undefined;
      }
      return (await signIn(c))?.name;
    },

    async nameIn(typed) {
      const text = typed.trim();
      if (maySecretBeIn(text) || (await timingSafeEqual(text, token))) return '';
      return [...text].slice(0, MAX_NAME_CHARACTERS).join('');
    },

    async signIn(c, name, presented) {
      if (!(await timingSafeEqual(presented.trim(), token))) return false;
      // Each sign-in has a different end, so that signing out ends only one.
      lastEnd = Math.max(now() + SIGNED_IN_SECONDS * 1000, lastEnd + 1);
      await setSignedCookie(c, COOKIE, `${lastEnd} ${name}`, token, {
        ...attributes(c),
        maxAge: SIGNED_IN_SECONDS,
      });
      return true;
    },

    async signOut(c) {
      const known = await signIn(c);
      if (known !== undefined) signedOut.add(known, now());
      deleteCookie(c, COOKIE, attributes(c));
    },
  };

  async function signIn(c: Context): Promise<SignIn | undefined> {
    const value = await getSignedCookie(c, token, COOKIE);
    if (typeof value !== 'string') return undefined;
    const [, end = '', name = ''] = /^(\d+) (.+)$/s.exec(value) ?? [];
    const found = { value, name, endsAt: Number(end) };
    return found.endsAt > now() && !signedOut.has(found) ? found : undefined;
  }
}

function attributes(c: Context) {
  // Browsers themselves send the Origin of a form, and it has been checked to be this site.
  const secure = c.req.header('Origin')?.startsWith('https://') ?? false;
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
