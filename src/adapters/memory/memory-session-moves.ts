import type { Session } from '../../domain/session.ts';
import {
  clockShift,
  freezeOf,
  freezesOf,
  frozenNames,
  reserved,
  storeInstants,
} from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
import {
  isSession,
  opens,
  type StoredSession,
  sessionOf,
  slidIfDue,
} from '../../domain/stored-session.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  Adopted,
  FreezeOptions,
  Frozen,
  MovedEntry,
  Released,
  SessionCopy,
  SessionMoves,
} from '../../ports/session-moves.ts';
import type { Absent } from '../../ports/session-repository.ts';
import { nodeSecrets } from '../node/node-secrets.ts';
import type { MemoryUserIndex } from './memory-user-index.ts';

const CLAIM_BYTES = 12;

/** What the moves need from the repository. */
export interface MemoryEntries {
  alive(id: SessionId): StoredSession | undefined;
  put(id: SessionId, entry: StoredSession): void;
  remove(id: SessionId): void;
}

/** Moves sessions to and from a store in this process. */
export class MemorySessionMoves implements SessionMoves {
  readonly #entries: MemoryEntries;
  readonly #users: MemoryUserIndex;
  readonly #clock: Clock;

  constructor(entries: MemoryEntries, users: MemoryUserIndex, clock: Clock) {
    this.#entries = entries;
    this.#users = users;
    this.#clock = clock;
  }

  async freeze(
    by: Credential | SessionId,
    { resume = false, use }: FreezeOptions = {},
  ): Promise<Frozen | Released | 'open' | Absent> {
    const id = typeof by === 'string' ? by : by.id;
    const entry = this.#entries.alive(id);
    const released = entry?.record.get(reserved.released);
    if (released !== undefined) return { claim: released };
    if (entry === undefined || entry.record.has(reserved.claim)) return undefined;
    const isFrozen = entry.record.has(reserved.frozenSecret);
    const thawed = renamed(entry.record, unfrozenNames);
    if (!thawed.has(reserved.secret)) return undefined;
    const now = this.#clock.now();
    const proof = typeof by === 'string' || opens(thawed, by.secretHash, now);
    if (proof !== true) return proof;
    if (resume && !isFrozen) return 'open';
    const { record, expiresAt } = use === undefined ? entry : slidIfDue(entry, use, now);
    const before = record.get(reserved.freeze);
    const another = `${freezesOf(before) + 1}-${nodeSecrets.random(CLAIM_BYTES)}`;
    const freeze = isFrozen && before !== undefined ? before : another;
    const frozen = renamed(record, frozenNames).set(reserved.freeze, freeze);
    this.#entries.put(id, { record: frozen, expiresAt });
    const claim = `${freeze}.${nodeSecrets.random(CLAIM_BYTES)}`;
    const copied = renamed(record, unfrozenNames);
    copied.delete(reserved.freeze); // the freeze stays in this store
    const remainingMs = expiresAt - now;
    return { copy: { id, record: [...copied].flat(), claim, remainingMs, now } };
  }

  async adopt(copy: SessionCopy): Promise<Adopted | 'open' | undefined> {
    const { id, claim } = copy;
    const there = this.#entries.alive(id);
    const before = there?.record.get(reserved.claim);
    if (there && before !== undefined && freezesOf(before) >= freezesOf(claim)) {
      return { claim: before, session: this.#session(id, there), isNew: false };
    }
    if (there && before === undefined && !there.record.has(reserved.released)) {
      return isSession(there.record) ? 'open' : undefined;
    }
    const now = this.#clock.now();
    const shift = clockShift(copy.now, now);
    const record = new Map([[reserved.claim, claim] as [string, string]]);
    for (let i = 0; i + 1 < copy.record.length; i += 2) {
      const name = copy.record[i] as string;
      const value = copy.record[i + 1] as string;
      const isInstant = storeInstants.has(name) && /^[1-9]\d*$/.test(value);
      record.set(frozenNames.get(name) ?? name, isInstant ? String(Number(value) + shift) : value);
    }
    const entry = { record, expiresAt: now + copy.remainingMs };
    this.#entries.put(id, entry);
    return { claim, session: this.#session(id, entry), isNew: true };
  }

  async release(id: SessionId, claim: string): Promise<boolean> {
    const entry = this.#entries.alive(id);
    if (entry === undefined) return false;
    const { record } = entry;
    const released = record.get(reserved.released);
    if (released !== undefined) return released === claim;
    if (!record.has(reserved.frozenSecret)) return false;
    if (record.get(reserved.freeze) !== freezeOf(claim)) return false;
    this.#entries.put(id, { ...entry, record: new Map([[reserved.released, claim]]) });
    return true;
  }

  async thaw(id: SessionId, claim: string): Promise<boolean> {
    const entry = this.#copyOf(id, claim);
    if (entry === undefined) return false;
    const record = renamed(entry.record, unfrozenNames);
    record.delete(reserved.claim);
    this.#entries.put(id, { ...entry, record });
    return true;
  }

  async unfreeze(id: SessionId, claim: string): Promise<boolean> {
    const entry = this.#entries.alive(id);
    if (!entry?.record.has(reserved.frozenSecret)) return false;
    if (entry.record.get(reserved.freeze) !== freezeOf(claim)) return false;
    this.#entries.put(id, { ...entry, record: renamed(entry.record, unfrozenNames) });
    return true;
  }

  async discard(id: SessionId, claim: string): Promise<void> {
    const record = this.#entries.alive(id)?.record;
    const held = record?.get(reserved.claim) ?? record?.get(reserved.released);
    if (held === claim) this.#entries.remove(id);
  }

  async placeOf(user: string, id: SessionId): Promise<number | undefined> {
    return this.#users.placeOf(user, id);
  }

  async enter(entry: MovedEntry): Promise<void> {
    this.#users.enter(entry);
  }

  async now(): Promise<number> {
    return this.#clock.now();
  }

  #copyOf(id: SessionId, claim: string): StoredSession | undefined {
    const entry = this.#entries.alive(id);
    return entry?.record.get(reserved.claim) === claim ? entry : undefined;
  }

  #session(id: SessionId, copy: StoredSession): Session {
    return sessionOf(id, copy, this.#clock.now()) as Session; // a copy always contains a valid session
  }
}

const unfrozenNames = new Map([...frozenNames].map(([name, frozen]) => [frozen, name]));

function renamed(
  record: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...record].map(([name, value]) => [names.get(name) ?? name, value]));
}
