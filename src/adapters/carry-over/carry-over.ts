import { StoreUnavailableError } from '../../domain/errors.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import type {
  Absent,
  Access,
  Ended,
  EndOptions,
  NewSession,
  SessionRepository,
} from '../../ports/session-repository.ts';
import { bothDurably } from './both-durably.ts';
import { Carriage, checkDistinct, MOST_ATTEMPTS } from './carriage.ts';
import { CarriedIndex } from './carried-index.ts';
import { measuredShift } from './clock-shift.ts';

/** Which two stores, and how far the servers are. */
export interface CarryOverOptions {
  /** Where the sessions are. */
  readonly from: MovableRepository;
  /** Where they shall be. */
  readonly to: MovableRepository;
  /**
   * `prepare`: new sessions begin in `from`, and none moves. `move`: new sessions begin in `to`, and one that is only in `from`
   * moves when it is used. Every server has to run with `prepare` before the first runs with `move`: a server that knows
   * `from` alone finds no session that has moved.
   */
  readonly phase: 'prepare' | 'move';
}

/**
 * A repository over two, to move from one Redis or prefix to another while servers use both. Whatever a session has moves
 * with it: its secrets, those that were replaced, its times and its entry in the user's index. Of servers that claim one
 * at once exactly one moves it. See docs/moving.md.
 *
 * A session in `to` is used without a question to `from`. While `from` is away the others are unavailable, never absent.
 *
 * Throws a `SessionError` (`invalid_option`) if `from` and `to` are the same object. Two objects may still lead to the
 * same place; then the first move of a session notices it, fails with that error, and leaves the session as it was.
 *
 * @example
 * const repository = carryOver({
 *   from: new RedisSessionRepository({ client: oldRedis }),
 *   to: new RedisSessionRepository({ client: newRedis }),
 *   phase: 'move',
 * });
 */
export function carryOver({ from, to, phase }: CarryOverOptions): SessionRepository {
  if (phase !== 'prepare' && phase !== 'move') {
    throw new TypeError(`phase must be 'prepare' or 'move', not ${JSON.stringify(phase)}.`);
  }
  checkDistinct({ from, to });
  const isMoving = phase === 'move';
  const shift = measuredShift(from, to);
  const carriage = new Carriage(from, to, shift);
  const users = new CarriedIndex(from, to, phase, shift);

  /**
   * Asks the one of the two that has the session. While moving that is `to`, after the session was brought there: whoever
   * finds nothing in either looks at `to` once more, as the session may have moved between the two looks.
   */
  async function use<T>(
    by: Credential,
    verb: (repository: SessionRepository) => Promise<T | Absent>,
  ): Promise<T | Absent> {
    if (!isMoving) return useBoth(by, verb);
    const answer = await verb(to);
    if (answer !== undefined) return answer;
    return (await carriage.carry(by)) === 'reused' ? 'reused' : verb(to);
  }

  /** As `use`, but moves no session whose move nobody has begun. */
  async function useBoth<T>(
    by: Credential,
    verb: (repository: SessionRepository) => Promise<T | Absent>,
  ): Promise<T | Absent> {
    for (let attempt = 0; attempt < MOST_ATTEMPTS; attempt += 1) {
      for (const repository of isMoving ? [to, from] : [from, to]) {
        const answer = await verb(repository);
        if (answer !== undefined) return answer;
      }
      const carried = await carriage.carry(by, { resume: true });
      if (carried === 'reused') return carried;
      if (carried !== 'open') return verb(to);
      // It was frozen when it was asked for, and is in use again: whoever began to move it has taken that back.
    }
    throw new StoreUnavailableError('refused');
  }

  async function access(by: Credential, how: Access) {
    const verb = (repository: SessionRepository) => repository.access(by, how);
    if (!isMoving) return useBoth(by, verb);
    const answer = await verb(to);
    if (answer !== undefined) return answer;
    const carried = await carriage.carryForUse(by, how);
    return typeof carried === 'object' || carried === 'reused' ? carried : verb(to);
  }

  async function create(session: NewSession) {
    const [here, there] = isMoving ? [to, from] : [from, to];
    if (await isTaken(there, session.credential.id)) return undefined;
    return here.create(session);
  }

  async function find(id: SessionId) {
    if (!isMoving) return (await from.find(id)) ?? to.find(id);
    return (await to.find(id)) ?? (await from.find(id)) ?? to.find(id);
  }

  /** In the direction in which sessions go: what has left `from` is in `to` by then. */
  async function end(id: SessionId, options: EndOptions): Promise<Ended | undefined> {
    const ended = await from.end(id, options).catch(async (error: unknown) => {
      const there = await to.end(id, options).catch(() => undefined);
      // One that is in use has nothing left in `from`. Of any other the old place decides.
      if (there !== undefined && !there.frozen) return there;
      throw unknown(error);
    });
    if (ended !== undefined && !ended.frozen) return ended;
    const there = await to.end(id, options).catch((error: unknown) => {
      // What was frozen in `from` and is gone there is never thawed in `to`.
      if (ended === undefined) throw unknown(error);
      return undefined;
    });
    const told = ended ?? there;
    return told && { user: told.user };
  }

  return {
    users,
    create,
    access,
    find,
    end,
    read: (by) => useBoth(by, (repository) => repository.read(by)),
    update: (by, change) => use(by, (repository) => repository.update(by, change)),
    increment: (by, change) => use(by, (repository) => repository.increment(by, change)),
    replace: (by, change) => use(by, (repository) => repository.replace(by, change)),
    take: (by, field) => use(by, (repository) => repository.take(by, field)),
    setTtl: (by, change) => use(by, (repository) => repository.setTtl(by, change)),
    rotate: (by, rotation) => use(by, (repository) => repository.rotate(by, rotation)),
    delete: (by) => useBoth(by, (repository) => repository.delete(by)),
    durably: (durability, act) =>
      bothDurably({ from, to, durability }, (own) => act(carryOver({ ...own, phase }))),
  };
}

/** Ids are random, and a session begins without the other store if need be. */
async function isTaken(repository: SessionRepository, id: SessionId): Promise<boolean> {
  try {
    return (await repository.find(id)) !== undefined;
  } catch (error) {
    if (error instanceof StoreUnavailableError) return false;
    throw error;
  }
}

/** One of the two may have done its part. */
function unknown(error: unknown): unknown {
  if (!(error instanceof StoreUnavailableError)) return error;
  const { cause = error, failure } = error;
  return new StoreUnavailableError('unknown', { cause, failure });
}
