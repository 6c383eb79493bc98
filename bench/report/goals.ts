import type { Summary } from '../measure/statistics.ts';
import { figure, spread, table } from './table.ts';

/** What a figure should be, and what it is. */
export interface Goal {
  readonly what: string;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly found: Summary;
}

export function goalTable(goals: readonly Goal[]): string {
  const rows = goals
    .filter(({ found }) => !Number.isNaN(found.median))
    .map(({ what, atMost = Infinity, atLeast = 0, found }) => [
      what,
      atMost === Infinity ? `>= ${figure(atLeast)}` : `<= ${figure(atMost)}`,
      spread(found),
      found.median <= atMost && found.median >= atLeast ? 'yes' : 'no',
    ]);
  return table([['goal', 'ratio wanted', 'found', 'reached'], ...rows]);
}
