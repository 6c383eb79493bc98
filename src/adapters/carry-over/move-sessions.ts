import { batchesOf, Pace, type PaceOptions } from '../../domain/pace.ts';
import type { SessionId } from '../../domain/session-token.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import { Carriage } from './carriage.ts';

/** Which sessions to move, and how much of the store's time that may take. */
export interface MoveSessionsOptions extends PaceOptions {
  readonly from: MovableRepository;
  readonly to: MovableRepository;
  /** The ids of all sessions in `from`, in pages, as `scanSessions` of `sojourn/redis` gives them. */
  readonly scan: () => AsyncIterable<readonly SessionId[]>;
}

/** How far it has come. */
export interface MoveProgress {
  /** Sessions that are in `to` now and were not. */
  readonly moved: number;
  /** Ids that were looked at: of sessions that moved, and of those that had ended or moved by then. */
  readonly seen: number;
}

/**
 * Moves the sessions that nobody uses, while servers run that `carryOver` with the phase `move`: a few at a time, with
 * rests for others. It keeps nobody alive: what is left of each session's time stays as it was. Tells after each batch how
 * far it has come. Where a store fails it rejects; what has moved stays moved, and the next call goes on with the rest.
 */
export async function* moveSessions({
  from,
  to,
  scan,
  fullSpeed,
}: MoveSessionsOptions): AsyncGenerator<MoveProgress> {
  const carriage = new Carriage(from, to);
  const pace = new Pace({ fullSpeed });
  let [moved, seen] = [0, 0];
  for await (const page of scan()) {
    for (const ids of batchesOf([...new Set(page)])) {
      const answers = await pace.work(async () => {
        const outcomes = await Promise.allSettled(ids.map((id) => carriage.carry(id)));
        return Promise.all(outcomes.map(outcomeOf)); // when none is under way any more
      });
      moved += answers.filter((answer) => answer === 'carried').length;
      seen += ids.length;
      yield { moved, seen };
    }
  }
}

async function outcomeOf<T>(outcome: PromiseSettledResult<T>): Promise<T> {
  if (outcome.status === 'rejected') throw outcome.reason;
  return outcome.value;
}
