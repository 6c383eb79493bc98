import { StoreUnavailableError } from '../../../domain/errors.ts';
import { batchesOf, Pace, type PaceOptions } from '../../../domain/pace.ts';
import { deriveCredential } from '../../../domain/session-token.ts';
import type { Secrets } from '../../../ports/secrets.ts';
import { Carriage, isKeyTaken } from '../../carry-over/carriage.ts';
import type { MoveProgress } from '../../carry-over/move-sessions.ts';
import { cookieOf, decodeForeign } from '../foreign-session.ts';
import type { SessionsOnTheirWay } from './old-sessions.ts';

/** How far it has come. */
export interface OldMoveProgress extends MoveProgress {
  /**
   * Texts that stay as they are: nothing can be made of them, they have no cookie and are something else than a session, or
   * `userOf` says something of them that is no user's name.
   */
  readonly unreadable: number;
}

/** Moves them a batch after the other. */
export async function* moveOldSessions(
  { to, of, sids }: SessionsOnTheirWay,
  secrets: Secrets,
  options: PaceOptions,
): AsyncGenerator<OldMoveProgress> {
  const pace = new Pace(options);
  let [moved, seen, taken, unreadable] = [0, 0, 0, 0];
  const move = async (sid: string) => {
    const credential = deriveCredential(sid, secrets);
    const { from } = of(sid, credential);
    const carriage = new Carriage(from, to);
    try {
      const found = await from.find(credential.id);
      if (found !== undefined && cookieOf(decodeForeign(found.fields, 0)) === undefined) {
        unreadable += 1;
        return;
      }
      if ((await carriage.carry(credential.id)) === 'carried') moved += 1;
    } catch (error) {
      if (isKeyTaken(error)) {
        taken += 1;
        return;
      }
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
      yield { moved, seen, taken, unreadable };
    }
  }
}
