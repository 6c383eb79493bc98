import { printable } from '../../domain/printable.ts';

/** `2026-04-02 12:34:56 UTC`, for an instant as sessions store it or in milliseconds since 1970. */
export function instant(at: string | number): string {
  const text = typeof at === 'number' ? iso(at) : at;
  return `${printable(text.slice(0, 19).replace('T', ' '))} UTC`;
}

/** `12:34` */
export function timeOfDay(epochMs: number): string {
  return iso(epochMs).slice(11, 16);
}

/** A value from a journal or a clock may not be a valid instant. */
function iso(epochMs: number): string {
  const date = new Date(epochMs);
  return Number.isNaN(date.getTime()) ? 'at an unknown time' : date.toISOString();
}

/** `7 d`, `29 min 58 s`: the two largest units that are not zero. */
export function duration(seconds: number): string {
  const units: [string, number][] = [
    ['d', Math.floor(seconds / 86_400)],
    ['h', Math.floor(seconds / 3600) % 24],
    ['min', Math.floor(seconds / 60) % 60],
    ['s', Math.floor(seconds % 60)],
  ];
  const parts = units.filter(([, amount]) => amount > 0).map(([unit, n]) => `${n} ${unit}`);
  return parts.slice(0, 2).join(' ') || '0 s';
}

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const precise = new Intl.NumberFormat('en', { maximumSignificantDigits: 2 });

/** `1,204` */
export function number(value: number): string {
  return value < 10 && !Number.isInteger(value) ? precise.format(value) : whole.format(value);
}

/** `0.21 ms`, `1.3 s` */
export function milliseconds(value: number): string {
  return value < 1000 ? `${number(value)} ms` : `${precise.format(value / 1000)} s`;
}

/** `17 MB`, in units of powers of 1000. */
export function bytes(value: number): string {
  const units = ['bytes', 'kB', 'MB', 'GB', 'TB'];
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  return `${number(value / 1000 ** power)} ${units[power]}`;
}

/** `83 %` */
export function percent(share: number): string {
  return `${number(share * 100)} %`;
}

/** `1 session`, `2 sessions` */
export function sessions(count: number): string {
  return `${number(count)} ${count === 1 ? 'session' : 'sessions'}`;
}
