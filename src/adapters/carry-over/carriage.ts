import { StoreUnavailableError } from '../../domain/errors.ts';
import type { Session } from '../../domain/session.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { Frozen, MovableRepository, Released } from '../../ports/session-moves.ts';
import type { Absent, Access } from '../../ports/session-repository.ts';
import { nodeSecrets } from '../node/node-secrets.ts';
import { measuredShift } from './clock-shift.ts';

const CLAIM_BYTES = 16;

/** Under which claim a copy waits in `to` for the release, or for the thaw. */
interface Waiting {
  readonly claim: string;
  readonly session?: Session;
  /** Set where the copy was made just now, by this call. */
  readonly isOwn?: boolean;
}

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
  carry(by: Credential | SessionId, { resume = false } = {}): Promise<'carried' | Absent> {
    return unapplied(async () => {
      const frozen = await this.#from.moves.freeze(by, { resume });
      if (frozen === undefined || frozen === 'reused') return frozen;
      await this.#finish(by, await this.#waiting(frozen));
      return 'carried';
    });
  }

  /**
   * Carries the session for a use that reads it, and answers it as soon as nothing can take that use back: the steps that
   * are left are done behind it. `undefined` where the caller has to ask `to`.
   */
  carryForUse(by: Credential, use: Access): Promise<Session | Absent> {
    return unapplied(async () => {
      const frozen = await this.#from.moves.freeze(by, { use });
      if (frozen === undefined || frozen === 'reused') return frozen;
      const waiting = await this.#waiting(frozen);
      const finished = this.#finish(by, waiting);
      if (!waiting?.isOwn) {
        await finished;
        return undefined;
      }
      finished.catch(() => {}); // whoever uses it next does what is left
      return waiting.session;
    });
  }

  /** `undefined` where `to` refuses the session, or has another one under that id: then it has ended. */
  async #waiting(frozen: Frozen | Released): Promise<Waiting | undefined> {
    if ('claim' in frozen) return frozen;
    const claim = nodeSecrets.random(CLAIM_BYTES);
    const adopted = await this.#to.moves.adopt(frozen.copy, claim);
    if (adopted === undefined || adopted === 'open') return undefined;
    return { ...adopted, isOwn: adopted.claim === claim };
  }

  async #finish(by: Credential | SessionId, waiting: Waiting | undefined): Promise<void> {
    const id = typeof by === 'string' ? by : by.id;
    const { moves } = this.#to;
    if (waiting === undefined) {
      await this.#from.end(id, { unbornMs: 0 });
      return;
    }
    const { claim, session = await this.#to.find(id) } = waiting;
    const [released] = await Promise.all([
      this.#from.moves.release(id, claim),
      session && this.#enter(session),
    ]);
    if (released) {
      await moves.thaw(id, claim);
      const cleared = this.#clear(id, claim, session?.user);
      if (by === id) await cleared; // a tool has time for it
      return;
    }
    // It was thawed by another, or has ended.
    await moves.discard(id, claim);
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

/** Whatever fails on the way, what the session was carried for was not done. */
async function unapplied<T>(carry: () => Promise<T>): Promise<T> {
  try {
    return await carry();
  } catch (error) {
    if (!(error instanceof StoreUnavailableError)) throw error;
    const { cause = error, failure } = error;
    throw new StoreUnavailableError('refused', { cause, failure });
  }
}
