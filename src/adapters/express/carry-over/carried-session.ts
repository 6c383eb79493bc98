import { StoreUnavailableError } from '../../../domain/errors.ts';
import type { SessionId } from '../../../domain/session-token.ts';
import type { MovableRepository } from '../../../ports/session-moves.ts';
import type { Ended, EndOptions, SessionRepository } from '../../../ports/session-repository.ts';
import type { UserIndex } from '../../../ports/user-index.ts';
import { type CarryOverOptions, carryOver } from '../../carry-over/carry-over.ts';

/** As `carryOver`, for a session of an old store that has no index: `OldSession`. */
export function carriedSession({ from, to, phase }: CarryOverOptions): SessionRepository {
  const carried = carryOver({ from, to, phase });

  /**
   * In both places, whatever was found in the first: a server of the old store that still runs may have written there anew.
   * While no session has to be in the new place, that one may be away.
   */
  async function end(id: SessionId, options: EndOptions): Promise<Ended | undefined> {
    const ended = await carried.end(id, options);
    if (ended === undefined) return undefined;
    try {
      return (await to.end(id, options)) ?? ended;
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      if (phase === 'prepare') return ended;
      const { cause, failure } = error;
      throw new StoreUnavailableError('unknown', { cause, failure }); // it has ended in one of them
    }
  }

  const users = phase === 'prepare' ? withoutEntering(to.users) : to.users;
  return { ...carried, users, end };
}

/** A session that begins in the old place is entered when it moves. */
function withoutEntering(users: MovableRepository['users']): UserIndex {
  return {
    add: async () => ({ place: 0, sample: [] }),
    list: (user, page) => users.list(user, page),
    remove: (user, ids) => users.remove(user, ids),
  };
}
