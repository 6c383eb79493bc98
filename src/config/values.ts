import { isIP } from 'node:net';
import type { HostAndPort } from '../adapters/redis/redis-address.ts';

export function wholeNumber(value: string): number | undefined {
  return /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

export function portNumber(value: string, least: number): number | undefined {
  const port = wholeNumber(value);
  return port !== undefined && port >= least && port <= 65535 ? port : undefined;
}

const LEAST_TIMEOUT_MS = 10; // a smaller value probably means seconds
const MOST_TIMEOUT_MS = 300_000;

export const TIMEOUT = `a whole number of milliseconds from ${LEAST_TIMEOUT_MS} to ${MOST_TIMEOUT_MS}`;

export function timeoutMs(value: string): number | undefined {
  const ms = wholeNumber(value);
  return ms !== undefined && ms >= LEAST_TIMEOUT_MS && ms <= MOST_TIMEOUT_MS ? ms : undefined;
}

export function yesOrNo(value: string): boolean | undefined {
  if (/^(true|1|yes|on)$/i.test(value)) return true;
  return /^(false|0|no|off)$/i.test(value) ? false : undefined;
}

/** The parts between commas, or `undefined` if one of them is not valid. */
export function listOf<T>(
  value: string,
  parse: (part: string) => T | undefined,
): readonly T[] | undefined {
  const parsed = value.split(',').map((part) => parse(part.trim()));
  return parsed.every((part) => part !== undefined) ? parsed : undefined;
}

/** A host name or an IP address, without brackets. */
export function serverName(value: string): string | undefined {
  const name = value.replace(/^\[(.*)\]$/, '$1');
  if (isIP(name) !== 0) return name;
  return /^[^\s/\\@:?#%,[\]]+$/.test(value) ? value : undefined;
}

export function serverAndPort(value: string): HostAndPort | undefined {
  const [, name = '', digits = ''] = /^(.*):(\d+)$/.exec(value) ?? [];
  const [host, port] = [serverName(name), portNumber(digits, 1)];
  return host === undefined || port === undefined ? undefined : { host, port };
}

const LABEL = String.raw`[^\s./?#@:*%\\[\]]+`;
const HOST = String.raw`(?:\*\.)?${LABEL}(?:\.${LABEL})*\.?|\[[\da-f:.]+\]`;

/** A host name, possibly with `*.` in front, or `*`. */
export function hostName(text: string): string | undefined {
  if (text === '*') return text;
  if (!new RegExp(`^(?:${HOST})$`, 'i').test(text) || !URL.canParse(`http://${text}`)) {
    return undefined;
  }
  return new URL(`http://${text}`).hostname.replace(/\.$/, '');
}

/** A path without the slash at its end, `/demo`; empty for `/`. */
export function pathBelow(text: string): string | undefined {
  const path = text.replace(/\/$/, '');
  const isPlain = /^(\/[\w~-][\w.~-]*)*$/.test(path);
  return isPlain && text.startsWith('/') ? path : undefined;
}

export function origin(text: string): string | undefined {
  const isOne = new RegExp(`^https?://(?:${HOST})(?::\\d+)?/?$`, 'i').test(text);
  return isOne && URL.canParse(text) ? new URL(text).origin : undefined;
}
