import { type Summary, summarize } from '../measure/statistics.ts';

/** The quotients of a figure of each round by another one of the same round. */
export function paired<T, U>(
  turns: readonly T[],
  figure: (turn: T) => number,
  others: readonly U[],
  other: (turn: U) => number,
): Summary {
  return summarize(
    turns.flatMap((turn, round) => {
      const against = others[round];
      return against === undefined ? [] : [figure(turn) / other(against)];
    }),
  );
}
