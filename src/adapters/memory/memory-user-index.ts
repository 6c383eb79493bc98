import type { SessionId } from '../../domain/session-token.ts';
import type { Clock } from '../../ports/clock.ts';
import type { MovedEntry } from '../../ports/session-moves.ts';
import type {
  Entered,
  IndexEntry,
  IndexPage,
  NewIndexEntry,
  UserIndex,
} from '../../ports/user-index.ts';

interface Entry {
  readonly id: SessionId;
  readonly place: number;
}

interface Entries {
  /** By place: the time at which the entry was added, or one more than the place before it. */
  ordered: Entry[];
  readonly ids: Map<SessionId, Entry>;
  expiresAt: number;
}

const SAMPLE = 3;

/** The index outlives the sessions of moved entries by this long. */
const MARGIN_MS = 60_000;

/** The index of users' sessions in this process. */
export class MemoryUserIndex implements UserIndex {
  readonly #users = new Map<string, Entries>();
  readonly #clock: Clock;
  #sweepAtSize = 1024;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The number of users with an index. */
  get heldUsers(): number {
    return this.#users.size;
  }

  async add({
    user,
    id,
    keepMs,
    max = Infinity,
    replaces,
  }: NewIndexEntry): Promise<Entered | undefined> {
    const now = this.#clock.now();
    const none: Entries = { ordered: [], ids: new Map(), expiresAt: 0 };
    const entries = this.#alive(user) ?? none;
    const { ordered, ids } = entries;
    let entry = ids.get(id);
    if (entry === undefined) {
      const replaced = replaces !== undefined && ids.has(replaces) ? 1 : 0;
      if (ordered.length - replaced >= max) return undefined;
      entry = { id, place: Math.max(now, (ordered.at(-1)?.place ?? -1) + 1) };
      ordered.push(entry);
      ids.set(id, entry);
    }
    entries.expiresAt = Math.max(entries.expiresAt, now + keepMs);
    this.#sweep();
    this.#users.set(user, entries);
    return { place: entry.place, sample: this.#sample(ordered, id, now) };
  }

  /** `IndexEntry.place` of that entry; `undefined` if there is none. */
  placeOf(user: string, id: SessionId): number | undefined {
    return this.#alive(user)?.ids.get(id)?.place;
  }

  /** `SessionMoves.enter`. */
  enter({ user, id, place, endsAt = Infinity }: MovedEntry): void {
    const none: Entries = { ordered: [], ids: new Map(), expiresAt: 0 };
    const entries = this.#alive(user) ?? none;
    const { ordered, ids } = entries;
    if (!ids.has(id)) {
      let free = place;
      let at = countBelow(ordered, free);
      for (; ordered[at]?.place === free; at += 1) free += 1;
      const entry = { id, place: free };
      ordered.splice(at, 0, entry);
      ids.set(id, entry);
    }
    entries.expiresAt = Math.max(entries.expiresAt, endsAt + MARGIN_MS);
    this.#users.set(user, entries);
  }

  async list(user: string, { from, beyond, limit }: IndexPage): Promise<readonly IndexEntry[]> {
    const ordered = this.#alive(user)?.ordered ?? [];
    const now = this.#clock.now();
    if (from === 'oldest') {
      const begin = beyond === undefined ? 0 : countBelow(ordered, beyond + 1);
      return ordered.slice(begin, begin + limit).map((entry) => told(entry, now));
    }
    const end = beyond === undefined ? ordered.length : countBelow(ordered, beyond);
    const page = ordered.slice(Math.max(0, end - limit), end).reverse();
    return page.map((entry) => told(entry, now));
  }

  async remove(user: string, ids: readonly SessionId[]): Promise<void> {
    const entries = this.#alive(user);
    if (entries === undefined || ids.length === 0) return;
    for (const id of ids) entries.ids.delete(id);
    entries.ordered = entries.ordered.filter(({ id }) => entries.ids.has(id));
    if (entries.ids.size === 0) this.#users.delete(user);
  }

  #sample(ordered: readonly Entry[], except: SessionId, now: number): IndexEntry[] {
    const picked = new Set<Entry>();
    for (let i = 0; i < SAMPLE; i += 1) {
      const entry = ordered[Math.floor(Math.random() * ordered.length)];
      if (entry !== undefined && entry.id !== except) picked.add(entry);
    }
    return [...picked].map((entry) => told(entry, now));
  }

  #alive(user: string): Entries | undefined {
    const entries = this.#users.get(user);
    if (entries === undefined || entries.expiresAt > this.#clock.now()) return entries;
    this.#users.delete(user);
    return undefined;
  }

  // Users who never return would stay for ever. Checking all of them each time their number has doubled adds a small
  // constant cost to each login.
  #sweep(): void {
    if (this.#users.size < this.#sweepAtSize) return;
    for (const user of [...this.#users.keys()]) this.#alive(user);
    this.#sweepAtSize = Math.max(1024, this.#users.size * 2);
  }
}

function told({ id, place }: Entry, now: number): IndexEntry {
  return { id, place, ageMs: Math.max(0, now - place) };
}

/** The number of entries below that place, by binary search. */
function countBelow(ordered: readonly Entry[], place: number): number {
  let low = 0;
  let high = ordered.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((ordered[middle]?.place ?? Infinity) < place) low = middle + 1;
    else high = middle;
  }
  return low;
}
