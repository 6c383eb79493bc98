import type { Session } from '../../domain/session.ts';
import {
  clockShift,
  decodeSession,
  freezeOf,
  freezesOf,
  frozenNames,
  reserved,
  storeInstants,
} from '../../domain/session-record.ts';
import type { Credential, SessionId } from '../../domain/session-token.ts';
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

/** A session in the form in which it is stored. */
export interface MemoryEntry {
  record: Map<string, string>;
  expiresAt: number;
}

/** What the moves need from the repository. */
export interface MemoryEntries {
  alive(id: SessionId): MemoryEntry | undefined;
  put(id: SessionId, entry: MemoryEntry): void;
  remove(id: SessionId): void;
  /** Whether this secret opens a session with this record. */
  opens(record: ReadonlyMap<string, string>, secretHash: string): true | Absent;
  slide(entry: MemoryEntry, use: { readonly at: string; readonly refreshAfterMs: number }): void;
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
    const opens = typeof by === 'string' || this.#entries.opens(thawed, by.secretHash);
    if (opens !== true) return opens;
    if (resume && !isFrozen) return 'open';
    if (use !== undefined) this.#entries.slide(entry, use);
    const before = entry.record.get(reserved.freeze);
    const another = `${freezesOf(before) + 1}-${nodeSecrets.random(CLAIM_BYTES)}`;
    const freeze = isFrozen && before !== undefined ? before : another;
    entry.record = renamed(entry.record, frozenNames).set(reserved.freeze, freeze);
    const claim = `${freeze}.${nodeSecrets.random(CLAIM_BYTES)}`;
    const now = this.#clock.now();
    const copied = renamed(entry.record, unfrozenNames);
    copied.delete(reserved.freeze); // the freeze stays in this store
    const remainingMs = entry.expiresAt - now;
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
    entry.record = new Map([[reserved.released, claim]]);
    return true;
  }

  async thaw(id: SessionId, claim: string): Promise<boolean> {
    const entry = this.#copyOf(id, claim);
    if (entry === undefined) return false;
    entry.record = renamed(entry.record, unfrozenNames);
    entry.record.delete(reserved.claim);
    return true;
  }

  async unfreeze(id: SessionId, claim: string): Promise<boolean> {
    const entry = this.#entries.alive(id);
    if (!entry?.record.has(reserved.frozenSecret)) return false;
    if (entry.record.get(reserved.freeze) !== freezeOf(claim)) return false;
    entry.record = renamed(entry.record, unfrozenNames);
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

  #copyOf(id: SessionId, claim: string): MemoryEntry | undefined {
    const entry = this.#entries.alive(id);
    return entry?.record.get(reserved.claim) === claim ? entry : undefined;
  }

  #session(id: SessionId, { record, expiresAt }: MemoryEntry): Session {
    const session = decodeSession(id, [...record].flat(), expiresAt - this.#clock.now());
    return session as Session; // a copy always contains a valid session
  }
}

/** True for a session, in use or frozen. */
export function isSession(record: ReadonlyMap<string, string>): boolean {
  return record.has(reserved.secret) || record.has(reserved.frozenSecret);
}

const unfrozenNames = new Map([...frozenNames].map(([name, frozen]) => [frozen, name]));

function renamed(
  record: ReadonlyMap<string, string>,
  names: ReadonlyMap<string, string>,
): Map<string, string> {
  return new Map([...record].map(([name, value]) => [names.get(name) ?? name, value]));
}
