import type { SessionId } from '../../domain/session-token.ts';
import type { MovableRepository } from '../../ports/session-moves.ts';
import type {
  Entered,
  IndexEntry,
  IndexPage,
  NewIndexEntry,
  UserIndex,
} from '../../ports/user-index.ts';

/** As many entries as an index tells of at once. */
const MOST = 1000;

/**
 * The indexes of two stores as one. Places of both are told on one scale, by the clock of `to`: even numbers for entries
 * of `from`, odd ones for those of `to`, so that no two entries share one. An entry that is in both for a moment, as its session moves,
 * has neighbouring numbers, and is told once.
 */
export class CarriedIndex implements UserIndex {
  readonly #from: MovableRepository;
  readonly #to: MovableRepository;
  readonly #isMoving: boolean;
  readonly #shift: () => Promise<number>;

  /** `shift` is `measuredShift`. */
  constructor(
    from: MovableRepository,
    to: MovableRepository,
    phase: 'prepare' | 'move',
    shift: () => Promise<number>,
  ) {
    this.#from = from;
    this.#to = to;
    this.#isMoving = phase === 'move';
    this.#shift = shift;
  }

  async add(entry: NewIndexEntry): Promise<Entered | undefined> {
    const max = entry.max === undefined ? undefined : entry.max - (await this.#others(entry));
    const entered = await this.#here.users.add({ ...entry, max });
    if (entered === undefined) return undefined;
    const tell = this.#isMoving ? toldOfTo : toldOfFrom(await this.#shift());
    const sample = entered.sample.map((other) => ({ ...other, place: tell(other.place) }));
    return { place: tell(entered.place), sample };
  }

  /** Asks `from` first: what has left it by then is in `to`. */
  async list(user: string, page: IndexPage): Promise<readonly IndexEntry[]> {
    const isDown = page.from === 'newest';
    const { beyond } = page;
    const shift = await this.#shift();
    const beyondFrom = beyond === undefined ? undefined : bound(beyond / 2, isDown) - shift;
    const beyondTo = beyond === undefined ? undefined : bound((beyond - 1) / 2, isDown);
    const old = await this.#from.users.list(user, { ...page, beyond: beyondFrom });
    const own = await this.#to.users.list(user, { ...page, beyond: beyondTo });
    const tell = toldOfFrom(shift);
    const merged = [
      ...old.map((entry) => ({ ...entry, place: tell(entry.place) })),
      ...own.map((entry) => ({ ...entry, place: toldOfTo(entry.place) })),
    ].sort((a, b) => (isDown ? b.place - a.place : a.place - b.place));
    return once(merged).slice(0, page.limit);
  }

  async remove(user: string, ids: readonly SessionId[]): Promise<void> {
    const removed = await Promise.allSettled([
      this.#from.users.remove(user, ids),
      this.#to.users.remove(user, ids),
    ]);
    for (const outcome of removed) if (outcome.status === 'rejected') throw outcome.reason;
  }

  get #here(): MovableRepository {
    return this.#isMoving ? this.#to : this.#from;
  }

  /** How many entries count that are only in the index that this one is not entered in. */
  async #others({ user, id, replaces }: NewIndexEntry): Promise<number> {
    const there = this.#isMoving ? this.#from : this.#to;
    const page = { from: 'newest', limit: MOST } as const;
    const others = await there.users.list(user, page);
    if (others.length === 0) return 0;
    const own = await this.#here.users.list(user, page);
    const met = new Set([id, replaces, ...own.map((entry) => entry.id)]);
    return others.filter((entry) => !met.has(entry.id)).length;
  }
}

function toldOfFrom(shift: number): (place: number) => number {
  return (place) => 2 * (place + shift);
}

function toldOfTo(place: number): number {
  return 2 * place + 1;
}

/** The last whole number that is not beyond. */
function bound(place: number, isDown: boolean): number {
  return isDown ? Math.ceil(place) : Math.floor(place);
}

/**
 * Each id once. Of two neighbours the second one's place is told, so that who goes on beyond it does not meet it again.
 */
function once(entries: readonly IndexEntry[]): IndexEntry[] {
  const told = new Map<SessionId, IndexEntry>();
  for (const entry of entries) {
    const before = told.get(entry.id);
    if (before === undefined || Math.abs(before.place - entry.place) === 1) {
      told.set(entry.id, entry);
    }
  }
  return [...told.values()];
}
