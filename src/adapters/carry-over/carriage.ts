import { SessionError, StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type {
  FreezeOptions,
  Frozen,
  MovableRepository,
  Released,
} from '../../ports/session-moves.ts';
import type { Absent, Access } from '../../ports/session-repository.ts';
import { measuredShift } from './clock-shift.ts';

/** How often to begin anew while others take back what was begun. */
export const MOST_ATTEMPTS = 5;

/** Under which claim a copy waits in `to` for the release, or for the thaw. */
interface Waiting {
  readonly claim: string;
  readonly session?: Session;
  /** Whether the copy was made just now, by this call. */
  readonly isNew?: boolean;
  /** There is no copy: `to` has another session under the id, or this very one, should both places be one. */
  readonly isMet?: boolean;
}

/** `gone`: there is no such session in `from` any more, and this call did not move it. */
type Finished = 'carried' | 'gone';

/**
 * Takes sessions from one store to the other, step by step as `SessionMoves` says, and goes on where another died. Where a
 * step fails the session is unavailable until the next call, and whatever it was carried for was certainly not done.
 */
export class Carriage {
  readonly #from: MovableRepository;
  readonly #to: MovableRepository;
  readonly #shift: () => Promise<number>;

  constructor(
    from: MovableRepository,
    to: MovableRepository,
    shift: () => Promise<number> = measuredShift(from, to),
  ) {
    this.#from = from;
    this.#to = to;
    this.#shift = shift;
  }

  /**
   * Carries the session that the credential opens, or that has the id. `undefined` where there is none in `from`: it may have
   * moved a moment ago.
   */
  carry(
    by: Credential | SessionId,
    options: FreezeOptions = {},
  ): Promise<'carried' | 'open' | Absent> {
    return this.#untilDone(by, options, (waiting) => this.#finish(by, waiting));
  }

  /**
   * Carries the session for a use that reads it, and answers it as soon as nothing can take that use back: the steps that
   * are left are done behind it. Otherwise the caller has to ask `to`.
   */
  carryForUse(by: Credential, use: Access): Promise<Session | 'carried' | 'open' | Absent> {
    return this.#untilDone<Session | Finished>(by, { use }, async (waiting) => {
      const finished = this.#finish(by, waiting);
      if (!waiting?.isNew || !waiting.session) return finished;
      finished.catch(() => {}); // whoever uses it next does what is left
      return waiting.session;
    });
  }

  /** Begins once more where what was begun has been taken back. Whatever fails, what the session is carried for was not done. */
  async #untilDone<T>(
    by: Credential | SessionId,
    options: FreezeOptions,
    go: (waiting: Waiting | undefined) => Promise<T | undefined>,
  ): Promise<Exclude<T, 'gone'> | 'open' | Absent> {
    try {
      for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
        const frozen = await this.#from.moves.freeze(by, options);
        if (typeof frozen !== 'object') return frozen;
        const done = await go(await this.#waiting(frozen));
        if (done === 'gone') return undefined;
        if (done !== undefined) return done as Exclude<T, 'gone'>;
      }
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      const { cause = error, failure } = error;
      throw new StoreUnavailableError('refused', { cause, failure });
    }
    throw new StoreUnavailableError('refused');
  }

  /** `undefined` if the session has ended in `to`. Where `to` cannot take it, it stays usable in `from`. */
  async #waiting(frozen: Frozen | Released): Promise<Waiting | undefined> {
    if ('claim' in frozen) return frozen;
    const { id, claim } = frozen.copy;
    try {
      const adopted = await this.#to.moves.adopt(frozen.copy);
      if (adopted === 'taken')
        throw new StoreUnavailableError('refused', { cause: new KeyTaken() });
      return adopted === 'open' ? { claim, isMet: true } : adopted;
    } catch (error) {
      await this.#takeBack(id, claim).catch(() => {}); // whoever uses it next goes on
      throw error;
    }
  }

  /** Should the copy have arrived, or arrive late, it is of a freeze that is not the last. */
  async #takeBack(id: SessionId, claim: string): Promise<void> {
    if (await this.#from.moves.unfreeze(id, claim)) await this.#to.moves.discard(id, claim);
  }

  /** `undefined` if somebody else has changed what this began with. */
  async #finish(
    by: Credential | SessionId,
    waiting: Waiting | undefined,
  ): Promise<Finished | undefined> {
    const id = typeof by === 'string' ? by : by.id;
    if (waiting === undefined) {
      await this.#from.end(id, { unbornMs: 0 });
      return 'gone';
    }
    if (waiting.isMet) return this.#giveWay(id, waiting.claim);
    const { claim, session = await this.#to.find(id) } = waiting;
    const [released] = await Promise.all([
      this.#from.moves.release(id, claim),
      session && this.#enter(session),
    ]);
    if (!released) {
      // It was thawed by another, was taken back, or has ended.
      await this.#to.moves.discard(id, claim);
      return undefined;
    }
    await this.#to.moves.thaw(id, claim);
    const cleared = this.#clear(id, claim, session?.user);
    if (by === id) await cleared; // a tool has time for it
    return 'carried';
  }

  /**
   * Ends what `from` has, because `to` has the session already. It must not be the same record: if `to` knows the freeze
   * of `from`, both are one place, and the session is put back into use. Somebody else may have done that just now; then
   * the release fails, as the freeze is not the last.
   */
  async #giveWay(id: SessionId, claim: string): Promise<'gone' | undefined> {
    if (await this.#to.moves.unfreeze(id, claim)) throw samePlace();
    if (!(await this.#from.moves.release(id, claim))) return undefined;
    await this.#from.moves.discard(id, claim);
    return 'gone';
  }

  /** Enters the session in the index of `to` where it stood in that of `from`: before it can be used there. */
  async #enter({ id, user, endsAt }: Session): Promise<void> {
    if (user === undefined) return;
    const place = await this.#from.moves.placeOf(user, id);
    if (place === undefined) return; // entered already, or ended
    const shift = await this.#shift();
    await this.#to.moves.enter({ user, id, place: place + shift, endsAt });
  }

  /** Removes what has been left in `from`. It would do no harm, and ends by itself. */
  async #clear(id: SessionId, claim: string, user: string | undefined): Promise<void> {
    await Promise.all([
      user !== undefined && this.#from.users.remove(user, [id]),
      this.#from.moves.discard(id, claim),
    ]).catch(() => {});
  }
}

/** The cause of the failure to move a session whose key in `to` holds something that is no session. */
class KeyTaken extends Error {
  constructor() {
    super('The new place has something else under the key of this session.');
  }
}

/** Whether the session was not moved because its key in `to` holds something that is no session. */
export function isKeyTaken(error: unknown): boolean {
  return error instanceof StoreUnavailableError && error.cause instanceof KeyTaken;
}

/** Throws `invalid_option` for one and the same repository. Others that share a place are noticed at the first session. */
export function checkDistinct({
  from,
  to,
}: {
  readonly from: unknown;
  readonly to: unknown;
}): void {
  if (from === to) throw samePlace();
}

function samePlace(): SessionError {
  return new SessionError(
    'invalid_option',
    'Sessions cannot move: `from` and `to` are the same place, perhaps under two addresses. No session was changed.',
  );
}
