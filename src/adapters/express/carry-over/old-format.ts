import type { SessionData } from 'express-session';
import { MAX_SECONDS } from '../../../domain/session-policy.ts';
import { type ForeignSession, idleTimeout } from '../foreign-session.ts';

/** How another store writes the sessions of express-session: options of connect-redis, by their names there. */
export interface OldFormat {
  /**
   * Seconds that a session idles whose cookie ends with the browser. A function is asked for every session, whatever its
   * cookie says.
   *
   * @default 86400
   */
  readonly ttl?: number | ((session: SessionData) => number);
  /** Sessions have no end there. When they move they get one: as long as they may idle. @default false */
  readonly disableTTL?: boolean;
  /** There a use does not put the end off, only a change does. It holds until a session moves. @default false */
  readonly disableTouch?: boolean;
  /** What makes a text of a session, and a session of a text. @default JSON */
  readonly serializer?: OldSerializer;
}

/** A serializer as connect-redis takes it. */
export interface OldSerializer {
  /** The session that a text stands for. It throws for a text that stands for none. */
  parse(text: string): SessionData | Promise<SessionData>;
  /** A text from which `parse` makes the same session. */
  stringify(session: SessionData): string;
}

const DAY_SECONDS = 24 * 3600;

/** The session that the text holds; `undefined` for a text that stands for none. Throws a `TypeError` for one that is damaged. */
export async function parseOld(
  text: string,
  { serializer = JSON }: OldFormat,
): Promise<(ForeignSession & Record<string, unknown>) | undefined> {
  if (text === '') return undefined;
  const session: unknown = await readable(text, serializer);
  if (session === null) return undefined; // both as connect-redis has it
  if (isRecord(session)) return session;
  throw unreadable();
}

export function stringifyOld(session: object, { serializer = JSON }: OldFormat): string {
  return serializer.stringify(session as SessionData);
}

/** Whole seconds, from 1: what a function says, else the cookie, else the number. As connect-redis has it. */
export function oldTtl(session: ForeignSession, format: OldFormat, now: number): number {
  const { ttl = DAY_SECONDS } = format;
  const seconds =
    typeof ttl === 'function'
      ? Number(ttl(session as SessionData))
      : (ofCookie(session, now) ?? ttl);
  const whole = Number.isFinite(seconds) ? Math.ceil(seconds) : DAY_SECONDS;
  return Math.min(Math.max(whole, 1), MAX_SECONDS);
}

function ofCookie(session: ForeignSession, now: number): number | undefined {
  const seconds = idleTimeout(session, now);
  return Number.isFinite(seconds) ? seconds : undefined;
}

async function readable(text: string, serializer: OldSerializer): Promise<unknown> {
  try {
    return await serializer.parse(text);
  } catch {
    throw unreadable(); // the parser's own message quotes the text, which does not belong in a log
  }
}

function unreadable(): TypeError {
  return new TypeError(
    'A session of the old store cannot be read: the serializer makes no object of its text.',
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
