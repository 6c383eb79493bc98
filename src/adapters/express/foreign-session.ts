import { toJson } from '../../domain/field-codecs.ts';
import { isReserved } from '../../domain/session-record.ts';

/** A session as express-session and @fastify/session hand it to a store: the application's data, and the cookie's options. */
export interface ForeignSession {
  cookie: ForeignCookie;
}

/** What a store needs of the cookie; there is more in it, which comes back as it was. */
export interface ForeignCookie {
  /** Milliseconds of the idle timeout; `null` for a cookie that ends with the browser. */
  originalMaxAge: number | null;
  expires?: Date | string | null | undefined;
}

const COOKIE = 'cookie';

/**
 * One hash field for each top-level key, its value as JSON. What JSON leaves out (functions, `undefined`) is left out.
 * A name that Sojourn reserves for itself is stored with a dot before it.
 */
export function encodeForeign(session: ForeignSession): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [key, value] of Object.entries(session)) {
    if (key === '__proto__') continue;
    const text = key === COOKIE ? encodeCookie(session) : toJson(value, key);
    if (text !== undefined) fields.set(fieldName(key), text);
  }
  return fields;
}

/** The cookie's options. When an idle timeout ends changes with every request and is for the store to tell: kept, it would be stale. */
export function encodeCookie({ cookie }: ForeignSession): string {
  const text = JSON.stringify(cookie);
  const { expires, originalExpires, ...rest } = JSON.parse(text) as Record<string, unknown>;
  return typeof rest.originalMaxAge === 'number' ? JSON.stringify(rest) : text;
}

/** The session that the fields hold. Its cookie ends at `endsAt`, in milliseconds since 1970, if it ends by idling. Throws for a field that holds no JSON. */
export function decodeForeign(
  fields: Readonly<Record<string, string>>,
  endsAt: number,
): ForeignSession {
  const session: Record<string, unknown> & ForeignSession = {
    cookie: { originalMaxAge: null, expires: null },
  };
  for (const [field, text] of Object.entries(fields)) {
    const key = keyOf(field);
    if (key !== '__proto__') session[key] = parse(field, text);
  }
  if (typeof session.cookie.originalMaxAge === 'number') session.cookie.expires = new Date(endsAt);
  return session;
}

/** The idle timeout that the cookie asks for, in whole seconds; 0 or less for a session that is to end now; `undefined` where it leaves that open. */
export function idleTimeout(cookie: ForeignCookie, now: number): number | undefined {
  const { originalMaxAge, expires } = cookie;
  if (typeof originalMaxAge === 'number') return Math.ceil(originalMaxAge / 1000);
  if (!expires) return undefined;
  return Math.ceil((new Date(expires).getTime() - now) / 1000);
}

function fieldName(key: string): string {
  return key === '' || key.startsWith('.') || isReserved(key) ? `.${key}` : key;
}

function keyOf(field: string): string {
  return field.startsWith('.') ? field.slice(1) : field;
}

function parse(field: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The parser's own message quotes the text, which does not belong in a log.
    throw new TypeError(`The session field ${JSON.stringify(field)} holds no JSON.`);
  }
}
