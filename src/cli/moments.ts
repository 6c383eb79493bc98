import { ConfigError } from '../config.ts';
import type { CommandLine } from './command.ts';

const units = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
const DURATION = /^(\d{1,9})([smhd]?)$/;
const YEAR = /^(?:19|20)\d\d$/;
const MOMENT = /^\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)?(?:Z|[+-]\d\d:?\d\d)?$/i;

/** The seconds given by that flag: `90`, `90s`, `30m`, `2h`, `7d`. Throws a `ConfigError`. */
export function readDuration(name: string, flags: CommandLine['flags']): number | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  const seconds = durationOf(String(value));
  if (seconds !== undefined) return seconds;
  throw new ConfigError(
    `--${name} must be a duration such as 90s, 30m, 2h or 7d, not ${JSON.stringify(value)}`,
  );
}

/**
 * The start time given by that flag, in milliseconds since 1970: a time ago (`2h`), or a date and time (`2026-04-02`,
 * `2026-04-02T14:03`) in UTC unless it has an offset. Throws a `ConfigError`.
 */
export function readSince(
  name: string,
  flags: CommandLine['flags'],
): ((now: number) => number) | undefined {
  const value = flags[name];
  if (value === undefined) return undefined;
  const text = String(value);
  if (YEAR.test(text)) {
    throw new ConfigError(
      `--${name} ${text} may mean a year or seconds: write ${text}-01-01 or ${text}s`,
    );
  }
  const ago = durationOf(text);
  if (ago !== undefined) return (now) => now - ago * 1000;
  const at = momentOf(text);
  if (!Number.isNaN(at)) return () => at;
  throw new ConfigError(
    `--${name} must be a duration such as 2h, or a date and time such as 2026-04-02T14:03 (UTC), not ${JSON.stringify(value)}`,
  );
}

function durationOf(text: string): number | undefined {
  const [, digits, unit] = DURATION.exec(text) ?? [];
  if (digits === undefined) return undefined;
  return Number(digits) * units[(unit || 's') as keyof typeof units];
}

function momentOf(text: string): number {
  if (!MOMENT.test(text) || !isInCalendar(text.slice(0, 10))) return Number.NaN;
  const zoned = /(?:Z|[+-]\d\d:?\d\d)$/i.test(text.slice(10));
  const full = text.length === 10 ? `${text}T00:00` : text.replace(' ', 'T');
  return Date.parse(zoned ? full : `${full}Z`);
}

/** `Date.parse` takes 30 February for 2 March. */
function isInCalendar(day: string): boolean {
  const midnight = new Date(`${day}T00:00Z`);
  return !Number.isNaN(midnight.getTime()) && midnight.toISOString().startsWith(day);
}
