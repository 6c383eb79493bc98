import { batchesOf, Pace, type PaceOptions } from '../../domain/pace.ts';
import type { SessionId } from '../../domain/session-token.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import { Carriage, checkDistinct, isKeyTaken } from './carriage.ts';

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
  /** Sessions that stay in `from`, because `to` has something else, which is no session, under their key. */
  readonly taken: number;
}

/**
 * Moves the sessions that nobody uses, while servers run that `carryOver` with the phase `move`: a few at a time, with
 * rests for others. It keeps nobody alive: what is left of each session's time stays as it was. Tells after each batch how
 * far it has come. Where a store fails it rejects; what has moved stays moved, and the next call goes on with the rest.
 * It rejects with `invalid_option` if both are the same place, whatever the addresses; then every session stays as it is.
 */
export async function* moveSessions({
  from,
  to,
  scan,
  fullSpeed,
}: MoveSessionsOptions): AsyncGenerator<MoveProgress> {
  checkDistinct({ from, to });
  const carriage = new Carriage(from, to);
  const pace = new Pace({ fullSpeed });
  let [moved, seen, taken] = [0, 0, 0];
  for await (const page of scan()) {
    for (const ids of batchesOf([...new Set(page)])) {
      const answers = await pace.work(async () => {
        const outcomes = await Promise.allSettled(ids.map((id) => carriage.carry(id)));
        return outcomes.map(outcomeOf); // when none is under way any more
      });
      moved += answers.filter((answer) => answer === 'carried').length;
      taken += answers.filter((answer) => answer === 'taken').length;
      seen += ids.length;
      yield { moved, seen, taken };
    }
  }
}

function outcomeOf<T>(outcome: PromiseSettledResult<T>): T | 'taken' {
  if (outcome.status === 'fulfilled') return outcome.value;
  if (isKeyTaken(outcome.reason)) return 'taken';
  throw outcome.reason;
}
