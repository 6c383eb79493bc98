const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `3 minutes ago`; `just now` within a minute, and for what clocks that differ put into the future. */
export function ago(at: number, now: number): string {
  const passed = now - at;
  if (passed < MINUTE_MS) return 'just now';
  if (passed < HOUR_MS) return count(Math.floor(passed / MINUTE_MS), 'minute');
  if (passed < DAY_MS) return count(Math.floor(passed / HOUR_MS), 'hour');
  return count(Math.floor(passed / DAY_MS), 'day');
}

/** `2026-04-02 12:34:56 UTC`. */
export function exact(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function count(amount: number, unit: string): string {
  return `${amount} ${unit}${amount === 1 ? '' : 's'} ago`;
}
