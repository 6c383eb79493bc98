import { clockShift } from '../../domain/session-record.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';

/**
 * By how much the instants of one store have to be put forward to mean the same in the other: asked for once, in whole
 * seconds, for all servers to come to the same.
 */
export function measuredShift(
  from: MovableRepository,
  to: MovableRepository,
): () => Promise<number> {
  let measured: Promise<number> | undefined;

  async function measure(): Promise<number> {
    try {
      const [there, here] = await Promise.all([from.moves.now(), to.moves.now()]);
      return Math.round(clockShift(there, here) / 1000) * 1000;
    } catch (error) {
      measured = undefined;
      throw error;
    }
  }

  return () => {
    measured ??= measure();
    return measured;
  };
}
