import type { Context } from 'hono';
import { deleteCookie, getSignedCookie, setSignedCookie } from 'hono/cookie';
import { timingSafeEqual } from 'hono/utils/buffer';
import { maySecretBeIn } from './secrets-in-text.ts';
import { SignedOut, type SignIn } from './signed-out.ts';

const COOKIE = 'sojourn_operator';
const SIGNED_IN_SECONDS = 8 * 3600;
const TOLD_EVERY_MS = 60_000;
const MAX_NAME_CHARACTERS = 64;

/** Who may come in with a token: it is presented by programs in each request, and by people once, in a form. */
export interface TokenAccess {
  /** Who asks: the name that was given at sign-in, `token` for a program; `undefined` for a stranger. */
  operator(c: Context): Promise<string | undefined>;
  /** The name in what somebody typed for one, cut where it is long. Empty for the token, and for what may be another secret. */
  nameIn(typed: string): Promise<string>;
  /** Whether that is the token: then the browser gets a cookie, and asks by that name from now on. */
  signIn(c: Context, name: string, presented: string): Promise<boolean>;
  /** Ends the sign-in of this browser here and now, wherever else its cookie was kept. */
  signOut(c: Context): Promise<void>;
}

export interface TokenAccessOptions {
  readonly token: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Hears of programs with a wrong token, once a minute at most, and how many requests brought one since the last time. */
  readonly refused: (times: number) => void;
}

/**
 * Access by one secret token. Programs send `Authorization: Bearer TOKEN`. A browser gets a cookie in exchange for it, for
 * eight hours: a name and an end, signed with the token (HMAC-SHA256), so that the server keeps nothing but the sign-ins that
 * were signed out of before their end, and another token ends them all. It is `HttpOnly` and `SameSite=Strict`, and `Secure`
 * where the form came over HTTPS. HTTP Basic would do without a form, but browsers send it along with whatever another site
 * makes them ask, and nobody can sign out of it.
 */
export function tokenAccess({ token, now, refused }: TokenAccessOptions): TokenAccess {
  const signedOut = new SignedOut();
  const wrong = { times: 0, toldAt: Number.NEGATIVE_INFINITY };
  let lastEnd = 0;

  return {
    async operator(c) {
      const [, presented] = /^Bearer +(\S+)$/i.exec(c.req.header('Authorization') ?? '') ?? [];
      if (presented !== undefined) {
        if (await timingSafeEqual(presented, token)) return 'token';
        return wrongToken();
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
      // No two the same, so that who signs out ends one.
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

  function wrongToken(): undefined {
    wrong.times += 1;
    if (now() - wrong.toldAt < TOLD_EVERY_MS) return;
    refused(wrong.times);
    Object.assign(wrong, { times: 0, toldAt: now() });
  }

  async function signIn(c: Context): Promise<SignIn | undefined> {
    const value = await getSignedCookie(c, token, COOKIE);
    if (typeof value !== 'string') return undefined;
    const [, end = '', name = ''] = /^(\d+) (.+)$/s.exec(value) ?? [];
    const found = { value, name, endsAt: Number(end) };
    return found.endsAt > now() && !signedOut.has(found) ? found : undefined;
  }
}

function attributes(c: Context) {
  // Browsers say by themselves where a form was sent from, and it was seen to be this site.
  const secure = c.req.header('Origin')?.startsWith('https://') ?? false;
  return { path: '/', httpOnly: true, sameSite: 'Strict', secure } as const;
}
