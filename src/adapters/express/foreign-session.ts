import { toJson } from '../../domain/field-codecs.ts';
import { isReserved } from '../../domain/session-record.ts';

/**
 * A session as express-session and @fastify/session hand it to a store: the application's data, and the cookie's options.
 * What tools and tests set may have no cookie, or something else in its place.
 */
export interface ForeignSession {
  cookie?: unknown;
}

/** What a store needs of the cookie; there is more in it, which comes back as it was. */
export interface ForeignCookie {
  /** Milliseconds of the idle timeout; `null` for a cookie that ends with the browser. */
  originalMaxAge?: unknown;
  /** The same, in cookies that neither framework has made. */
  maxAge?: unknown;
  /** A fixed end, unless there is an idle timeout. */
  expires?: unknown;
}

const COOKIE = 'cookie';

/**
 * One hash field for each top-level key, its value as JSON. What JSON leaves out (functions, `undefined`) is left out.
 * A name that Sojourn reserves for itself is stored with a dot before it. Throws a `SessionError` (`invalid_value`) for a
 * value that JSON cannot say.
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

/**
 * The cookie's options; `undefined` if there are none. When an idle timeout ends changes with every request and is for the
 * store to tell: kept, it would be stale.
 */
export function encodeCookie({ cookie }: ForeignSession): string | undefined {
  const text = toJson(cookie, COOKIE);
  const options: unknown = text === undefined ? undefined : JSON.parse(text);
  if (!isObject(options) || typeof options.originalMaxAge !== 'number') return text;
  const { expires, originalExpires, ...rest } = options;
  return JSON.stringify(rest);
}

/** The stored cookie with the idle timeout of another one, if that has one; its other options stay. */
export function withIdleTimeoutOf(session: ForeignSession, stored: string): string {
  const originalMaxAge = cookieOf(session)?.originalMaxAge;
  const options: unknown = parse(COOKIE, stored);
  if (typeof originalMaxAge !== 'number' || !isObject(options)) return stored;
  return encodeCookie({ cookie: { ...options, originalMaxAge } }) ?? stored;
}

/** The session that the fields hold. Its cookie ends at `endsAt`, in milliseconds since 1970, if it ends by idling. Throws for a field that holds no JSON. */
export function decodeForeign(
  fields: Readonly<Record<string, string>>,
  endsAt: number,
): ForeignSession {
  const session: Record<string, unknown> & ForeignSession = {};
  for (const [field, text] of Object.entries(fields)) {
    const key = keyOf(field);
    if (key !== '__proto__') session[key] = parse(field, text);
  }
  const cookie = cookieOf(session);
  if (typeof cookie?.originalMaxAge === 'number') cookie.expires = new Date(endsAt);
  return session;
}

/** The cookie, if there is one that could be a cookie. */
export function cookieOf({ cookie }: ForeignSession): ForeignCookie | undefined {
  return isObject(cookie) ? cookie : undefined;
}

/** The idle timeout that the cookie asks for, in whole seconds; 0 or less for a session that is to end now; `undefined` where it leaves that open. */
export function idleTimeout(session: ForeignSession, now: number): number | undefined {
  const { originalMaxAge, maxAge, expires } = cookieOf(session) ?? {};
  if (typeof originalMaxAge === 'number') return Math.ceil(originalMaxAge / 1000);
  if (isTime(expires)) return Math.ceil((new Date(expires).getTime() - now) / 1000);
  return typeof maxAge === 'number' ? Math.ceil(maxAge / 1000) : undefined;
}

// 0 and '' stand for no end, as they do for the frameworks.
function isTime(expires: unknown): expires is Date | string | number {
  if (expires instanceof Date) return true;
  return (typeof expires === 'string' || typeof expires === 'number') && Boolean(expires);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function fieldName(key: string): string {
  return key === '' || key.startsWith('.') || isReserved(key) ? `.${key}` : key;
}

/** The key of a session that the field is of. */
export function keyOf(field: string): string {
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
