import { StoreUnavailableError } from '../../../domain/errors.ts';
import { batchesOf, Pace, type PaceOptions } from '../../../domain/pace.ts';
import { deriveCredential } from '../../../domain/session-token.ts';
import type { Secrets } from '../../../ports/secrets.ts';
import { Carriage } from '../../carry-over/carriage.ts';
import type { MoveProgress } from '../../carry-over/move-sessions.ts';
import type { SessionsOnTheirWay } from './old-sessions.ts';

/** How far it has come. */
export interface OldMoveProgress extends MoveProgress {
  /** Sessions that stay where they are, because nothing can be made of their text, or of what `userOf` says of them. */
  readonly unreadable: number;
}

/** Moves them a batch after the other. */
export async function* moveOldSessions(
  { to, of, sids }: SessionsOnTheirWay,
  secrets: Secrets,
  options: PaceOptions,
): AsyncGenerator<OldMoveProgress> {
  const pace = new Pace(options);
  let [moved, seen, unreadable] = [0, 0, 0];
  const move = async (sid: string) => {
    const credential = deriveCredential(sid, secrets);
    const carriage = new Carriage(of(sid, credential).from, to);
    try {
      if ((await carriage.carry(credential.id)) === 'carried') moved += 1;
    } catch (error) {
      if (error instanceof StoreUnavailableError) throw error;
      unreadable += 1;
    }
  };
  for await (const page of sids(options)) {
    for (const some of batchesOf([...new Set(page)])) {
      await pace.work(async () => {
        const outcomes = await Promise.allSettled(some.map(move));
        const failed = outcomes.find((outcome) => outcome.status === 'rejected');
        if (failed !== undefined) throw failed.reason;
      });
      seen += some.length;
      yield { moved, seen, unreadable };
    }
  }
}
